"""Random augmentation: pure functions of (sample, seed), so that any step of training can be repeated.

Geometry changes images, flow and masks together:

    import tensorflow as tf
    from tfflow.augmentation import ColourJitter, Crop, Flip, apply

    image1, image2 = tf.random.uniform([2, 90, 120, 3])
    sample = {"image1": image1, "image2": image2, "flow12": tf.zeros([90, 120, 2])}
    augmentations = [Crop((64, 96)), Flip(vertical=0.0), ColourJitter(brightness=0.4)]
    sample = apply(augmentations, sample, seed=tf.constant([7, 0]))
    sample["image1"]  # [64, 96, 3]
    sample["flow12"]  # [64, 96, 2]
"""

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
    """One augmentation: a frozen dataclass of its settings. A recipe keeps its `repr`.

    sample: dict of tensors [h, w, c], as in `tfflow.data`; seed: int32 [2]. Returns a new dict, which depends on the
    sample and the seed alone.
    """

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample: ...


def apply(augmentations: Iterable[Augmentation], sample: Sample, seed: tf.Tensor) -> Sample:
    """Applies all `augmentations` in order. Each gets its own seed, made from `seed` (int32 [2]) and its index."""
    for place, augmentation in enumerate(augmentations):
        sample = augmentation(sample, fold(seed, place))
    return sample
