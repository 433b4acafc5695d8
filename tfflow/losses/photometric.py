"""Brightness and gradient constancy: the warped second frame has the colours and gradients of the first."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.losses.objective import Term
from tfflow.losses.penalties import AbsRobust, Charbonnier, Penalty
from tfflow.losses.view import View, mean_where


@dataclass(frozen=True)
class Photometric(Term):
    """Sum over RGB of penalty(image1 - warped image2), mean over visible pixels."""

    penalty: Penalty = AbsRobust()

    def __call__(self, view: View) -> tf.Tensor:
        cost = tf.reduce_sum(self.penalty(view.image1 - view.warped2), axis=-1, keepdims=True)
        return mean_where(cost, view.visible1)


@dataclass(frozen=True)
class GradientConstancy(Term):
    """Sum over RGB, x and y of penalty(gradient of image1 - gradient of warped image2), mean over visible pixels.

    The gradient of a pixel is its difference from the right or lower neighbour. A constant change of brightness costs
    nothing. Source: Brox et al. 2004, eq. 2.
    """

    penalty: Penalty = Charbonnier(alpha=0.5)

    def __call__(self, view: View) -> tf.Tensor:
        slopes = zip(ops.differences(view.image1), ops.differences(view.warped2), strict=True)
        return sum(self._along(slope1 - slope2, view.visible1) for slope1, slope2 in slopes)

    def _along(self, change: tf.Tensor, visible1: tf.Tensor) -> tf.Tensor:
        cost = tf.reduce_sum(self.penalty(change), axis=-1, keepdims=True)  # [n, h', w', 1]
        return mean_where(cost, visible1[:, : cost.shape[1], : cost.shape[2]])
