"""Structural similarity of small windows."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow.losses.census import inner
from tfflow.losses.objective import Term
from tfflow.losses.view import View, mean_where


@dataclass(frozen=True)
class SSIM(Term):
    """Mean over visible pixels and RGB of (1 - SSIM of image1 and the warped image2) / 2, kept in [0, 1].

    Windows are 3x3 with equal weights. The outermost pixels, whose windows are incomplete, do not count. c1, c2: the
    constants that keep the quotients finite, for images in [0, 1].
    Source: Wang et al. 2004; as a loss for flow, ARFlow.
    """

    c1: float = 0.01**2
    c2: float = 0.03**2

    def __call__(self, view: View) -> tf.Tensor:
        a, b = view.image1, view.warped2
        mean_a, mean_b = _window_mean(a), _window_mean(b)
        var_a = _window_mean(a * a) - mean_a**2
        var_b = _window_mean(b * b) - mean_b**2
        both = _window_mean(a * b) - mean_a * mean_b
        alike = (2 * mean_a * mean_b + self.c1) * (2 * both + self.c2)
        alike /= (mean_a**2 + mean_b**2 + self.c1) * (var_a + var_b + self.c2)
        cost = tf.reduce_mean(tf.clip_by_value((1 - alike) / 2, 0.0, 1.0), axis=-1, keepdims=True)
        return mean_where(cost, view.visible1 * inner(view.visible1, 1))


def _window_mean(x: tf.Tensor) -> tf.Tensor:
    """Mean of each 3x3 window, [n, h, w, c] -> same. Windows at the border have fewer pixels."""
    return tf.nn.avg_pool2d(x, 3, 1, "SAME")
