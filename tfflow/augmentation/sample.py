"""The keys of a sample: which are images, flows and masks, and the frame that each belongs to."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfflow import ops

Sample = dict[str, tf.Tensor]

IMAGES = ("image1", "image2", "image0", "image3")  # 0 and 3: the frames before and after the pair
INPUTS = ("input1", "input2", "input0", "input3")  # the network's input, if the losses get other images
FLOWS = ("flow12", "flow21")
MASKS = ("valid1", "valid2", "visible1", "visible2")
MAPS = IMAGES + INPUTS + FLOWS + MASKS  # everything that is [h, w, c]; other keys pass through untouched
PARTNER = {
    **{name + a: name + b for name in ("image", "input", "valid", "visible") for a, b in ("12", "21")},
    **{name + a: name + b for name in ("image", "input") for a, b in ("03", "30")},
    "flow12": "flow21",
    "flow21": "flow12",
}


def frame_of(key: str) -> int:
    """The frame, 0 to 3, whose pixels `key` belongs to: flow12 belongs to frame 1."""
    return int(key[4]) if key in FLOWS else int(key[-1])


def size(sample: Sample) -> tuple:
    """(height, width) of the frames: Python ints where known, scalar tensors where not."""
    dynamic = tf.shape(sample["image1"])
    return tuple(n if n is not None else dynamic[i] for i, n in enumerate(sample["image1"].shape[:2]))


def each_map(sample: Sample, change: Callable[[tf.Tensor], tf.Tensor]) -> Sample:
    """Applies `change` to every image, flow and mask."""
    return {key: change(value) if key in MAPS else value for key, value in sample.items()}


def occlude_outside(sample: Sample) -> Sample:
    """Marks the pixels whose target is outside the frame as occluded. Their flow stays valid."""
    sample = dict(sample)
    for flow in FLOWS:
        visible = f"visible{frame_of(flow)}"
        if flow in sample and visible in sample:
            sample[visible] *= ops.inside(sample[flow][None])[0]
    return sample


def resize(sample: Sample, to: tuple) -> Sample:
    """Resizes every image, flow and mask to `to` (height, width), and scales flow by the ratio of each axis.

    A new pixel of sparse flow is the mean of the valid pixels around it. It is valid if the nearest old pixel is.
    """
    resized = dict(sample)
    for key in sample:
        value = tf.cast(sample[key], tf.float32)[None] if key in MAPS else None
        if key in IMAGES + INPUTS:
            resized[key] = ops.resize_image(value, to)[0]
        elif key in MASKS:
            resized[key] = tf.image.resize(value, to, method="nearest")[0]
        elif key in FLOWS:
            valid = sample.get(f"valid{frame_of(key)}")
            if valid is None:
                resized[key] = ops.resize_flow(value, to)[0]
            else:
                share = ops.resize_image(valid[None], to)
                flow = tf.math.divide_no_nan(ops.resize_flow(value * valid[None], to), share)
                resized[key] = (flow * tf.image.resize(valid[None], to, method="nearest"))[0]
    return resized
