"""Blocks of pixels to channels and back, by transposes of four axes.

`tf.nn.space_to_depth` and its inverse are wrong on GPUs where the batch is more than one, see `tfflow.exporting.gpu`.
"""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import size


def blocks_to_channels(x: tf.Tensor, n: int) -> tf.Tensor:
    """[b, h, w, c] -> [b, h / n, w / n, n * n * c]; height and width must be multiples of n."""
    b, h, w = size(x)
    c = x.shape[-1]
    rows = tf.reshape(x, [b * (h // n), n, w // n, n * c])
    return tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [b, h // n, w // n, n * n * c])


def channels_to_blocks(x: tf.Tensor, n: int) -> tf.Tensor:
    """[b, h, w, n * n * c] -> [b, n * h, n * w, c]."""
    b, h, w = size(x)
    c = x.shape[-1] // (n * n)
    rows = tf.transpose(tf.reshape(x, [b * h, w, n, n * c]), [0, 2, 1, 3])
    return tf.reshape(rows, [b, h * n, w * n, c])
