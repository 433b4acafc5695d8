"""Warp, cost volume and choice of flow as layers."""

from __future__ import annotations

import tensorflow as tf

from tfflow import ops
from tfflow.layers.plain import FlowLayer, traced_once
from tfflow.ops.warp import check_outside


class Warp(FlowLayer):
    """[features2 [b, h, w, c], flow12 [b, h, w, 2] in px of their grid] -> features2 warped to frame 1, [b, h, w, c].

    outside: "zero", "border", "strict" or "ddflow", see `ops.backward_warp`. The flow stays float32 under every policy.
    """

    def __init__(self, outside: str = "zero", **kwargs):
        kwargs["autocast"] = False
        super().__init__(**kwargs)
        check_outside(outside)
        self.outside = outside

    @traced_once
    def call(self, inputs):
        features2, flow12 = inputs
        return ops.backward_warp(features2, flow12, self.outside)

    def get_config(self):
        return {**super().get_config(), "outside": self.outside}


class CostVolume(FlowLayer):
    """[features1, features2], each [b, h, w, c] -> costs [b, h, w, (2 * radius / stride + 1)**2], see
    `ops.cost_volume`. radius, stride: px."""

    def __init__(self, radius: int, stride: int = 1, **kwargs):
        super().__init__(**kwargs)
        ops.displacements(radius, stride)  # raises ValueError
        self.radius, self.stride = radius, stride

    @traced_once
    def call(self, inputs):
        features1, features2 = inputs
        return ops.cost_volume(features1, features2, self.radius, self.stride)

    def get_config(self):
        return {**super().get_config(), "radius": self.radius, "stride": self.stride}


class ChooseFlow(FlowLayer):
    """[features1 [b, h, w, c], warped [2 * b, h, w, c], flows [2 * b, h, w, 2]] -> flow [b, h, w, 2], px.

    flows: one flow of each pair, then another one. warped: features of frame 2, warped by them. least, window: see
    `ops.choose_flow`. The flows stay float32 under every policy.
    """

    def __init__(self, least: float = 0.95, window: int = 5, **kwargs):
        super().__init__(**{**kwargs, "autocast": False})
        self.least, self.window = least, window

    @traced_once
    def call(self, inputs):
        features1, warped, flows = inputs
        return ops.choose_flow(features1, *tf.split(warped, 2), *tf.split(flows, 2), self.least, self.window)

    def get_config(self):
        return {**super().get_config(), "least": self.least, "window": self.window}
