"""Layers that change values and keep the grid: scale, normalisation, length, zero flow."""

from __future__ import annotations

import tensorflow as tf

from tfflow.layers.plain import FlowLayer, without_autograph


class Scale(FlowLayer):
    """Multiplies by a constant, for example to convert a network's flow unit to px."""

    def __init__(self, factor: float, **kwargs):
        super().__init__(**kwargs)
        self.factor = float(factor)

    @without_autograph
    def call(self, x):
        return x * tf.cast(self.factor, x.dtype)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class Normalize(FlowLayer):
    """(x - mean) / std with one constant a channel: [b, h, w, c] -> [b, h, w, c]."""

    def __init__(self, mean, std, **kwargs):
        super().__init__(**kwargs)
        self.mean, self.std = tuple(mean), tuple(std)

    @without_autograph
    def call(self, x):
        return (x - tf.constant(self.mean, x.dtype)) * tf.constant([1 / s for s in self.std], x.dtype)

    def get_config(self):
        return {**super().get_config(), "mean": self.mean, "std": self.std}


class L2Normalize(FlowLayer):
    """Scales the features of each pixel to the Euclidean length `length`: [b, h, w, c] -> same.

    With length sqrt(c), a cost volume holds cosines of features, and values near 1 suit eight bits.
    centred: subtracts each pixel's mean over channels first. The cosine becomes a correlation: a constant that all
    features share no longer adds to every match.
    Squares are summed in float32.
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
    """Subtracts the mean colour of each pair from both frames: [2 * b, h, w, c], stacked frames -> same.

    Source: the authors' code of FlowNet2. The mean is over all pixels of both frames.
    """

    @without_autograph
    def call(self, stacked):
        means = tf.reduce_mean(tf.cast(stacked, tf.float32), axis=[1, 2], keepdims=True)
        first, second = tf.split(means, 2, axis=0)
        mean = 0.5 * (first + second)  # [b, 1, 1, c]
        return stacked - tf.cast(tf.concat([mean, mean], axis=0), stacked.dtype)


class NormalizePair(FlowLayer):
    """[x, other], each [b, h, w, c] -> (x - m) / s, where m and s belong to the pair.

    m is the average of the two means, s**2 the average of the two variances, both over all pixels and channels.
    Source: Jonschkowski et al. 2020 (UFlow), before a cost volume.
    """

    @without_autograph
    def call(self, inputs):
        x, other = (tf.cast(features, tf.float32) for features in inputs)
        moments = [tf.nn.moments(features, axes=[1, 2, 3], keepdims=True) for features in (x, other)]
        mean, variance = (0.5 * (a + b) for a, b in zip(*moments, strict=True))
        return tf.cast((x - mean) * tf.math.rsqrt(variance + 1e-16), inputs[0].dtype)


class Length(FlowLayer):
    """Euclidean length of each pixel's vector: [b, h, w, c] -> [b, h, w, 1]. A zero vector gives 1e-6, no gradient."""

    @without_autograph
    def call(self, x):
        squares = tf.reduce_sum(tf.square(tf.cast(x, tf.float32)), axis=-1, keepdims=True)
        return tf.cast(tf.sqrt(tf.maximum(squares, 1e-12)), x.dtype)


class AbsoluteDifference(FlowLayer):
    """[x, y], each [b, h, w, c] -> |x - y|, the photometric error of a warped frame."""

    @without_autograph
    def call(self, inputs):
        first, second = inputs
        return tf.abs(first - second)


class ZeroFlow(FlowLayer):
    """The initial flow of the coarsest level: zeros [b, h, w, 2], float32, for an input [b, h, w, c]."""

    @without_autograph
    def call(self, features):
        return tf.cast(tf.zeros_like(features[..., :2]), tf.float32)
