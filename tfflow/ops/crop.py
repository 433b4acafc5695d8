"""Cropping of a batch, each sample at its own position."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_image


def crop_each(x: tf.Tensor, top: tf.Tensor, left: tf.Tensor, to: tuple[int, int]) -> tf.Tensor:
    """Crops each sample of a batch at a position of its own: [b, h, w, c] -> [b, *to, c].

        cropped = ops.crop_each(tf.random.uniform([2, 90, 100, 3]), tf.constant([0, 9]), tf.constant([5, 7]), (64, 64))
        cropped  # [2, 64, 64, 3]

    top, left: the first row and column of each crop, int32 [b], px. Raises ValueError unless `x` is [b, h, w, c].
    """
    check_image("x", x)
    rows = top[:, None] + tf.range(to[0])
    columns = left[:, None] + tf.range(to[1])
    x = tf.gather(x, rows, axis=1, batch_dims=1)  # [b, to[0], w, c]
    return tf.gather(x, columns, axis=2, batch_dims=1)  # [b, *to, c]
