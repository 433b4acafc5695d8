"""Pairs without motion, some of them without texture, so that the network learns zero flow."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow.augmentation.random import check_probability, fold, happens, uniform
from tfflow.augmentation.sample import FLOWS, IMAGES, INPUTS, MASKS, Sample


@dataclass(frozen=True)
class Still:
    """With `probability`, frame 2 becomes a copy of frame 1, and all flow 0.

    flat: share of these pairs that lose their contrast: 0 to 1/20 of it is left, around one grey level, rounded to
    steps of 1/255. The level is black in every third of them.
    """

    probability: float = 0.05
    flat: float = 0.5

    def __post_init__(self) -> None:
        check_probability(probability=self.probability, flat=self.flat)

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample:
        still, flat = happens(fold(seed, 0), self.probability), happens(fold(seed, 1), self.flat)
        contrast = tf.maximum(uniform(fold(seed, 2), -0.05, 0.05), 0.0)
        level = tf.maximum(uniform(fold(seed, 3), -0.5, 1.0), 0.0)

        def copied(image1: tf.Tensor) -> tf.Tensor:
            faint = tf.round(tf.clip_by_value(level + contrast * (image1 - 0.5), 0.0, 1.0) * 255) / 255
            return tf.where(flat, faint, image1)

        changed = dict(sample)
        for keys in (IMAGES, INPUTS):
            for key in keys:
                if key in sample:
                    changed[key] = tf.where(still, copied(sample[keys[0]]), sample[key])
        for key in FLOWS:
            if key in sample:
                changed[key] = tf.where(still, tf.zeros_like(sample[key]), sample[key])
        for key in MASKS:
            if key in sample:
                changed[key] = tf.where(still, tf.ones_like(sample[key]), sample[key])
        return changed
