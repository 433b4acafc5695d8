"""Any size for networks that halve: pad to a multiple, predict, crop back."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_image, size


def pad_to_multiple(x: tf.Tensor, multiple: int) -> tuple[tf.Tensor, tuple]:
    """Repeats the last row and column until height and width are multiples: [b, h, w, c] -> [b, h', w', c], (h, w).

    The top left pixel stays in place, so flow on the padded grid is flow on the original. `crop_to` undoes it.
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
    """The top left (height, width) of [b, h, w, c]; undoes `pad_to_multiple`. Raises ValueError where x is smaller."""
    check_image("x", x)
    if any(isinstance(n, int) and have is not None and n > have for n, have in zip(to, x.shape[1:3], strict=True)):
        raise ValueError(f"`x` must be at least {tuple(to)} to be cropped to it, got {tuple(x.shape)}")
    return x[:, : to[0], : to[1]]


def cut(x: tf.Tensor, top: tf.Tensor, left: tf.Tensor, to: tuple[int, int]) -> tf.Tensor:
    """A window of each sample at its own place: [b, h, w, c], int32 [b], int32 [b] -> [b, *to, c]."""
    check_image("x", x)
    rows = top[:, None] + tf.range(to[0])
    columns = left[:, None] + tf.range(to[1])
    x = tf.gather(x, rows, axis=1, batch_dims=1)  # [b, to[0], w, c]
    return tf.gather(x, columns, axis=2, batch_dims=1)  # [b, *to, c]
