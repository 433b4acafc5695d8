"""Endpoint error against ground truth, at one level or several."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import tensorflow as tf

from tfflow.losses.objective import Term
from tfflow.losses.view import View


@dataclass(frozen=True)
class MultiscaleEPE(Term):
    """Weighted sum over levels of the endpoint error, summed over pixels, in units of `unit` px of full resolution.

    weights: pairs of (stride of the level, weight). The ground truth is resized to each level by averaging.
    power: exponent of a pixel's error; below 1, large errors count less.
    Raises InputError if the network lacks one of the levels.
    Source: Dosovitskiy et al. 2015; PWC-Net's weights and power, Sun et al. 2018, eq. 3 and 4.
    """

    weights: tuple[tuple[int, float], ...] = ((4, 0.005), (8, 0.01), (16, 0.02), (32, 0.08), (64, 0.32))
    unit: float = 20.0
    power: float = 1.0
    needs_truth = True

    @property
    def needs_levels(self) -> frozenset[int]:
        return frozenset(stride for stride, _ in self.weights)

    def on_levels(self, levels: frozenset[int]) -> MultiscaleEPE | None:
        left = tuple((stride, weight) for stride, weight in self.weights if stride in levels)
        return dataclasses.replace(self, weights=left) if left else None

    def __call__(self, view: View) -> tf.Tensor:
        total = tf.zeros(tf.shape(view.flow12)[:1])
        for stride, weight in self.weights:
            error, known = level_error(view, view.flows12[view.index(stride)])
            error = error if self.power == 1 else (error + 0.01) ** self.power
            total += weight * tf.reduce_sum(error * known, axis=[1, 2]) * stride / self.unit
        return total


@dataclass(frozen=True)
class LevelEPE(Term):
    """Mean endpoint error at the level of this stride, in px of that level.

    Source: Ranjan and Black 2017, eq. 3. They train one level after the other.
    """

    stride: int
    needs_truth = True

    @property
    def needs_levels(self) -> frozenset[int]:
        return frozenset((self.stride,))

    def __call__(self, view: View) -> tf.Tensor:
        error, known = level_error(view, view.flows12[view.index(self.stride)])
        return tf.reduce_sum(error * known, axis=[1, 2]) / (tf.reduce_sum(known, axis=[1, 2]) + 1e-6)


@dataclass(frozen=True)
class EndpointError(Term):
    """Mean endpoint error at full resolution, in px."""

    needs_truth = True

    def __call__(self, view: View) -> tf.Tensor:
        error, known = level_error(view, view.flow12)
        return tf.reduce_sum(error * known, axis=[1, 2]) / (tf.reduce_sum(known, axis=[1, 2]) + 1e-6)


def level_error(view: View, flow: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Endpoint error of `flow` [n, h', w', 2], px of its grid, and 1 where ground truth is known: both [n, h', w'].

    The ground truth of a coarse pixel is the mean of the known values in it.
    """
    window = [view.flow12.shape[1] // flow.shape[1], view.flow12.shape[2] // flow.shape[2]]
    if view.target12 is None or view.target_mask is None:
        raise ValueError("an endpoint error needs ground truth: `target12` and `target_mask` of the view are None")
    known = tf.nn.avg_pool2d(view.target_mask, window, window, "VALID")  # [n, h', w', 1]
    target = tf.nn.avg_pool2d(view.target12 * view.target_mask, window, window, "VALID") / (known + 1e-6)
    target /= tf.constant([window[1], window[0]], tf.float32)
    squared = tf.reduce_sum(tf.square(target - flow), axis=-1)
    return tf.sqrt(squared + 1e-12), tf.cast(known[..., 0] > 0, tf.float32)
