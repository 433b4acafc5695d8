"""Upsampling of flow."""

from __future__ import annotations

import tensorflow as tf

from tfflow import ops
from tfflow.layers.plain import FlowLayer, traced_once
from tfflow.ops.checks import size


class UpsampleFlow(FlowLayer):
    """Bilinear upsampling by a whole factor f: [b, h, w, 2] -> [b, f * h, f * w, 2], px of the finer grid.

    align_corners: corner pixels keep their centres, as SpyNet, DDFlow and PWC-Lite were trained; else half-pixel
    centres.
    """

    def __init__(self, factor: int = 2, align_corners: bool = False, **kwargs):
        kwargs["dtype"] = "float32"  # flow is accumulated in full precision
        super().__init__(**kwargs)
        self.factor, self.align_corners = factor, align_corners

    @traced_once
    def call(self, flow):
        _, h, w = size(flow)
        return ops.resize_flow(flow, (self.factor * h, self.factor * w), self.align_corners)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "align_corners": self.align_corners}


class ConvexUpsample(FlowLayer):
    """[flow [b, h, w, 2], weights [b, h, w, 9 * f * f]] -> flow [b, f * h, f * w, 2], px of the finer grid.

    weights: logits, see `ops.convex_upsample`. Source: Teed and Deng 2020 (RAFT).
    """

    def __init__(self, factor: int = 4, **kwargs):
        kwargs["dtype"] = "float32"  # flow is accumulated in full precision
        super().__init__(**kwargs)
        self.factor = factor

    @traced_once
    def call(self, inputs):
        flow, logits = inputs
        return ops.convex_upsample(flow, tf.cast(logits, tf.float32), self.factor)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
