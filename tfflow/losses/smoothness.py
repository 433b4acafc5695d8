"""Smoothness of the flow, except across edges of the image."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.losses.objective import Term
from tfflow.losses.penalties import Charbonnier, Penalty
from tfflow.losses.view import View


@dataclass(frozen=True)
class Smoothness(Term):
    """Penalty of the differences of the flow, summed over u and v, mean over pixels and over x and y.

    order: 1, for which a constant flow costs nothing, or 2, for which an affine flow costs nothing.
    edge: weight exp(-edge * mean over RGB of |difference of image1|); 0 = no edges. Source: UFlow's edge constant.
    finest: takes the flow of the finest level that the network computes, and resizes the image to it; else the flow at
        full resolution.
    diagonals: also along both diagonals, mean over all four directions (UnFlow's second order). `edge` must be 0.
    relative: divides the flow, px, by the smaller side of its grid (ARFlow).
    """

    order: int = 1
    penalty: Penalty = Charbonnier(alpha=0.5)
    edge: float = 0.0
    finest: bool = False
    diagonals: bool = False
    relative: bool = False

    def __post_init__(self) -> None:
        if self.diagonals and self.edge:
            raise ValueError("smoothness along diagonals takes no edges: leave `edge` at 0")

    def __call__(self, view: View) -> tf.Tensor:
        flow = view.flows12[min(1, len(view.flows12) - 1) if self.finest else 0]
        if self.relative:
            flow /= min(flow.shape[1:3])
        if self.diagonals:
            changes = (*ops.differences(flow, self.order), *ops.diagonal_differences(flow, self.order))
            return sum(0.25 * self._along(change, change) for change in changes)
        image = ops.resize_image(view.image1, flow.shape[1:3])
        return sum(
            0.5 * self._along(flow_change, image_change)
            for flow_change, image_change in zip(
                ops.differences(flow, self.order), ops.differences(image, 1), strict=True
            )
        )

    def _along(self, flow_change: tf.Tensor, image_change: tf.Tensor) -> tf.Tensor:
        cost = tf.reduce_sum(self.penalty(flow_change), axis=-1)  # [n, h', w']
        if self.edge:
            # the second difference at i + 1 spans the edges (i, i + 1) and (i + 1, i + 2); the first one counts
            image_change = image_change[:, : cost.shape[1], : cost.shape[2]]
            cost *= tf.exp(-self.edge * tf.reduce_mean(tf.abs(image_change), axis=-1))
        # a coarse level of a small crop may have a single pixel
        count = tf.cast(tf.shape(cost)[1] * tf.shape(cost)[2], tf.float32)
        return tf.math.divide_no_nan(tf.reduce_sum(cost, axis=[1, 2]), count)
