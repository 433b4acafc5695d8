"""Sources and predictors whose every number is known."""

from __future__ import annotations

import numpy as np

from tfflow.errors import InputError


class Given:
    """A source of samples given as a list; an entry that is a text is a damaged file."""

    def __init__(self, samples, name="given:here", truth=("flow12", "valid1")):
        self.samples, self.name, self.truth = samples, name, frozenset(truth)

    def __len__(self):
        return len(self.samples)

    def record_name(self, index):
        return f"clip/frame_{index + 1:04d}"

    def sample(self, index):
        if isinstance(self.samples[index], str):
            raise InputError(self.samples[index])
        return self.samples[index]


class Constant:
    """The same flow (u, v) everywhere; counts what it was asked."""

    def __init__(self, u=0.0, v=0.0, name="constant"):
        self.name, self.flow, self.batches, self.boths = name, (u, v), [], []

    def batch(self, images1, images2):
        self.batches.append(images1.shape)
        assert images1.shape == images2.shape and images1.dtype == images2.dtype == np.float32
        return np.broadcast_to(np.float32(self.flow), (*images1.shape[:3], 2))

    def both(self, images1, images2):
        self.boths.append(images1.shape)
        forward = np.broadcast_to(np.float32(self.flow), (*images1.shape[:3], 2))
        return forward, -forward


def noise(seed, h=14, w=23, c=3):
    return np.random.default_rng(seed).random((h, w, c), dtype=np.float32)


def sample(seed, h=14, w=23, **others):
    """Noise images, a flow of 0 to about 60 px, some pixels without truth."""
    rng = np.random.default_rng(seed)
    length = rng.choice([0.5, 3.0, 20.0, 60.0], (h, w, 1))
    flow = (rng.standard_normal((h, w, 2)) * length + np.array([2.0, -1.0])).astype(np.float32)
    valid = (rng.random((h, w, 1)) < 0.8).astype(np.float32)
    return {
        "image1": noise(seed + 1, h, w),
        "image2": noise(seed + 2, h, w),
        "flow12": flow * valid,
        "valid1": valid,
        **others,
    }


def shifted(h=14, w=23, du=3, dv=-2):
    """Two windows of one noise picture: image2 shows at x + (du, dv) what image1 shows at x."""
    big = noise(5, h + 20, w + 20)
    return {"image1": big[10 : 10 + h, 10 : 10 + w], "image2": big[10 - dv : 10 - dv + h, 10 - du : 10 - du + w]}
