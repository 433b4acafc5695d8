"""Refinement of flow by the frames themselves."""

from __future__ import annotations

from tfflow import ops
from tfflow.layers.plain import FlowLayer, traced_once


class LucasKanade(FlowLayer):
    """[image1, image2 [b, h, w, 3] in [0, 1], flow12 [b, h, w, 2]] -> flow12, px.

    One step, see `ops.lucas_kanade`. All of it is float32 under every policy.
    """

    def __init__(self, **kwargs):
        kwargs["dtype"] = "float32"
        super().__init__(**kwargs)

    @traced_once
    def call(self, inputs):
        return ops.lucas_kanade(*inputs)
