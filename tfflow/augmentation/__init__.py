"""Random changes of a sample: pure functions of (sample, seed), so that any step of training can be repeated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import tensorflow as tf

from tfflow.augmentation.affine import Affine
from tfflow.augmentation.colour import ColourJitter, Lighting, Noise, PermuteChannels
from tfflow.augmentation.geometry import CentreCrop, Crop, Flip, SwapFrames
from tfflow.augmentation.occluders import Superpixels
from tfflow.augmentation.random import fold
from tfflow.augmentation.sample import Sample
from tfflow.augmentation.still import Still

__all__ = [
    "Affine",
    "Augmentation",
    "CentreCrop",
    "ColourJitter",
    "Crop",
    "Flip",
    "Lighting",
    "Noise",
    "PermuteChannels",
    "Sample",
    "Still",
    "Superpixels",
    "SwapFrames",
    "apply",
]


class Augmentation(Protocol):
    """What changes a sample: a frozen dataclass of its settings, whose `repr` a recipe keeps.

    sample: dict of tensors [h, w, c], as in `tfflow.data`; seed: int32 [2]. Returns a new dict. The same seed
    gives the same result; nothing else is random.
    """

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample: ...


def apply(augmentations: Iterable[Augmentation], sample: Sample, seed: tf.Tensor) -> Sample:
    """All `augmentations` in order, each with a seed of its own made from `seed` (int32 [2]) and its place."""
    for place, augmentation in enumerate(augmentations):
        sample = augmentation(sample, fold(seed, place))
    return sample
