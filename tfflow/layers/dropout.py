"""Leaves out levels at random in training."""

from __future__ import annotations

import tensorflow as tf

from tfflow.layers.plain import FlowLayer, without_autograph


class LevelDropout(FlowLayer):
    """[x [n, h, w, c], frames [n, h', w', 3]] -> x, of which training sets whole pairs to zero with probability `rate`.

    place: of several draws from the same frames; layers with the same rate and place are dropped together.
    The random numbers come from the frames' pixels, so the layer has no state and the same batch repeats the same step.
    Source: Jonschkowski et al. 2020 (UFlow): at a rate of 0.1, what a level of the pyramid adds is left out.
    """

    def __init__(self, rate: float, place: int = 0, **kwargs):
        kwargs["autocast"] = False  # rounded frames would give other random numbers
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be in [0, 1), got {rate}")
        self.rate, self.place = float(rate), place

    @without_autograph
    def call(self, inputs, training=None):
        x, frames = inputs
        if not training:
            return x
        # a sum of integers is the same in any order of summing, and may overflow
        pixels = tf.reduce_sum(tf.cast(32768.0 * tf.cast(frames, tf.float32), tf.int32))
        draws = tf.random.stateless_uniform([tf.shape(x)[0], 1, 1, 1], tf.stack([pixels, self.place]), alg="philox")
        return x * tf.cast(draws >= self.rate, x.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "place": self.place}
