"""The cost volume: how well each pixel of one frame matches the other frame's pixels around it."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_image, check_same_size, size


def displacements(radius: int, stride: int = 1) -> list[tuple[int, int]]:
    """The (dy, dx) of each channel of a cost volume, rows outer: -radius, -radius + stride, ..., radius."""
    if radius < 0 or stride < 1 or radius % stride:
        raise ValueError(
            f"`radius` must be a multiple of `stride`, both positive, got radius {radius}, stride {stride}"
        )
    steps = range(-radius, radius + 1, stride)
    return [(dy, dx) for dy in steps for dx in steps]


def cost_volume(features1: tf.Tensor, features2: tf.Tensor, radius: int, stride: int = 1) -> tf.Tensor:
    """Mean over channels of features1(x) * features2(x + d), for every displacement d of a square window.

    features1, features2: [b, h, w, c]. Returns [b, h, w, (2 * radius / stride + 1)**2], same dtype, channels in the
    order of `displacements`; beyond the frame features2 counts as 0. radius, stride: px.
    PWC-Net: radius 4 (81 channels). FlowNetC: radius 20, stride 2 (441). Slices, products and means only, so that
    nothing of size 81 * c is kept and the graph converts to TensorFlow Lite.
    Raises ValueError on shapes that differ. Source: Dosovitskiy et al. 2015, eq. 1; Sun et al. 2018, eq. 2.
    """
    check_image("features1", features1)
    check_image("features2", features2)
    check_same_size("features1", features1, "features2", features2)
    if features1.shape[-1] != features2.shape[-1]:
        raise ValueError(
            f"both features must have the same channels, got {features1.shape[-1]} and {features2.shape[-1]}"
        )
    _, h, w = size(features1)
    padded = tf.pad(features2, [[0, 0], [radius, radius], [radius, radius], [0, 0]])
    costs = [
        tf.reduce_mean(
            features1 * padded[:, radius + dy : radius + dy + h, radius + dx : radius + dx + w],
            axis=-1,
            keepdims=True,
        )
        for dy, dx in displacements(radius, stride)
    ]
    return tf.concat(costs, axis=-1)  # [b, h, w, displacements]
