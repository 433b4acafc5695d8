"""Flow on a finer grid by learned convex combination: sharp edges where bilinear upsampling blurs them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflow.ops.checks import check_flow, check_image, size

LARGEST = 10.0
"""Logits are cut off at +-10, so that their exponentials are finite in half precision."""
LEAST = 1e-3
"""Neighbours without weight in bilinear upsampling begin at this one, so that a gradient reaches it."""


def convex_upsample(flow: tf.Tensor, logits: tf.Tensor, factor: int) -> tf.Tensor:
    """Each fine pixel as a convex combination of the 3x3 coarse flows around its own: [b, h, w, 2] -> [b, f*h, f*w, 2].

    logits: [b, h, w, 9 * factor**2], neighbours outer (rows first), fine pixels of a coarse one inner (rows first).
    Weights are bilinear upsampling's times exp(logits), divided by their sum over the nine neighbours: where all logits
    are equal, that is bilinear upsampling. Beyond the frame the nearest flow counts. Result in px of the finer grid.
    Slices, products and depth-to-space only, no gather, so that phones run it.
    Raises ValueError on other shapes. Source: Teed and Deng 2020 (RAFT), section 3.3.
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
    """Weights of bilinear upsampling, each at least LEAST, in the order of `convex_upsample`'s logits: [9 * f**2]."""
    offsets = (np.arange(factor) + 0.5) / factor - 0.5  # of a fine centre from its coarse one
    tents = np.maximum(1 - np.abs(offsets - np.array([-1, 0, 1])[:, None]), 0)  # [3, f]
    return np.maximum(np.einsum("ai,bj->abij", tents, tents).reshape(-1), LEAST)
