"""The input of a loss term: frames, flows and masks of a batch in one direction or both."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.errors import InputError


@dataclass(frozen=True, eq=False)
class View:
    """n pairs of frames with their flow. If a phase trains both directions, n = 2 * b: all pairs 1->2, then all 2->1.

    image1, image2: [n, h, w, 3] RGB in [0, 1], before colour augmentation; h and w are those of the crop.
    flows12: the network's flows, fine to coarse, each [n, h', w', 2] in px of its grid; the first is [n, h, w, 2].
    visible1: [n, h, w, 1], 1 if the pixel is estimated to be visible in image2. No gradient.
    target12, target_mask: the target flow [n, h, w, 2] and its mask [n, h, w, 1]: ground truth and where it is valid,
        or a teacher's flow and its visibility. None if there is no target.
    flows21: the backward flows of the same pairs, as flows12; None in one-way training.
    image0: the frame before image1 (in the direction 2->1, the frame after it); None for networks of two frames.
    flows10, shares: outputs that not every network has, on the grids of flows12; else None. flows10 is the flow from
        image1 to image0. shares [n, h', w', 2], >= 0 with sum 1, states how much image2 (channel 0) and image0
        (channel 1) contribute to a pixel.
    second: the View of the second pass, over frames transformed by the phase's `second`; its target is the flow of the
        first pass under the same transformation. None if the phase has no second pass.
    truth: whether target12 is ground truth. `Objective` gives it only to terms with `needs_truth`.
    """

    image1: tf.Tensor
    image2: tf.Tensor
    flows12: tuple[tf.Tensor, ...]
    visible1: tf.Tensor
    target12: tf.Tensor | None = None
    target_mask: tf.Tensor | None = None
    flows21: tuple[tf.Tensor, ...] | None = None
    image0: tf.Tensor | None = None
    flows10: tuple[tf.Tensor, ...] | None = None
    shares: tuple[tf.Tensor, ...] | None = None
    second: View | None = None
    truth: bool = False

    @property
    def levels(self) -> tuple[int, ...]:
        """The level of each of flows12, named by its stride: 1 = full resolution, 4 = a quarter of it."""
        return tuple(self.flow12.shape[1] // flow.shape[1] for flow in self.flows12)

    def index(self, level: int) -> int:
        """The index of a level in flows12. Raises InputError if the network lacks it, so that no term is silently 0."""
        if level not in self.levels:
            raise InputError(f"a term uses the flow at 1/{level}, and this network has {level_names(self.levels)}")
        return self.levels.index(level)

    @functools.cached_property
    def without_truth(self) -> View:
        """The same without ground truth, for terms that learn without labels. A teacher's flow stays."""
        return dataclasses.replace(self, target12=None, target_mask=None, truth=False) if self.truth else self

    @property
    def target(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The target flow and its mask, without gradient. ValueError if there is none."""
        if self.target12 is None or self.target_mask is None:
            raise ValueError("this term needs a target flow: its phase needs a teacher, or a second pass")
        return tf.stop_gradient(self.target12), tf.stop_gradient(self.target_mask)

    @property
    def flow12(self) -> tf.Tensor:
        """Flow at full resolution, [n, h, w, 2]."""
        return self.flows12[0]

    @functools.cached_property
    def warped2(self) -> tf.Tensor:
        """image2 warped to image1 by the flow, [n, h, w, 3]; 0 outside the frame."""
        return ops.backward_warp(self.image2, self.flow12)

    @property
    def flow21(self) -> tf.Tensor:
        """Backward flow at full resolution, [n, h, w, 2]. ValueError in one-way training."""
        if self.flows21 is None:
            raise ValueError("this term compares both directions: its phase needs directions=2")
        return self.flows21[0]


def level_names(levels: Iterable[int]) -> str:
    """Levels by their strides: "1/1, 1/8"."""
    return ", ".join(f"1/{level}" for level in sorted(set(levels))) or "none"


OVER = ("visible", "all")


def mean_where(value: tf.Tensor, mask: tf.Tensor, over: str = "visible") -> tf.Tensor:
    """Mean of `value` [n, h, w, 1] over the pixels where `mask` [n, h, w, 1] is 1: [n]. An empty mask gives 0.

    over: "visible", or "all" to divide the same sum by the number of all pixels.
    """
    if over not in OVER:
        raise ValueError(f"`over` must be one of {', '.join(OVER)}, got {over!r}")
    if over == "all":
        return tf.reduce_mean(value * mask, axis=[1, 2, 3])
    total = tf.reduce_sum(value * mask, axis=[1, 2, 3])
    return total / (tf.reduce_sum(mask, axis=[1, 2, 3]) + 1e-6)
