"""Augmentation of light, colour and noise, for the network alone or also for the losses.

inputs_only: True changes input1 and input2, the frames that the network gets; they are made from image1 and image2 if
    they are missing. The losses then compare unchanged frames, as in UFlow and UnFlow. False changes image1 and image2,
    and input1 and input2 if there are any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from tfflow.augmentation.random import (
    check_not_negative,
    check_probability,
    check_range,
    fold,
    happens,
    normal,
    uniform,
)
from tfflow.augmentation.sample import IMAGES, INPUTS, Sample, frame_of

# Principal axes of ImageNet's colours (rows: R, G, B), and the standard deviations along them. Source: Krizhevsky et
# al. 2012, 4.1.
AXES = [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
DEVIATIONS = [0.2175, 0.0188, 0.0045]
GREY = [0.2989, 0.5870, 0.1140]  # shares of red, green and blue
PERMUTATIONS = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]


@dataclass(frozen=True)
class PermuteChannels:
    """Permutes red, green and blue at random, the same for both frames. Source: DDFlow, data_augmentation."""

    inputs_only: bool = False

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample:
        order = tf.gather(PERMUTATIONS, _one_of(seed, len(PERMUTATIONS)))
        return _change(sample, self.inputs_only, lambda image, frame: tf.gather(image, order, axis=-1))


@dataclass(frozen=True)
class ColourJitter:
    """Brightness, contrast and saturation in random order, then hue, single channels and gamma; clipped to [0, 1].

    brightness, contrast, saturation, channels: b, for a factor drawn from [1 - b, 1 + b]. Contrast is relative to the
    mean grey of both frames, saturation to the grey of each pixel. channels: a factor each for red, green and blue.
    hue: largest rotation, in turns, from 0 to 0.5. gamma: (low, high) of the exponent.
    asymmetric: probability that each frame draws its own numbers, as for shadows and changes of exposure.
    Source: SpyNet (0.4, 0.4, 0.4); UnFlow (contrast 0.3, channels 0.1, gamma 0.7-1.5); UFlow (hue 0.5).
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    channels: float = 0.0
    gamma: tuple[float, float] = (1.0, 1.0)
    asymmetric: float = 0.0
    inputs_only: bool = False

    def __post_init__(self) -> None:
        factors = {name: getattr(self, name) for name in ("brightness", "contrast", "saturation", "channels")}
        check_probability(asymmetric=self.asymmetric)
        check_not_negative(hue=self.hue, **factors)
        for name, value in factors.items():
            if value > 1:
                raise ValueError(f"`{name}` must be at most 1, so that no factor is negative, got {value}")
        if self.hue > 0.5:
            raise ValueError(f"`hue` must be at most 0.5, half a turn, got {self.hue}")
        check_range(gamma=self.gamma)

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample:
        apart = happens(fold(seed, 0), self.asymmetric)
        seeds = {1: fold(seed, 1), 2: tf.where(apart, fold(seed, 2), fold(seed, 1))}
        seeds |= {frame: seeds[near] for frame, near in ((0, 1), (3, 2))}
        first, second = (tf.cast(sample[key], tf.float32) for key in _start(sample, self.inputs_only))
        mean = (tf.reduce_mean(_grey(first)) + tf.reduce_mean(_grey(second))) / 2
        return _change(sample, self.inputs_only, lambda image, frame: self._jitter(image, mean, seeds[frame]))

    def _jitter(self, image: tf.Tensor, mean: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        if self.brightness or self.contrast or self.saturation:
            matrix, offset = self._mix(mean, seed)
            image = tf.clip_by_value(tf.einsum("hwj,ij->hwi", image, matrix) + offset, 0.0, 1.0)
        if self.hue:
            image = tf.image.adjust_hue(image, uniform(fold(seed, 4), -self.hue, self.hue))
        if self.channels:
            image *= uniform(fold(seed, 5), 1 - self.channels, 1 + self.channels, (3,))
        if self.gamma != (1.0, 1.0):
            image = tf.pow(tf.clip_by_value(image, 0.0, 1.0), uniform(fold(seed, 6), *self.gamma))
        return tf.clip_by_value(image, 0.0, 1.0)

    def _mix(self, mean: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Brightness, contrast and saturation in random order, composed to one affine map of colours [3, 3], [3]."""
        bright, contrast, saturated = (
            uniform(fold(seed, place), 1 - width, 1 + width)
            for place, width in enumerate((self.brightness, self.contrast, self.saturation))
        )
        same, grey = tf.eye(3), tf.ones([3, 1]) * GREY
        matrices = tf.stack([bright * same, contrast * same, saturated * same + (1 - saturated) * grey])
        offsets = tf.stack([0.0, (1 - contrast) * mean, 0.0])
        order = tf.gather(PERMUTATIONS, _one_of(fold(seed, 3), len(PERMUTATIONS)))
        matrix, offset = same, tf.zeros([3])
        for turn in range(3):
            step = matrices[order[turn]]
            matrix, offset = tf.matmul(step, matrix), tf.linalg.matvec(step, offset) + offsets[order[turn]]
        return matrix, offset


@dataclass(frozen=True)
class Lighting:
    """Adds a random offset along each principal colour axis, the same for both frames.

    strength: standard deviation of the offset, in units of that of ImageNet's colours. SpyNet takes 0.1.
    Source: Krizhevsky et al. 2012, section 4.1.
    """

    strength: float = 0.1
    inputs_only: bool = False

    def __post_init__(self) -> None:
        check_not_negative(strength=self.strength)

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample:
        step = self.strength * normal(seed, (3,)) * DEVIATIONS
        change = tf.linalg.matvec(tf.constant(AXES), step)  # [3]
        return _change(sample, self.inputs_only, lambda image, frame: tf.clip_by_value(image + change, 0.0, 1.0))


@dataclass(frozen=True)
class Noise:
    """Adds independent noise to every pixel of every frame, and clips to [0, 1].

    kind: "gaussian" draws the standard deviation from [0, sigma] for each sample (sigma: ARFlow 0.04, UFlow 0.02);
    "positive" is uniform in [0, sigma] (SpyNet 0.1).
    """

    sigma: float
    kind: str = "gaussian"
    inputs_only: bool = False

    def __post_init__(self) -> None:
        check_not_negative(sigma=self.sigma)
        if self.kind not in ("gaussian", "positive"):
            raise ValueError(f'`kind` must be "gaussian" or "positive", got {self.kind!r}')

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample:
        sigma = uniform(fold(seed, 0), 0.0, self.sigma)

        def noisy(image: tf.Tensor, frame: int) -> tf.Tensor:
            own = fold(seed, frame or 4)  # 0 is that of the standard deviation
            shape = tf.shape(image)
            noise = uniform(own, 0.0, self.sigma, shape) if self.kind == "positive" else sigma * normal(own, shape)
            return tf.clip_by_value(image + noise, 0.0, 1.0)

        return _change(sample, self.inputs_only, noisy)


def _start(sample: Sample, inputs_only: bool) -> tuple[str, ...]:
    return (INPUTS if inputs_only and INPUTS[0] in sample else IMAGES)[:2]


def _change(sample: Sample, inputs_only: bool, change: Callable[[tf.Tensor, int], tf.Tensor]) -> Sample:
    """Applies change(image, frame) to the images that `inputs_only` selects."""
    changed = dict(sample)
    if inputs_only:
        for image, seen in zip(IMAGES, INPUTS, strict=True):
            if image in sample:
                changed.setdefault(seen, sample[image])
    for key in INPUTS if inputs_only else IMAGES + INPUTS:
        if key in changed:
            shape = changed[key].shape
            changed[key] = tf.ensure_shape(change(tf.cast(changed[key], tf.float32), frame_of(key)), shape)
    return changed


def _one_of(seed: tf.Tensor, count: int) -> tf.Tensor:
    return tf.minimum(tf.cast(uniform(seed) * count, tf.int32), count - 1)


def _grey(image: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(image * GREY, axis=-1)
