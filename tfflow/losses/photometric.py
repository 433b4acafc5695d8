"""Brightness constancy: the warped second frame looks like the first."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow.losses.objective import Term
from tfflow.losses.penalties import AbsRobust, Penalty
from tfflow.losses.view import View, mean_where


@dataclass(frozen=True)
class Photometric(Term):
    """Sum over RGB of penalty(image1 - warped image2), mean over visible pixels."""

    penalty: Penalty = AbsRobust()

    def __call__(self, view: View) -> tf.Tensor:
        cost = tf.reduce_sum(self.penalty(view.image1 - view.warped2), axis=-1, keepdims=True)
        return mean_where(cost, view.visible1)
