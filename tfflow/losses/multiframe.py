"""Terms for three frames: image1 is reconstructed from the next and the previous frame. Janai et al. 2018."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.losses.objective import Objective, OfObjective, Term  # noqa: F401 (documentation reads Objective)
from tfflow.losses.penalties import Charbonnier, Penalty
from tfflow.losses.view import View


@dataclass(frozen=True)
class MultiFramePhotometric(Term):
    """Difference of image1 and each warped neighbour, weighted by its share; mean over pixels, RGB and neighbours.

    The shares state how much each neighbouring frame contributes to a pixel.
    brightness: weight of penalty(difference of colours). gradients: weight of penalty(difference of colour gradients
    to the right and lower neighbour). outside: the cost of a pixel whose target is outside the frame.
    hard: takes minus the flow to the next frame as the flow to the previous one; else the network's own flow is used.
    Needs three frames and a network with shares. Gradients flow to flows and shares.
    Source: Janai et al. 2018, OBCCriterion and OBGCCriterion of their code.
    """

    penalty: Penalty = Charbonnier(alpha=0.5)
    brightness: float = 1.0
    gradients: float = 0.0
    outside: float = 1.0
    hard: bool = True

    @property
    def needs_outputs(self) -> frozenset[str]:
        return frozenset(("shares",) if self.hard else ("shares", "flows10"))

    def __call__(self, view: View) -> tf.Tensor:
        shares, (image0, flow10) = shares_of(view), to_previous(view, self.hard)
        total = tf.zeros_like(shares[..., 0])
        for place, (image, flow) in enumerate(((view.image2, view.flow12), (image0, flow10))):
            cost = self._cost(view.image1, ops.backward_warp(image, flow, "border"))
            total += shares[..., place] * tf.where(ops.inside(flow)[..., 0] > 0, cost, self.outside)
        return tf.reduce_mean(total, axis=[1, 2]) / 6.0

    def _cost(self, image: tf.Tensor, warped: tf.Tensor) -> tf.Tensor:
        """[n, h, w]. The gradient of the last row and column is 0, since they have no neighbour."""
        cost = self.brightness * tf.reduce_sum(self.penalty(image - warped), axis=-1)
        if self.gradients:
            along_x, along_y = (a - b for a, b in zip(ops.differences(image), ops.differences(warped), strict=True))
            for change, missing in (
                (along_x, [[0, 0], [0, 0], [0, 1], [0, 0]]),
                (along_y, [[0, 0], [0, 1], [0, 0], [0, 0]]),
            ):
                cost += self.gradients * tf.reduce_sum(self.penalty(tf.pad(change, missing)), axis=-1)
        return cost


@dataclass(frozen=True)
class TwoShares(Term):
    """1 - product of the two shares, mean over pixels: 0.75 if both shares are 1/2, 1 if one of them is 0.

    This prior keeps the network from marking a pixel as occluded for a small difference.
    Source: Janai et al. 2018, OcclusionPriorCriterion of their code.
    """

    @property
    def needs_outputs(self) -> frozenset[str]:
        return frozenset(("shares",))

    def __call__(self, view: View) -> tf.Tensor:
        return tf.reduce_mean(1.0 - tf.reduce_prod(shares_of(view), axis=-1), axis=[1, 2])


@dataclass(frozen=True)
class ShareSmoothness(Term):
    """Squared differences of the shares of neighbouring pixels, summed over both shares, mean over pixels, x and y.

    edge: weight exp(-edge * mean over RGB of |difference of image1|). Source: Janai et al. 2018.
    """

    edge: float = 20.0

    @property
    def needs_outputs(self) -> frozenset[str]:
        return frozenset(("shares",))

    def __call__(self, view: View) -> tf.Tensor:
        changes = zip(ops.differences(shares_of(view)), ops.differences(view.image1), strict=True)
        costs = []
        for share, colour in changes:
            weight = tf.exp(-self.edge * tf.reduce_mean(tf.abs(colour), axis=-1))
            cost = weight * tf.reduce_sum(tf.square(share), axis=-1)  # [n, h', w']
            count = tf.cast(tf.shape(cost)[1] * tf.shape(cost)[2], tf.float32)
            costs.append(tf.math.divide_no_nan(tf.reduce_sum(cost, axis=[1, 2]), count))
        return 0.5 * tf.add_n(costs)


@dataclass(frozen=True)
class ConstantVelocity(Term):
    """Length of flow12 + flow10, px, mean over pixels; 0 for constant velocity. Source: Janai et al. 2018."""

    @property
    def needs_outputs(self) -> frozenset[str]:
        return frozenset(("flows10",))

    def __call__(self, view: View) -> tf.Tensor:
        _, flow10 = to_previous(view, hard=False)
        squared = tf.reduce_sum(tf.square(view.flow12 + flow10), axis=-1)
        return tf.reduce_mean(tf.sqrt(squared + 1e-12), axis=[1, 2])


@dataclass(frozen=True)
class Past(OfObjective):
    """`objective` of image1, image0 and the network's flow between them. All pixels count as visible."""

    @property
    def needs_outputs(self) -> frozenset[str]:
        return self.objective.needs_outputs | {"flows10"}

    def __call__(self, view: View) -> tf.Tensor:
        image0, _ = to_previous(view, hard=False)
        flows10 = view.flows10 or ()
        visible = tf.ones_like(view.visible1)
        past = dataclasses.replace(
            view, image2=image0, flows12=flows10, visible1=visible, flows21=None, target12=None, truth=False
        )
        return tf.add_n(list(self.objective(past).values()))


def shares_of(view: View) -> tf.Tensor:
    """The network's shares on the grid of flow12, [n, h, w, 2]. ValueError if it has none."""
    if view.shares is None:
        raise ValueError("this term needs a network that estimates shares, such as multiframe_hard")
    return view.shares[0]


def to_previous(view: View, hard: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """(image0, flow10). hard: flow10 is minus flow12; else the network's own. ValueError if one is missing."""
    if view.image0 is None:
        raise ValueError("this term needs a network of three frames: there is no `image0` in the view")
    if hard:
        return view.image0, -view.flow12
    if view.flows10 is None:
        raise ValueError("this term needs a network with a flow to the previous frame, such as multiframe_soft")
    return view.image0, view.flows10[0]
