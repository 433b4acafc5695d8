"""Census constancy: how a pixel compares with its neighbours stays the same when the light changes."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.losses.objective import Term
from tfflow.losses.penalties import AbsRobust, Penalty
from tfflow.losses.view import View, mean_where


@dataclass(frozen=True)
class Census(Term):
    """Mean over visible pixels of penalty(`ops.census_distance` of image1 and the warped image2).

    radius: px; the outer `radius` pixels, whose transform includes padding, do not count.
    over: "visible", or "all" to divide by the number of all pixels (UnFlow).
    Source: Meister et al. 2018 (UnFlow); DDFlow with radius 3.
    """

    radius: int = 3
    penalty: Penalty = AbsRobust()
    over: str = "visible"

    def __call__(self, view: View) -> tf.Tensor:
        distance = ops.census_distance(view.image1, view.warped2, self.radius)  # [n, h, w, 1]
        return mean_where(self.penalty(distance), view.visible1 * inner(view.visible1, self.radius), self.over)


def inner(like: tf.Tensor, border: int) -> tf.Tensor:
    """0 on a border of `border` px and 1 inside it, on the grid of `like` [n, h, w, c]: [1, h, w, 1]."""
    rows, columns = (
        (tf.range(n) >= border) & (tf.range(n) < n - border) for n in (tf.shape(like)[1], tf.shape(like)[2])
    )
    return tf.cast(rows[:, None] & columns, tf.float32)[None, :, :, None]
