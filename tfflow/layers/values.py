"""Layers that change values, not grids: scale, normalisation, the zero that a flow starts from."""

from __future__ import annotations

import tensorflow as tf
import tf_keras as keras

from tfflow.layers.plain import as_written


class Scale(keras.layers.Layer):
    """Multiplies by a constant: a network's own flow unit into px, or flow into the range of features."""

    def __init__(self, factor: float, **kwargs):
        super().__init__(**kwargs)
        self.factor = float(factor)

    @as_written
    def call(self, x):
        return x * tf.cast(self.factor, x.dtype)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Normalize(keras.layers.Layer):
    """(x - mean) / std per channel, constants: [b, h, w, c] -> [b, h, w, c]."""

    def __init__(self, mean, std, **kwargs):
        super().__init__(**kwargs)
        self.mean, self.std = tuple(mean), tuple(std)

    @as_written
    def call(self, x):
        return (x - tf.constant(self.mean, x.dtype)) * tf.constant([1 / s for s in self.std], x.dtype)

    def get_config(self):
        return {**super().get_config(), "mean": self.mean, "std": self.std}


class L2Normalize(keras.layers.Layer):
    """Features of length `length` at every pixel: [b, h, w, c] -> same. Squares are summed in float32.

    With length sqrt(c), the mean over channels in a cost volume is the cosine of the two features, and values stay
    near 1, where eight bits serve them best. centred: each pixel's mean over channels is taken off first, so that the
    cosine becomes a correlation: what all features have in common no longer makes everything match everything.
    """

    def __init__(self, length: float = 1.0, epsilon: float = 1e-12, centred: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.length, self.epsilon, self.centred = float(length), float(epsilon), centred

    @as_written
    def call(self, x):
        features = tf.cast(x, tf.float32)
        if self.centred:
            features -= tf.reduce_mean(features, axis=-1, keepdims=True)
        squares = tf.reduce_sum(features * features, axis=-1, keepdims=True)
        return tf.cast(features * (self.length * tf.math.rsqrt(tf.maximum(squares, self.epsilon))), x.dtype)

    def get_config(self):
        return {**super().get_config(), "length": self.length, "epsilon": self.epsilon, "centred": self.centred}


class AbsoluteDifference(keras.layers.Layer):
    """[a, b], each [b, h, w, c] -> |a - b|: what a warped frame does not explain."""

    @as_written
    def call(self, inputs):
        first, second = inputs
        return tf.abs(first - second)


class ZeroFlow(keras.layers.Layer):
    """The flow that a coarsest level starts from: zeros [b, h, w, 2], float32, on the grid of its input."""

    @as_written
    def call(self, features):
        return tf.cast(tf.zeros_like(features[..., :2]), tf.float32)
