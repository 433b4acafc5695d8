"""One step of Lucas and Kanade: flow that is nearly right, moved to where the brightness of both frames agrees."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfflow.ops.checks import check_floating, check_flow, check_image, check_same_size, size
from tfflow.ops.resize import resize_image
from tfflow.ops.warp import backward_warp

CELL = 4
"""px. A step is computed for each cell of so many rows and columns, from 3x3 cells around it."""
DAMPING = 2e-5
"""Added to both mean squares of the slopes, so that a step is 0 where there is no texture."""
DIFFERENCE = 0.05
"""A pixel whose brightness differs by so much, of 1, has half the weight of one that agrees."""
LONGEST = 1.0
"""px, along each axis. Slopes say nothing of what is farther away."""


def lucas_kanade(
    image1: tf.Tensor, image2: tf.Tensor, flow12: tf.Tensor, gain: tf.Tensor | None = None, warp: Callable = backward_warp
) -> tf.Tensor:
    """`flow12` plus one step of least squares on brightness: [b, h, w, 2] -> [b, h, w, 2], px.

        image = tf.random.uniform([1, 16, 24, 3])
        flow = ops.lucas_kanade(image, image, tf.zeros([1, 16, 24, 2]))  # [1, 16, 24, 2], all 0

    image1, image2: [b, h, w, 3], float in [0, 1]; h and w multiples of 4. gain: [b, h / 4, w / 4, 1], by which each
    step is multiplied; None = 1. warp: as `backward_warp`, which samples image2.
    In each window, step = -(A + damping I)^-1 b. A is the covariance of the slopes of both frames, and b the one of
    slopes and the difference of brightness, so that an offset of brightness in a window does not move flow. Pixels
    whose brightness differs much count less. Gradients flow to gain, and to flow12 as if the step did not depend on it.
    Raises ValueError for other shapes.
    Source: Lucas and Kanade 1981; weights of Geman and McClure 1987.
    """
    for name, image in (("image1", image1), ("image2", image2)):
        check_image(name, image, channels=3)
        check_floating(name, image)
    check_flow("flow12", flow12)
    check_same_size("image1", image1, "image2", image2)
    check_same_size("image1", image1, "flow12", flow12)
    _, h, w = size(flow12)
    if any(isinstance(n, int) and n % CELL for n in (h, w)):
        raise ValueError(f"height and width must be multiples of {CELL}, got {h} and {w}")
    grey1, grey2 = (tf.reduce_mean(tf.cast(image, tf.float32), axis=-1, keepdims=True) for image in (image1, image2))
    warped = warp(grey2, tf.stop_gradient(flow12))
    step = tf.stop_gradient(_step(grey1, warped))
    if gain is not None:
        step *= tf.cast(gain, step.dtype)
    return flow12 + resize_image(step, (h, w))  # [b, h, w, 2]


def _step(grey1: tf.Tensor, warped: tf.Tensor) -> tf.Tensor:
    """The step of each cell, from the frame and the warped one: [b, h, w, 1] twice -> [b, h / 4, w / 4, 2]."""
    mean = 0.5 * (grey1 + warped)
    slope_x = tf.pad(0.5 * (mean[:, :, 2:] - mean[:, :, :-2]), [[0, 0], [0, 0], [1, 1], [0, 0]])
    slope_y = tf.pad(0.5 * (mean[:, 2:] - mean[:, :-2]), [[0, 0], [1, 1], [0, 0], [0, 0]])
    difference = warped - grey1
    weight = 1.0 / (1.0 + (difference * (1 / DIFFERENCE)) ** 2)
    x, y, t = weight * slope_x, weight * slope_y, weight * difference
    products = [x * slope_x, x * slope_y, y * slope_y, x * difference, y * difference]
    means = tf.concat([weight, x, y, t, *products], axis=-1)  # [b, h, w, 9]
    means = tf.nn.avg_pool2d(tf.nn.avg_pool2d(means, CELL, CELL, "VALID"), 3, 1, "SAME")
    total, x, y, t, xx, xy, yy, xt, yt = tf.split(means, 9, axis=-1)
    share = 1.0 / total
    x, y, t = x * share, y * share, t * share
    xx, xy, yy = xx * share - x * x + DAMPING, xy * share - x * y, yy * share - y * y + DAMPING
    xt, yt = xt * share - x * t, yt * share - y * t
    scale = 1.0 / (xx * yy - xy * xy)
    u, v = (xy * yt - yy * xt) * scale, (xy * xt - xx * yt) * scale
    return tf.clip_by_value(tf.concat([u, v], axis=-1), -LONGEST, LONGEST)
