"""Views for tests: frames, flows and masks where no side equals another and no direction another."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflow.losses import View

N, H, W = 2, 20, 26


def picture(seed=0, n=N, h=H, w=W) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 0.9, [n, h, w, 3]).astype(np.float32)


def field(seed=0, n=N, h=H, w=W, reach=2.0) -> np.ndarray:
    return np.random.default_rng(100 + seed).uniform(-reach, reach, [n, h, w, 2]).astype(np.float32) + 0.25


def mask(seed=0, n=N, h=H, w=W) -> np.ndarray:
    return (np.random.default_rng(200 + seed).uniform(size=[n, h, w, 1]) < 0.6).astype(np.float32)


def view(**changes) -> View:
    """A View of random content; any field may be given."""
    fields = {"image1": picture(0), "image2": picture(1), "flows12": (field(),), "visible1": mask()}
    fields.update(changes)
    for many in ("flows12", "flows21"):
        if fields.get(many) is not None:
            fields[many] = tuple(tf.convert_to_tensor(f) for f in fields[many])
    tensors = {k: v if k.startswith("flows") or v is None else tf.convert_to_tensor(v) for k, v in fields.items()}
    return View(**tensors)


def still(**changes) -> View:
    """Nothing moves, nothing changes, all is visible: what a perfect reconstruction costs."""
    image = picture()
    whole = np.ones([N, H, W, 1], np.float32)
    return view(
        **{
            "image1": image,
            "image2": image,
            "flows12": (np.zeros([N, H, W, 2], np.float32),),
            "visible1": whole,
            **changes,
        }
    )


def sample(v: View, i: int) -> View:
    """The i-th pair alone."""

    def cut(x):
        return None if x is None else x[i : i + 1]

    flows = tuple(f[i : i + 1] for f in v.flows12)
    back = None if v.flows21 is None else tuple(f[i : i + 1] for f in v.flows21)
    return View(cut(v.image1), cut(v.image2), flows, cut(v.visible1), cut(v.target12), cut(v.target_mask), back)
