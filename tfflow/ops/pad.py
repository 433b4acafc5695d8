"""Padding to a multiple and cropping back, so that networks with strides take frames of any size."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_image, size


def pad_to_multiple(x: tf.Tensor, multiple: int) -> tuple[tf.Tensor, tuple]:
    """Repeats the last row and column until height and width are multiples: [b, h, w, c] -> [b, h', w', c], (h, w).

        padded, size = ops.pad_to_multiple(tf.random.uniform([1, 90, 100, 3]), 32)  # [1, 96, 128, 3], (90, 100)

    The top left pixel stays in place, so flow on the padded grid is flow on the original one. `crop_to` undoes it.
    Raises ValueError for another shape or a multiple below 1.
    """
    check_image("x", x)
    if multiple < 1:
        raise ValueError(f"`multiple` must be at least 1, got {multiple}")
    _, h, w = size(x)
    if isinstance(h, int) and isinstance(w, int) and not h % multiple and not w % multiple:
        return tf.convert_to_tensor(x), (h, w)
    rows = tf.minimum(tf.range(h + (-h) % multiple), h - 1)
    columns = tf.minimum(tf.range(w + (-w) % multiple), w - 1)
    return tf.gather(tf.gather(x, rows, axis=1), columns, axis=2), (h, w)


def crop_to(x: tf.Tensor, to: tuple) -> tf.Tensor:
    """Crops [b, h, w, c] to its top left (height, width), which undoes `pad_to_multiple`.

        cropped = ops.crop_to(tf.random.uniform([1, 96, 128, 3]), (90, 100))  # [1, 90, 100, 3]

    Raises ValueError if `x` is smaller.
    """
    check_image("x", x)
    if any(isinstance(n, int) and have is not None and n > have for n, have in zip(to, x.shape[1:3], strict=True)):
        raise ValueError(f"`x` must be at least {tuple(to)} to be cropped to it, got {tuple(x.shape)}")
    return x[:, : to[0], : to[1]]


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
