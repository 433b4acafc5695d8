"""Layers that change values, not grids: scale, normalisation, length, the zero that a flow starts from."""

from __future__ import annotations

import tensorflow as tf

from tfflow.layers.plain import FlowLayer, without_autograph


class Scale(FlowLayer):
    """Multiplies by a constant: a network's own flow unit into px, or flow into the range of features."""

    def __init__(self, factor: float, **kwargs):
        super().__init__(**kwargs)
        self.factor = float(factor)

    @without_autograph
    def call(self, x):
        return x * tf.cast(self.factor, x.dtype)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Normalize(FlowLayer):
    """(x - mean) / std per channel, constants: [b, h, w, c] -> [b, h, w, c]."""

    def __init__(self, mean, std, **kwargs):
        super().__init__(**kwargs)
        self.mean, self.std = tuple(mean), tuple(std)

    @without_autograph
    def call(self, x):
        return (x - tf.constant(self.mean, x.dtype)) * tf.constant([1 / s for s in self.std], x.dtype)

    def get_config(self):
        return {**super().get_config(), "mean": self.mean, "std": self.std}


class L2Normalize(FlowLayer):
    """Features of length `length` at every pixel: [b, h, w, c] -> same. Squares are summed in float32.

    With length sqrt(c), the mean over channels in a cost volume is the cosine of the two features, and values stay
    near 1, where eight bits serve them best. centred: each pixel's mean over channels is taken off first, so that the
    cosine becomes a correlation: what all features have in common no longer makes everything match everything.
    """

    def __init__(self, length: float = 1.0, epsilon: float = 1e-12, centred: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.length, self.epsilon, self.centred = float(length), float(epsilon), centred

    @without_autograph
    def call(self, x):
        features = tf.cast(x, tf.float32)
        if self.centred:
            features -= tf.reduce_mean(features, axis=-1, keepdims=True)
        squares = tf.reduce_sum(features * features, axis=-1, keepdims=True)
        return tf.cast(features * (self.length * tf.math.rsqrt(tf.maximum(squares, self.epsilon))), x.dtype)

    def get_config(self):
        return {**super().get_config(), "length": self.length, "epsilon": self.epsilon, "centred": self.centred}


class CentrePair(FlowLayer):
    """Frames stacked on the batch axis, less the mean colour of their pair: [2 * b, h, w, c] -> same.

    Source: FlowNet2's programs, which take it over both frames and all of their pixels.
    """

    @without_autograph
    def call(self, stacked):
        means = tf.reduce_mean(tf.cast(stacked, tf.float32), axis=[1, 2], keepdims=True)
        first, second = tf.split(means, 2, axis=0)
        mean = 0.5 * (first + second)  # [b, 1, 1, c]
        return stacked - tf.cast(tf.concat([mean, mean], axis=0), stacked.dtype)


class NormalizePair(FlowLayer):
    """[x, other], each [b, h, w, c] -> (x - m) / s, with the mean m and deviation s that both have together.

    m and s**2: one number a pair, the mean of those of x and of other over all of their pixels and channels.
    Source: Jonschkowski et al. 2020 (UFlow), before a cost volume.
    """

    @without_autograph
    def call(self, inputs):
        x, other = (tf.cast(features, tf.float32) for features in inputs)
        moments = [tf.nn.moments(features, axes=[1, 2, 3], keepdims=True) for features in (x, other)]
        mean, variance = (0.5 * (a + b) for a, b in zip(*moments, strict=True))
        return tf.cast((x - mean) * tf.math.rsqrt(variance + 1e-16), inputs[0].dtype)


class Length(FlowLayer):
    """Euclidean length of each pixel's vector, [b, h, w, c] -> [b, h, w, 1]; of nothing 1e-6, with no gradient."""

    @without_autograph
    def call(self, x):
        squares = tf.reduce_sum(tf.square(tf.cast(x, tf.float32)), axis=-1, keepdims=True)
        return tf.cast(tf.sqrt(tf.maximum(squares, 1e-12)), x.dtype)


class AbsoluteDifference(FlowLayer):
    """[a, b], each [b, h, w, c] -> |a - b|: what a warped frame does not explain."""

    @without_autograph
    def call(self, inputs):
        first, second = inputs
        return tf.abs(first - second)


class ZeroFlow(FlowLayer):
    """The flow that a coarsest level starts from: zeros [b, h, w, 2], float32, on the grid of its input."""

    @without_autograph
    def call(self, features):
        return tf.cast(tf.zeros_like(features[..., :2]), tf.float32)
