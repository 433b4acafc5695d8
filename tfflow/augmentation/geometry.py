"""Crops, mirroring and reversed time, for images, flow and masks together."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow.augmentation.random import check_probability, fold, happens, uniform
from tfflow.augmentation.sample import FLOWS, MAPS, PARTNER, Sample, each_map, occlude_outside, resize, size


@dataclass(frozen=True)
class Crop:
    """Crops both frames to `size` (height, width) at the same random position.

    Smaller frames, and their flow, are first enlarged until they cover the crop; the aspect ratio stays. Pixels whose
    target is outside the crop stay valid and become occluded. Source: every method's training.
    """

    size: tuple[int, int]

    def __post_init__(self) -> None:
        _check_size(self.size)

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample:
        sample = _enlarged(sample, self.size)
        h, w = size(sample)
        return _cut(sample, *self._corner(h - self.size[0], w - self.size[1], seed), self.size)

    def _corner(self, bottom, right, seed: tf.Tensor) -> tuple[tf.Tensor | int, tf.Tensor | int]:
        """First row and column. bottom, right: the largest possible ones."""
        top = tf.cast(uniform(fold(seed, 0)) * tf.cast(bottom + 1, tf.float32), tf.int32)
        left = tf.cast(uniform(fold(seed, 1)) * tf.cast(right + 1, tf.float32), tf.int32)
        return top, left


@dataclass(frozen=True)
class CentreCrop(Crop):
    """Crops both frames to `size` (height, width) in the middle; else as `Crop`. It is not random."""

    def _corner(self, bottom, right, seed: tf.Tensor) -> tuple[tf.Tensor | int, tf.Tensor | int]:
        return bottom // 2, right // 2


@dataclass(frozen=True)
class Flip:
    """Mirrors both frames left to right (u changes sign) and upside down (v changes sign).

    horizontal, vertical: probabilities. For driving scenes take vertical=0. Source: DDFlow, both 0.5.
    """

    horizontal: float = 0.5
    vertical: float = 0.5

    def __post_init__(self) -> None:
        check_probability(horizontal=self.horizontal, vertical=self.vertical)

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample:
        sample = _mirrored(sample, 1, happens(fold(seed, 0), self.horizontal))
        return _mirrored(sample, 0, happens(fold(seed, 1), self.vertical))


@dataclass(frozen=True)
class SwapFrames:
    """Reverses time with `probability`: image1 and image2 change places, and so do flow12 and flow21.

    Samples with ground truth in one direction alone keep their order. Source: ARFlow.
    """

    probability: float = 0.5

    def __post_init__(self) -> None:
        check_probability(probability=self.probability)

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample:
        maps = [key for key in sample if key in MAPS]
        if any(PARTNER[key] not in sample for key in maps):
            return sample
        backwards = happens(seed, self.probability)
        return {
            key: tf.where(backwards, sample[PARTNER[key]], sample[key]) if key in maps else sample[key]
            for key in sample
        }


def _check_size(size: tuple[int, int]) -> None:
    if len(size) != 2 or any(n < 1 for n in size):
        raise ValueError(f"`size` must be (height, width) of at least one pixel each, got {size}")


def _enlarged(sample: Sample, window: tuple[int, int]) -> Sample:
    """The sample, enlarged if it is smaller than the window."""
    h, w = size(sample)
    known = isinstance(h, int) and isinstance(w, int)
    if known and h >= window[0] and w >= window[1]:
        return sample
    rows, columns = tf.cast(h, tf.float32), tf.cast(w, tf.float32)
    scale = tf.maximum(window[0] / rows, window[1] / columns)
    to = (
        tf.maximum(window[0], tf.cast(tf.round(rows * scale), tf.int32)),
        tf.maximum(window[1], tf.cast(tf.round(columns * scale), tf.int32)),
    )
    if known:
        return resize(sample, to)
    maps = {key: tf.cast(value, tf.float32) for key, value in sample.items() if key in MAPS}
    return {**sample, **tf.cond(scale > 1, lambda: resize(maps, to), lambda: dict(maps))}


def _cut(sample: Sample, top: tf.Tensor | int, left: tf.Tensor | int, window: tuple[int, int]) -> Sample:
    h, w = window

    def cut(x: tf.Tensor) -> tf.Tensor:
        return tf.ensure_shape(x[top : top + h, left : left + w], [h, w, x.shape[-1]])

    return occlude_outside(each_map(sample, cut))


def _mirrored(sample: Sample, axis: int, now: tf.Tensor) -> Sample:
    """If `now`, reverses rows (axis 0) or columns (axis 1), and the sign of the flow along that axis."""
    turned = each_map(sample, lambda x: tf.cond(now, lambda: tf.reverse(x, [axis]), lambda: x))
    sign = tf.where(now, [-1.0, 1.0] if axis == 1 else [1.0, -1.0], [1.0, 1.0])
    return {key: value * sign if key in FLOWS else value for key, value in turned.items()}
