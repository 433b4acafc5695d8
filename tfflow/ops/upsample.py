"""Convex upsampling of flow by learned weights. It keeps edges sharp that bilinear upsampling blurs."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflow.ops.checks import check_flow, check_image, size

LARGEST = 10.0
"""Logits are clipped to +-10, so that their exponentials are finite in half precision."""
LEAST = 1e-3
"""Smallest initial weight. A neighbour of weight 0 would get no gradient."""


def convex_upsample(flow: tf.Tensor, logits: tf.Tensor, factor: int) -> tf.Tensor:
    """Each fine pixel is a convex combination of 3x3 coarse flows: [b, h, w, 2] -> [b, f * h, f * w, 2].

        flow = ops.convex_upsample(tf.ones([1, 8, 10, 2]), tf.zeros([1, 8, 10, 9 * 4**2]), 4)  # [1, 32, 40, 2]

    logits: [b, h, w, 9 * factor**2]. The index runs over the nine neighbours, then over the fine pixels of a coarse
    one, each row by row. The result is in px of the finer grid.
    The weights are those of bilinear upsampling times exp(logits), divided by their sum over the nine neighbours. Equal
    logits give bilinear upsampling. Outside the frame the nearest flow counts. There is no gather, so phones run it.
    Raises ValueError for other shapes. Source: Teed and Deng 2020 (RAFT), section 3.3.
    """
    check_flow("flow", flow)
    check_image("logits", logits, channels=9 * factor**2)
    _, h, w = size(flow)
    near = tf.concat([flow[:, :1], flow, flow[:, -1:]], axis=1)
    near = factor * tf.concat([near[:, :, :1], near, near[:, :, -1:]], axis=2)  # [b, h + 2, w + 2, 2]
    weights = tf.exp(tf.clip_by_value(logits, -LARGEST, LARGEST)) * tf.constant(bilinear(factor), logits.dtype)
    weights = tf.split(weights, 9, axis=-1)  # 9 of [b, h, w, f * f]
    sums = [0.0, 0.0]
    for k, weight in enumerate(weights):
        neighbour = near[:, k // 3 : k // 3 + h, k % 3 : k % 3 + w]
        sums = [total + weight * part for total, part in zip(sums, tf.split(neighbour, 2, axis=-1), strict=True)]
    whole = tf.add_n(weights)
    fine = [tf.nn.depth_to_space(total / whole, factor) for total in sums]
    return tf.concat(fine, axis=-1)  # [b, f * h, f * w, 2]


def bilinear(factor: int) -> np.ndarray:
    """Weights of bilinear upsampling, at least LEAST each, in the order of the logits: [9 * factor**2]."""
    offsets = (np.arange(factor) + 0.5) / factor - 0.5  # from the centre of a coarse pixel to its fine ones
    tents = np.maximum(1 - np.abs(offsets - np.array([-1, 0, 1])[:, None]), 0)  # [3, f]
    return np.maximum(np.einsum("ai,bj->abij", tents, tents).reshape(-1), LEAST)
