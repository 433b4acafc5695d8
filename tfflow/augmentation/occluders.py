"""Artificial occluders in the student's second frame, so that it learns flow at occluded pixels."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.augmentation.random import fold, uniform
from tfflow.augmentation.sample import Sample

COVERED = "covered2"
"""Key of the student's second frame, [h, w, 3]."""


@dataclass(frozen=True)
class Superpixels:
    """Adds `covered2`: the second frame, with noise, uniform in [0, 1], in place of some superpixels.

    count: approximate number of superpixels. covered: (fewest, most) of them that are replaced. compactness: see
    `ops.superpixels`. It must follow the crop, because it needs static sizes.
    Source: Liu et al. 2019 (SelFlow), with the numbers of ARFlow's code.
    """

    count: int = 200
    covered: tuple[int, int] = (8, 16)
    compactness: float = 50.0

    def __post_init__(self) -> None:
        if len(self.covered) != 2 or not 0 < self.covered[0] <= self.covered[1] <= self.count:
            raise ValueError(f"`covered` must be (fewest, most), 1 to {self.count}, the count, got {self.covered}")

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample:
        image = tf.cast(sample.get("input2", sample["image2"]), tf.float32)
        labels, number = ops.superpixels(image, self.count, self.compactness)
        fewest, most = (min(n, number) for n in self.covered)
        how_many = fewest + tf.cast(uniform(fold(seed, 0)) * (most - fewest + 1), tf.int32)
        lots = uniform(fold(seed, 1), shape=(number,))
        drawn = lots <= tf.sort(lots)[how_many - 1]
        noise = uniform(fold(seed, 2), shape=image.shape)
        return {**sample, COVERED: tf.where(tf.gather(drawn, labels)[..., None], noise, image)}
