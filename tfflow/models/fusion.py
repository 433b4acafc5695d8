"""The better of two flows of a pair at each pixel, by how well each explains the frames around the pixel."""

from __future__ import annotations

import tensorflow as tf

from tfflow import ops

RADIUS, CELL, CELLS = 3, 4, 9
"""Radius of the census transform, px. Its distance is averaged over squares of `CELL` px, then over `CELLS` by `CELLS`
of them."""


def better_flow(
    images1: tf.Tensor, images2: tf.Tensor, flow: tf.Tensor, other: tf.Tensor, least: float = 1.0
) -> tf.Tensor:
    """`other` where its mismatch is below `least` times that of `flow`, else `flow`: [b, h, w, 2], px.

    images1, images2: [b, h, w, 3] in [0, 1]. flow, other: [b, h, w, 2], px. least: below 1, `other` must be clearly
    better. The mismatch at a pixel is the mean over a window of the census distance between image1 and image2, warped.
    Source: fusion of proposals by data cost, Lempitsky et al. 2008 (FusionFlow), here without smoothness.
    """
    chosen = _mismatch(images1, images2, other) < least * _mismatch(images1, images2, flow)  # [b, h, w, 1]
    return tf.where(chosen, other, flow)


def _mismatch(images1: tf.Tensor, images2: tf.Tensor, flow: tf.Tensor) -> tf.Tensor:
    distance = ops.census_distance(images1, ops.backward_warp(images2, flow, "border"), RADIUS)
    cells = tf.nn.avg_pool2d(distance, CELL, strides=CELL, padding="SAME")  # at the border: the part in the frame
    for window in ([CELLS, 1], [1, CELLS]):
        cells = tf.nn.avg_pool2d(cells, window, strides=1, padding="SAME")
    return tf.image.resize(cells, tf.shape(flow)[1:3])
