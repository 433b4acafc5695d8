"""One step of Lucas and Kanade: flow that is nearly right, moved to where the brightness of both frames agrees."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from tfflow.ops.checks import check_floating, check_flow, check_image, check_same_size, size
from tfflow.ops.resize import resize_image
from tfflow.ops.warp import backward_warp, target_grid

CELL = 4
"""px. A step is computed for each cell of so many rows and columns, from 3x3 cells around it."""
WHITE = 32.0
"""Brightness of white here. Products of slopes are then near 1, which keeps them apart from 0 in half precision."""
DAMPING = 2e-5 * WHITE**2
"""Added to both mean squares of the slopes, so that a step is 0 where there is no texture."""
DIFFERENCE = 0.05 * WHITE
"""A pixel whose brightness differs by so much has half the weight of one that agrees."""
OUTSIDE = 1e5
"""1 / px. Grows the divisor of a pixel's weight by how far its target, or a neighbour's, is beyond the frame."""
LEAST = 1e-3
"""Added to the mean weight of a window, so that a step is 0 where all targets are beyond the frame."""
LONGEST = 1.0
"""px, along each axis. Slopes say nothing of what is farther away."""


def cell_means(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """Means over cells of 4x4 px: n of [b, h, w, 1] -> [b, h / 4, w / 4, n]."""
    return tf.nn.avg_pool2d(tf.concat(parts, axis=-1), CELL, CELL, "VALID")


def warp_and_distance(image: tf.Tensor, flow: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`image` [b, h, w, 1] warped by `flow`, beyond the frame its nearest pixel; and how far beyond it is, px."""
    _, h, w = size(flow)
    x, y = target_grid(flow)
    last_x, last_y = (tf.cast(n - 1, tf.float32) for n in (w, h))
    beyond = tf.nn.relu(-x) + tf.nn.relu(x - last_x) + tf.nn.relu(-y) + tf.nn.relu(y - last_y)
    return backward_warp(image, flow, "border"), beyond[..., None]  # each [b, h, w, 1]


def lucas_kanade(
    image1: tf.Tensor,
    image2: tf.Tensor,
    flow12: tf.Tensor,
    warp: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]] = warp_and_distance,
    means: Callable[[Sequence[tf.Tensor]], tf.Tensor] = cell_means,
) -> tf.Tensor:
    """`flow12` plus one step of least squares on brightness: [b, h, w, 2] -> [b, h, w, 2], px.

        image = tf.random.uniform([1, 16, 24, 3])
        flow = ops.lucas_kanade(image, image, tf.zeros([1, 16, 24, 2]))  # [1, 16, 24, 2]

    image1, image2: [b, h, w, 3], float in [0, 1]; h and w multiples of 4. warp, means: what stands for
    `warp_and_distance` and for `cell_means`.
    In each window, step = -(A + damping I)^-1 b. A is the covariance of the slopes of both frames, and b the one of
    slopes and the difference of brightness, so that an offset of brightness in a window does not move flow. Pixels
    whose brightness differs much count less, and pixels whose target is beyond the frame do not count. Gradients flow
    to flow12, as if the step did not depend on it.
    Raises ValueError for other shapes.
    Source: Lucas and Kanade 1981; weights of the Lorentzian, Black and Anandan 1996.
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
    grey1, grey2 = _grey(image1), _grey(image2)
    products = _products(grey1, *warp(grey2, tf.stop_gradient(flow12)))
    windows = tf.nn.avg_pool2d(means(products), 3, 1, "SAME")
    step = tf.stop_gradient(_step(windows))  # [b, h / 4, w / 4, 2]
    return flow12 + resize_image(step, (h, w))  # [b, h, w, 2]


def _grey(image: tf.Tensor) -> tf.Tensor:
    """Brightness, mean over channels: [b, h, w, 3] -> [b, h, w, 1], as the convolution that phones compute fast."""
    return tf.nn.conv2d(tf.cast(image, tf.float32), tf.fill([1, 1, 3, 1], WHITE / 3), 1, "VALID")


def _products(grey1: tf.Tensor, warped: tf.Tensor, beyond: tf.Tensor) -> list[tf.Tensor]:
    """Weight, weighted slopes and difference, and their products, of each pixel: nine of [b, h, w, 1].

    grey1, warped, beyond: [b, h, w, 1], see `warp_and_distance`. The slope across the border of the frame is 0.
    """
    mean = 0.5 * (grey1 + warped)
    slope_x, slope_y = _slope(mean, axis=2), _slope(mean, axis=1)
    difference = warped - grey1
    near = _mean_of_three(_mean_of_three(beyond, axis=1), axis=2)  # slopes reach to the neighbours
    weight = 1.0 / (1.0 + tf.square(difference * (1 / DIFFERENCE)) + OUTSIDE * near)
    x, y, t = weight * slope_x, weight * slope_y, weight * difference
    return [weight, x, y, t, x * slope_x, x * slope_y, y * slope_y, x * difference, y * difference]


def _slope(image: tf.Tensor, axis: int) -> tf.Tensor:
    """Half the difference of both neighbours along an axis, [b, h, w, 1]; 0 at both ends.

    Joined, not padded: phones take 20 times as long to pad one channel.
    """
    inner = 0.5 * (_part(image, axis, 2, None) - _part(image, axis, 0, -2))
    end = tf.zeros_like(_part(image, axis, 0, 1))
    return tf.concat([end, inner, end], axis)


def _mean_of_three(image: tf.Tensor, axis: int) -> tf.Tensor:
    """Mean of a pixel and its neighbours along an axis, [b, h, w, 1]. An end stands for what is beyond it."""
    image = tf.concat([_part(image, axis, 0, 1), image, _part(image, axis, -1, None)], axis)
    return (_part(image, axis, 0, -2) + _part(image, axis, 1, -1) + _part(image, axis, 2, None)) * (1 / 3)


def _part(image: tf.Tensor, axis: int, first: int, last: int | None) -> tf.Tensor:
    return image[:, first:last] if axis == 1 else image[:, :, first:last]


def _step(windows: tf.Tensor) -> tf.Tensor:
    """The least-squares step from means of `_products` over windows: [b, h, w, 9] -> [b, h, w, 2]."""
    total, *sums = tf.split(windows, 9, axis=-1)
    x, y, t, xx, xy, yy, xt, yt = (part * (1.0 / (total + LEAST)) for part in sums)
    xx, xy, yy = xx - x * x + DAMPING, xy - x * y, yy - y * y + DAMPING
    xt, yt = xt - x * t, yt - y * t
    scale = 1.0 / (xx * yy - xy * xy)
    step = tf.concat([(xy * yt - yy * xt) * scale, (xy * xt - xx * yt) * scale], axis=-1)
    return tf.clip_by_value(step, -LONGEST, LONGEST)
