"""The input of a loss term: frames, flows and masks of a batch, in one direction or both."""

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
    """n pairs seen from their first frame. Where both directions are trained, n = 2 * b: all 1->2, then all 2->1.

    image1, image2: [n, h, w, 3] RGB in [0, 1], h and w of the crop; before colour augmentation.
    flows12: the network's flows, fine to coarse, each [n, h', w', 2] in px of its grid; the first is [n, h, w, 2].
    visible1: [n, h, w, 1], 1 where the pixel is estimated to be visible in the second frame, too. Carries no gradient.
    flows21: the same pairs' flows12 seen from their second frame; None in one-way training.
    second: the network's second pass over the same frames, transformed as the phase's `second` says, with the flow of
        the first pass, transformed alike, to follow; None where there is none.
    target12, target_mask: a flow to follow and where: ground truth with its valid mask, or a teacher's flow with the
        teacher's visibility; [n, h, w, 2] and [n, h, w, 1]; None where there is none.
    truth: whether target12 is ground truth, which `Objective` hands to terms alone that declare `needs_truth`.
    image0: the frame before image1 (where time runs back: the one after it); None for networks of two frames.
    flows10, shares: further outputs of a network, on the grids of flows12: its flows to image0, and which of image2
        (channel 0) and image0 (channel 1) explains a pixel, [n, h', w', 2] >= 0 that add up to 1; None where it has no
        such output.
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
        """The stride of each of flows12: 1 = full resolution, 4 = a quarter of it. A level is named by its stride."""
        return tuple(self.flow12.shape[1] // flow.shape[1] for flow in self.flows12)

    def place(self, level: int) -> int:
        """Where the flow of a level stands in flows12. InputError where the network has no such level: no term is
        silently 0."""
        if level not in self.levels:
            raise InputError(f"a term judges the flow at 1/{level}, and this network has {named_levels(self.levels)}")
        return self.levels.index(level)

    @functools.cached_property
    def without_truth(self) -> View:
        """The same for terms that learn without labels: of a flow to follow, only what a teacher gave is left."""
        return dataclasses.replace(self, target12=None, target_mask=None, truth=False) if self.truth else self

    @property
    def target(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The flow to follow and where, without gradient. ValueError where there is none."""
        if self.target12 is None or self.target_mask is None:
            raise ValueError("this term follows a teacher's flow: its phase needs a teacher, or a second pass")
        return tf.stop_gradient(self.target12), tf.stop_gradient(self.target_mask)

    @property
    def flow12(self) -> tf.Tensor:
        """Flow at full resolution, [n, h, w, 2]."""
        return self.flows12[0]

    @functools.cached_property
    def warped2(self) -> tf.Tensor:
        """The second frame warped by the flow, which should match the first, [n, h, w, 3]; zero outside."""
        return ops.backward_warp(self.image2, self.flow12)

    @property
    def flow21(self) -> tf.Tensor:
        """Flow of the other direction at full resolution, [n, h, w, 2]. ValueError in one-way training."""
        if self.flows21 is None:
            raise ValueError("this term compares both directions: its phase needs directions=2")
        return self.flows21[0]


def named_levels(levels: Iterable[int]) -> str:
    """Levels by their strides: "1/1, 1/8"."""
    return ", ".join(f"1/{level}" for level in sorted(set(levels))) or "none"


OVER = ("visible", "all")


def mean_where(value: tf.Tensor, mask: tf.Tensor, over: str = "visible") -> tf.Tensor:
    """Mean of `value` [n, h, w, 1] over the pixels that `mask` [n, h, w, 1] uses: [n]. An empty mask gives 0.

    over "all": the same sum over the number of all pixels, used or not, so that occluded pixels make it smaller.
    """
    if over not in OVER:
        raise ValueError(f"`over` must be one of {', '.join(OVER)}, got {over!r}")
    if over == "all":
        return tf.reduce_mean(value * mask, axis=[1, 2, 3])
    total = tf.reduce_sum(value * mask, axis=[1, 2, 3])
    return total / (tf.reduce_sum(mask, axis=[1, 2, 3]) + 1e-6)
