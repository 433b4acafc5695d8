"""Terms on the agreement of forward and backward flow, and on targets outside the frame."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.losses.objective import Term
from tfflow.losses.penalties import Charbonnier, Penalty
from tfflow.losses.view import View, mean_where


@dataclass(frozen=True)
class Consistency(Term):
    """Sum over u and v of penalty(flow12 + flow21 at its target), mean over visible pixels.

    It penalises the forward-backward residual. Gradients flow to both flows.
    over: "visible", or "all" to divide by the number of all pixels. Needs both directions.
    Source: Meister et al. 2018 (UnFlow), eq. 6.
    """

    penalty: Penalty = Charbonnier(alpha=0.45)
    over: str = "visible"
    needs_backward = True

    def __call__(self, view: View) -> tf.Tensor:
        gap = view.flow12 + ops.backward_warp(view.flow21, view.flow12, outside="border")
        cost = tf.reduce_sum(self.penalty(gap), axis=-1, keepdims=True)
        return mean_where(cost, view.visible1, self.over)


@dataclass(frozen=True)
class OcclusionPenalty(Term):
    """Mean over all pixels of penalty(1 - visible1): a constant cost for each occluded pixel.

    Masks carry no gradient, so this term trains nothing (UnFlow, issue 8). It only keeps the value of the objective
    from falling if many pixels are marked as occluded.
    Source: Meister et al. 2018 (UnFlow), eq. 2, lambda_p.
    """

    penalty: Penalty = Charbonnier(alpha=0.45)

    def __call__(self, view: View) -> tf.Tensor:
        return tf.reduce_mean(self.penalty(1.0 - view.visible1), axis=[1, 2, 3])


@dataclass(frozen=True)
class OutOfFrame(Term):
    """Half the squared distance of the target from the frame, px**2, mean over the pixels whose target is outside.

    The photometric terms give such pixels no gradient: outside the frame the warped image is constant.
    Source: Ren et al. 2017 (DSTFlow), their layer STLoss.
    """

    def __call__(self, view: View) -> tf.Tensor:
        h, w = view.flow12.shape[1:3]
        x = view.flow12[..., 0] + tf.range(w, dtype=tf.float32)
        y = view.flow12[..., 1] + tf.range(h, dtype=tf.float32)[:, None]
        beyond = tf.square(_beyond(x, w)) + tf.square(_beyond(y, h))  # [n, h, w]
        return mean_where(0.5 * beyond[..., None], tf.cast(beyond > 0, tf.float32)[..., None])


def _beyond(place: tf.Tensor, length: int) -> tf.Tensor:
    """Distance of coordinates from [0, length - 1]."""
    return tf.nn.relu(-place) + tf.nn.relu(place - float(length - 1))
