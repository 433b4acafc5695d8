"""First and second differences of neighbouring pixels, for smoothness and edges."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_image


def differences(x: tf.Tensor, order: int = 1) -> tuple[tf.Tensor, tf.Tensor]:
    """Differences of neighbours along x and along y: [b, h, w, c] -> [b, h, w - order, c], [b, h - order, w, c].

        dx, dy = ops.differences(tf.random.uniform([1, 8, 10, 2]))  # [1, 8, 9, 2], [1, 7, 10, 2]

    order 1: x[i + 1] - x[i]; order 2: x[i + 2] - 2 x[i + 1] + x[i]. Raises ValueError for another order.
    """
    check_image("x", x)
    if order not in (1, 2):
        raise ValueError(f"`order` must be 1 or 2, got {order}")
    x = tf.convert_to_tensor(x)
    dx = x[:, :, 1:] - x[:, :, :-1]
    dy = x[:, 1:] - x[:, :-1]
    if order == 2:
        return dx[:, :, 1:] - dx[:, :, :-1], dy[:, 1:] - dy[:, :-1]
    return dx, dy


def diagonal_differences(x: tf.Tensor, order: int = 1) -> tuple[tf.Tensor, tf.Tensor]:
    """Differences of neighbours along both diagonals, down right and down left: each [b, h - order, w - order, c].

        right, left = ops.diagonal_differences(tf.random.uniform([1, 8, 10, 2]))  # [1, 7, 9, 2], [1, 7, 9, 2]

    x: [b, h, w, c]. order: 1 or 2, else ValueError. As in UnFlow, the differences are not divided by the distance of
    diagonal neighbours, sqrt(2) px.
    """
    check_image("x", x)
    if order not in (1, 2):
        raise ValueError(f"`order` must be 1 or 2, got {order}")
    x = tf.convert_to_tensor(x)

    mirrored = tf.reverse(x, [2])
    for _ in range(order):
        x = x[:, 1:, 1:] - x[:, :-1, :-1]
        mirrored = mirrored[:, 1:, 1:] - mirrored[:, :-1, :-1]
    return x, tf.reverse(mirrored, [2])
