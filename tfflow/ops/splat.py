"""Forward splatting, which moves values along the flow, and the range map."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_flow, check_image, check_same_size, size
from tfflow.ops.warp import target_grid


def splat(values: tf.Tensor, flow: tf.Tensor) -> tf.Tensor:
    """Adds every pixel's value to the four pixels around its target, with bilinear weights (the transpose of warping).

        moved = ops.splat(tf.random.uniform([1, 8, 10, 3]), tf.ones([1, 8, 10, 2]))  # [1, 8, 10, 3]

    values: [b, h, w, c]; flow: [b, h, w, 2], px. Returns [b, h, w, c], float32. What falls outside the frame is
    dropped, and so are pixels whose flow is not finite. Gradients flow to `values` and, through the weights, to `flow`.
    Raises ValueError for other shapes. Source: Wang et al. 2018 (Occlusion Aware), eq. 1.
    """
    check_image("values", values)
    check_flow("flow", flow)
    check_same_size("values", values, "flow", flow)
    b, h, w = size(flow)
    channels = values.shape[-1]
    values = tf.cast(values, tf.float32)
    x, y = target_grid(flow)
    kept = (x > -1) & (x < tf.cast(w, tf.float32)) & (y > -1) & (y < tf.cast(h, tf.float32))  # false for NaN
    x = tf.where(kept, x, tf.zeros_like(x))
    y = tf.where(kept, y, tf.zeros_like(y))
    values *= tf.cast(kept, tf.float32)[..., None]
    x0, y0 = tf.floor(x), tf.floor(y)
    wx, wy = (x - x0)[..., None], (y - y0)[..., None]
    # A border of one pixel around the frame receives what falls outside. It is cropped at the end.
    ring_h, ring_w = h + 2, w + 2
    first = (tf.cast(y0, tf.int32) + 1) * ring_w + tf.cast(x0, tf.int32) + 1
    first += (tf.range(b) * (ring_h * ring_w))[:, None, None]
    index = tf.stack([first, first + 1, first + ring_w, first + ring_w + 1])  # [4, b, h, w]
    share = tf.stack([(1 - wx) * (1 - wy), wx * (1 - wy), (1 - wx) * wy, wx * wy])  # [4, b, h, w, 1]
    landed = tf.math.unsorted_segment_sum(
        tf.reshape(share * values, [-1, channels]), tf.reshape(index, [-1]), b * ring_h * ring_w
    )
    return tf.reshape(landed, [b, ring_h, ring_w, channels])[:, 1:-1, 1:-1]  # [b, h, w, c]


def range_map(flow21: tf.Tensor) -> tf.Tensor:
    """Counts the pixels of frame 2 that the backward flow moves to each pixel of frame 1: [b, h, w, 2] -> [b, h, w, 1].

        visible = tf.minimum(ops.range_map(tf.zeros([1, 8, 10, 2])), 1.0)  # [1, 8, 10, 1]

    flow21: px. Returns float32, at least 0. A pixel that receives nothing is occluded.
    Raises ValueError for another shape. Source: Wang et al. 2018 (Occlusion Aware), eq. 1.
    """
    check_flow("flow21", flow21)
    return splat(tf.ones_like(flow21[..., :1]), flow21)
