"""An objective at one level. Networks like FlowNet are trained at every level."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.losses.objective import Objective, Term
from tfflow.losses.view import View
from tfflow.losses.visibility import Visibility, needs_backward


@dataclass(frozen=True)
class AtLevel(Term):
    """The sum of `objective` on the grid of one level. Images, masks and the target flow are resized to it.

    stride: of the level, 1 = full resolution. Flow is in px of its grid.
    enlarged: the flow is first upsampled by this factor (ARFlow: 4).
    visibility: estimates occlusion from the flows of the level; None = the phase's mask, resized by averaging.
    Raises InputError if the network has no flow of this stride.
    Source: UnFlow and DSTFlow, with losses at 1/4 to 1/64; ARFlow.
    """

    stride: int
    objective: Objective
    visibility: Visibility | None = None
    enlarged: int = 1

    @property
    def needs_truth(self) -> bool:  # type: ignore[override]
        return self.objective.needs("truth")

    @property
    def needs_teacher(self) -> bool:  # type: ignore[override]
        return self.objective.needs("teacher")

    @property
    def needs_backward(self) -> bool:  # type: ignore[override]
        return self.objective.needs("backward") or needs_backward(self.visibility)

    @property
    def needs_outputs(self) -> frozenset[str]:
        return self.objective.needs_outputs

    @property
    def needs_levels(self) -> frozenset[int]:
        return frozenset((self.stride,))

    def __call__(self, view: View) -> tf.Tensor:
        return tf.add_n(list(self.objective(self._view(view, view.index(self.stride))).values()))

    def _view(self, view: View, index: int) -> View:
        coarse = view.flows12[index].shape[1:3]
        to = tuple(self.enlarged * n for n in coarse)
        flow12 = ops.resize_flow(view.flows12[index], to)
        flow21 = None if view.flows21 is None else ops.resize_flow(view.flows21[index], to)
        visible1 = self.visibility(flow12, flow21) if self.visibility else ops.resize_image(view.visible1, to)
        changed = View(
            image1=ops.resize_image(view.image1, to),
            image2=ops.resize_image(view.image2, to),
            flows12=(flow12,),
            visible1=visible1,
            flows21=None if flow21 is None else (flow21,),
            image0=None if view.image0 is None else ops.resize_image(view.image0, to),
            flows10=None if view.flows10 is None else (view.flows10[index],),
            shares=None if view.shares is None else (view.shares[index],),
        )
        if view.target12 is None or view.target_mask is None:
            return changed
        return dataclasses.replace(
            changed,
            target12=ops.resize_flow(view.target12, to),
            target_mask=ops.resize_image(view.target_mask, to),
            truth=view.truth,
        )
