"""UFlow's PWC-Net: narrow features, cost volumes of normalised features, residual flow, level dropout.

Jonschkowski et al., What Matters in Unsupervised Optical Flow, ECCV 2020.
"""

from __future__ import annotations

from typing import Any

import tf_keras as keras

from tfflow.layers import LevelDropout, Normalize, NormalizePair, UpsampleFlow, Warp
from tfflow.models.blocks import XAVIER, add, concat, context_network, conv, cost_volume, deconv, encoder, flow_head

LEVELS = (5, 4, 3, 2)
DROPOUT = 0.1
"""Probability that training drops the residual of a level or of the refinement."""


class PWCNetUFlow:
    """Five feature levels of 32 channels. Flow from 1/32 to 1/4 by dense decoders; each level adds a residual.

    Departures: features are normalised by the statistics of their pair, in the authors' code by those of the batch,
    which is one pair. Levels are dropped for each pair and direction separately. The authors' upsampling layer of the
    finest context (16,416 parameters), which is never used, is left out.
    """

    stride = 32

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        options: dict[str, Any] = {"symmetric": True, "init": XAVIER, "dtype": dtype}
        self.standardize = Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), dtype=dtype, name="standardize")
        self.features = encoder((32, 32, 32, 32, 32), convs_per_level=3, **options)
        self.leaky = keras.layers.LeakyReLU(0.1, dtype=dtype, name="cost_leaky")
        self.convs = {
            n: [conv(f"decoder{n}_conv{i}", c, **options) for i, c in enumerate((128, 128, 96, 64, 32), 1)]
            for n in LEVELS
        }
        self.heads = {n: flow_head(f"decoder{n}_flow") for n in LEVELS}
        self.up_context = {n: deconv(f"up_context{n}", 32, dtype=dtype) for n in LEVELS[1:]}
        self.context = context_network(dtype=dtype)

    def encode(self, images):
        """The images in [-1, 1], then their features, fine to coarse."""
        images = self.standardize(images)
        return [images, *self.features(images)]

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 5 (1/32), each in px of its own grid."""
        flows, context = [], None
        for level in LEVELS:
            features1, features2 = pyramid1[level], pyramid2[level]
            known = []
            if flows:
                flow = UpsampleFlow(name=f"up_flow{level}")(flows[-1])
                features2 = Warp(name=f"warp{level}")([features2, flow])
                known = [self.up_context[level](context), flow]
            costs = self._costs(level, features1, features2)
            context = self._dense(level, concat(f"decoder{level}_input", [*known, costs, features1], self.dtype))
            residual = self._dropped(f"drop_flow{level}", level, self.heads[level](context), pyramid1[0], "float32")
            context = self._dropped(f"drop_context{level}", level, context, pyramid1[0], self.dtype)
            flows.append(add(f"flow{level}", flow, residual) if flows else residual)
        more = self.context(concat("context_input", [context, flows[-1]], self.dtype))
        flows[-1] = add("refined", flows[-1], self._dropped("drop_refinement", 1, more, pyramid1[0], "float32"))
        half = UpsampleFlow(name="half_resolution")(flows[-1])
        return [UpsampleFlow(name="full_resolution")(half), *flows[::-1]]

    def _costs(self, level: int, features1, features2):
        normal1, normal2 = (
            NormalizePair(dtype=self.dtype, name=f"normalize{level}_{i}")(pair)
            for i, pair in enumerate(([features1, features2], [features2, features1]), 1)
        )
        return self.leaky(cost_volume(level, normal1, normal2, self.dtype))

    def _dense(self, level: int, x):
        """The output of the last of five densely connected convolutions, [b, h, w, 32]."""
        for i, block in enumerate(self.convs[level], 1):
            last = block(x)
            x = concat(f"decoder{level}_dense{i}", [x, last], self.dtype) if i < len(self.convs[level]) else last
        return x

    def _dropped(self, name: str, place: int, x, frames, dtype: str):
        return LevelDropout(DROPOUT, place, dtype=dtype, name=name)([x, frames])
