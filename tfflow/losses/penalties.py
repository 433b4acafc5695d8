"""Robust penalty functions, elementwise, for tensors of any shape, float32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import tensorflow as tf


class Penalty(Protocol):
    """Elementwise, differentiable everywhere."""

    def __call__(self, x: tf.Tensor) -> tf.Tensor: ...


@dataclass(frozen=True)
class AbsRobust:
    """(|x| + epsilon)**q. DDFlow, UFlow; PWC-Net's fine-tuning (Sun et al. 2018, eq. 4). ARFlow: |x| itself, (0, 1)."""

    epsilon: float = 0.01
    q: float = 0.4

    def __call__(self, x):
        return tf.pow(tf.abs(x) + self.epsilon, self.q)


@dataclass(frozen=True)
class Charbonnier:
    """((beta * x)**2 + epsilon**2)**alpha. Back to Basics; UnFlow with alpha 0.45."""

    alpha: float
    beta: float = 1.0
    epsilon: float = 0.001

    def __call__(self, x):
        return tf.pow(tf.square(self.beta * x) + self.epsilon**2, self.alpha)
