"""Census constancy: the order of brightness around a pixel stays, whatever the light does."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.losses.objective import Term
from tfflow.losses.penalties import AbsRobust, Penalty
from tfflow.losses.view import View, mean_where


@dataclass(frozen=True)
class Census(Term):
    """Soft Hamming distance of the census transforms, mean of penalty(distance) over visible inner pixels.

    distance = sum over neighbours of d**2 / (0.1 + d**2), d the difference of the transforms. The outer `radius`
    pixels, where the transform sees padding, do not count. Source: Meister et al. 2018; DDFlow with radius 3.
    """

    radius: int = 3
    penalty: Penalty = AbsRobust()

    def __call__(self, view: View) -> tf.Tensor:
        census1 = ops.census_transform(view.image1, self.radius)
        census2 = ops.census_transform(view.warped2, self.radius)
        d2 = tf.square(census1 - census2)
        distance = tf.reduce_sum(d2 / (0.1 + d2), axis=-1, keepdims=True)  # [n, h, w, 1]
        return mean_where(self.penalty(distance), view.visible1 * inner(view.visible1, self.radius))


def inner(like: tf.Tensor, border: int) -> tf.Tensor:
    """1 but for a border of so many px, on the grid of `like` [n, h, w, c]: [1, h, w, 1]."""
    h, w = tf.shape(like)[1], tf.shape(like)[2]
    ones = tf.ones([1, h - 2 * border, w - 2 * border, 1])
    return tf.pad(ones, [[0, 0], [border, border], [border, border], [0, 0]])
