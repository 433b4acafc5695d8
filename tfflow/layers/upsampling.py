"""Flow on a finer grid."""

from __future__ import annotations

from tfflow import ops
from tfflow.layers.plain import FlowLayer, as_written
from tfflow.ops.checks import size


class UpsampleFlow(FlowLayer):
    """Bilinear upsampling by a whole factor; values grow with the grid: [b, h, w, 2] -> [b, f * h, f * w, 2].

    align_corners: as SpyNet, DDFlow and PWC-Lite were trained; half-pixel centres otherwise.
    """

    def __init__(self, factor: int = 2, align_corners: bool = False, **kwargs):
        kwargs["dtype"] = "float32"  # flow is accumulated in full precision
        super().__init__(**kwargs)
        self.factor, self.align_corners = factor, align_corners

    @as_written
    def call(self, flow):
        _, h, w = size(flow)
        return ops.resize_flow(flow, (self.factor * h, self.factor * w), self.align_corners)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "align_corners": self.align_corners}
