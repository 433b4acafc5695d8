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
    """Mean over visible inner pixels of penalty(`ops.census_distance` of image1 and the warped image2).

    The outer `radius` pixels, where the transform sees padding, do not count. over: "visible", or "all" to divide by
    every pixel of the frame (UnFlow). Source: Meister et al. 2018 (UnFlow); DDFlow with radius 3.
    """

    radius: int = 3
    penalty: Penalty = AbsRobust()
    over: str = "visible"

    def __call__(self, view: View) -> tf.Tensor:
        distance = ops.census_distance(view.image1, view.warped2, self.radius)  # [n, h, w, 1]
        return mean_where(self.penalty(distance), view.visible1 * inner(view.visible1, self.radius), self.over)


def inner(like: tf.Tensor, border: int) -> tf.Tensor:
    """1 but for a border of so many px, on the grid of `like` [n, h, w, c]: [1, h, w, 1]; all border where small."""
    rows, columns = (
        (tf.range(n) >= border) & (tf.range(n) < n - border) for n in (tf.shape(like)[1], tf.shape(like)[2])
    )
    return tf.cast(rows[:, None] & columns, tf.float32)[None, :, :, None]
