"""Drops levels of the pyramid at random in training."""

from __future__ import annotations

import tensorflow as tf

from tfflow.layers.plain import FlowLayer, without_autograph


class LevelDropout(FlowLayer):
    """[x [n, h, w, c], frames [n, h', w', 3]] -> x. In training, whole pairs of x are 0 with probability `rate`.

    place: number of the draw; layers with the same rate and place are dropped together.
    The random numbers come from the pixels of the frames. So the layer has no state, and a batch gives the same step
    again.
    Source: Jonschkowski et al. 2020 (UFlow), which drops the contribution of a level at a rate of 0.1.
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
        # the sum of integers does not depend on the order; it may overflow
        pixels = tf.reduce_sum(tf.cast(32768.0 * tf.cast(frames, tf.float32), tf.int32))
        draws = tf.random.stateless_uniform([tf.shape(x)[0], 1, 1, 1], tf.stack([pixels, self.place]), alg="philox")
        return x * tf.cast(draws >= self.rate, x.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "place": self.place}
