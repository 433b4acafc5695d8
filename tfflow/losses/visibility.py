"""Estimates which pixels of frame 1 are visible in frame 2: masks [n, h, w, 1], 1 = visible, without gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import tensorflow as tf

from tfflow import ops
from tfflow.losses.census import inner


class Visibility(Protocol):
    """(flow12, flow21), each [n, h, w, 2] in px -> visible1 [n, h, w, 1]. flow21 is None in one-way training.

    One with `needs_backward = True` needs flow21: a phase of one direction refuses it.
    """

    def __call__(self, flow12: tf.Tensor, flow21: tf.Tensor | None) -> tf.Tensor: ...


def needs_backward(visibility: Visibility | None) -> bool:
    """Whether it compares the flows of both directions."""
    return getattr(visibility, "needs_backward", False)


@dataclass(frozen=True)
class Everywhere:
    """All pixels count as visible."""

    def __call__(self, flow12, flow21):
        return tf.ones_like(flow12[..., :1])


@dataclass(frozen=True)
class Inside:
    """Pixels whose target lies inside the frame.

    border: width of a border where all pixels count as occluded, as a share of the smaller side. Source: the border
    mask of Back to Basics, 0.1.
    """

    border: float = 0.0

    def __call__(self, flow12, flow21):
        visible1 = ops.inside(flow12)
        if self.border:
            visible1 *= inner(flow12, round(self.border * min(flow12.shape[1:3])))
        return tf.stop_gradient(visible1)


@dataclass(frozen=True)
class ForwardBackward:
    """Pixels that pass the forward-backward check: |f + b|**2 <= alpha1 (|f|**2 + |b|**2) + alpha2, in px.

    f is the forward flow, b the backward flow at its target. outside: b for targets outside the frame. "zero": 0, so a
    pixel that moves more than 0.71 px outside is occluded; "border": b of the nearest pixel (UnFlow).
    Source: Sundaram et al. 2010; UnFlow, DDFlow, ARFlow.
    """

    alpha1: float = 0.01
    alpha2: float = 0.5
    outside: str = "zero"
    needs_backward = True

    def __call__(self, flow12, flow21):
        back = ops.backward_warp(flow21, flow12, self.outside)
        gap = _squared(flow12 + back)
        visible1 = gap <= self.alpha1 * (_squared(flow12) + _squared(back)) + self.alpha2
        return tf.stop_gradient(tf.cast(visible1, tf.float32))


@dataclass(frozen=True)
class RangeMap:
    """The range map of the backward flow, clipped to 1.

    threshold: the mask is 1 where the range map is at least this, else 0; None = no threshold.
    Source: Wang et al. 2018 (Occlusion Aware); with a threshold, ARFlow and UFlow ("wangthres").
    """

    threshold: float | None = None
    needs_backward = True

    def __call__(self, flow12, flow21):
        reached = ops.range_map(flow21)
        if self.threshold is not None:
            return tf.stop_gradient(tf.cast(reached >= self.threshold, tf.float32))
        return tf.stop_gradient(tf.clip_by_value(reached, 0.0, 1.0))


@dataclass(frozen=True)
class Confidence:
    """exp(-|f + b|**2 / (sigma**2 (h**2 + w**2))) inside the frame, 0 outside: a soft mask.

    f is the forward flow, b the backward flow at its target. sigma: share of the frame's diagonal; a residual |f + b|
    of this length gives 1 / e.
    Source: Jonschkowski et al. 2020 (UFlow), eq. 7 and 8.
    """

    sigma: float
    needs_backward = True

    def __call__(self, flow12, flow21):
        gap = _squared(flow12 + ops.backward_warp(flow21, flow12))
        h, w = flow12.shape[1:3]
        return tf.stop_gradient(tf.exp(-gap / (self.sigma**2 * (h**2 + w**2))) * ops.inside(flow12))


@dataclass(frozen=True)
class Both:
    """Pixels that both estimates mark as visible: the product of the masks."""

    first: Visibility
    second: Visibility

    @property
    def needs_backward(self) -> bool:
        return needs_backward(self.first) or needs_backward(self.second)

    def __call__(self, flow12, flow21):
        return self.first(flow12, flow21) * self.second(flow12, flow21)


def _squared(flow: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(flow), axis=-1, keepdims=True)
