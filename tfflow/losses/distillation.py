"""Terms that compare the flow with a target flow: that of a teacher, or of a first pass."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.losses.objective import Objective, OfObjective, Term  # noqa: F401 (documentation reads Objective)
from tfflow.losses.penalties import AbsRobust, Charbonnier, Penalty
from tfflow.losses.view import View, mean_where
from tfflow.losses.visibility import Confidence


@dataclass(frozen=True)
class Distillation(Term):
    """Sum over u and v of penalty(student's flow - teacher's flow), mean over the mask M_f.

    M_f holds the pixels that are visible for the teacher and occluded for the student, because their match lies
    outside the student's crop. Needs `view.target12` and `view.target_mask` of a teacher.
    Source: Liu et al. 2019 (DDFlow), eq. 5 and 6.
    """

    penalty: Penalty = AbsRobust()
    needs_teacher = True

    def __call__(self, view: View) -> tf.Tensor:
        flow, visible = view.target
        newly_occluded = tf.clip_by_value(visible - view.visible1, 0.0, 1.0)
        cost = tf.reduce_sum(self.penalty(flow - view.flow12), axis=-1, keepdims=True)
        return mean_where(cost, tf.stop_gradient(newly_occluded))


@dataclass(frozen=True)
class PyramidDistillation(Term):
    """Sum over u and v of penalty(finest flow - flow of a level), px of the image, mean over visible pixels.

    The finest flow is resized to the level, and gets no gradient: the level learns what finer ones corrected.
    stride: of the level. Raises InputError if the network has no flow of this stride.
    Source: Luo et al. 2021 (UPFlow), pyramid distillation, there of all levels.
    """

    stride: int
    penalty: Penalty = AbsRobust()

    @property
    def needs_levels(self) -> frozenset[int]:
        return frozenset((self.stride,))

    def __call__(self, view: View) -> tf.Tensor:
        flow = view.flows12[view.index(self.stride)]
        to = flow.shape[1:3]
        finest = tf.stop_gradient(ops.resize_flow(view.flow12, to))
        cost = tf.reduce_sum(self.penalty(self.stride * (finest - flow)), axis=-1, keepdims=True)
        return mean_where(cost, ops.resize_image(view.visible1, to))


@dataclass(frozen=True)
class TargetFlow(Term):
    """Sum over u and v of penalty(flow - target flow), mean over the pixels where the target's mask is 1.

    Needs `view.target12` and `view.target_mask`, which carry no gradient. Source: Liu et al. 2020 (ARFlow), eq. 5.
    """

    penalty: Penalty = AbsRobust()
    needs_teacher = True

    def __call__(self, view: View) -> tf.Tensor:
        flow, used = view.target
        cost = tf.reduce_sum(self.penalty(flow - view.flow12), axis=-1, keepdims=True)
        return mean_where(cost, used)


@dataclass(frozen=True)
class SecondPass(OfObjective):
    """The sum of `objective` on the second pass over transformed frames.

    The target is the flow of the first pass under the same transformation. Needs a phase with `second`.
    Source: Liu et al. 2020 (ARFlow), "learning by analogy".
    """

    needs_second = True

    def __call__(self, view: View) -> tf.Tensor:
        if view.second is None:
            raise ValueError("this term uses a second pass: its phase needs `second`, a Transformed")
        return tf.add_n(list(self.objective(view.second).values()))


@dataclass(frozen=True)
class SelfSupervision(Term):
    """Sum over u and v of penalty(teacher's flow - student's flow), times w_t * (1 - w_s), mean over all pixels.

    w_t: the confidence in the teacher's flow, `view.target_mask`; the phase's `trust` should be a narrow Confidence.
    w_s: `confidence` of the student's own flows. So a pixel counts if the teacher passes the forward-backward check
    and the student does not. No gradient flows to the two weights or the teacher. Needs both directions.
    Source: Jonschkowski et al. 2020 (UFlow), eq. 6.
    """

    confidence: Confidence = Confidence(0.03)
    penalty: Penalty = Charbonnier(alpha=0.5)
    needs_teacher = True
    needs_backward = True

    def __call__(self, view: View) -> tf.Tensor:
        unsure = 1.0 - self.confidence(view.flow12, view.flow21)
        flow, trust = view.target
        cost = tf.reduce_sum(self.penalty(flow - view.flow12), axis=-1, keepdims=True)
        return mean_where(cost, trust * unsure, over="all")
