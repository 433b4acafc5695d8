"""DDFlow's PWC-Net: no dense connections, a cost volume of cosines, flow in px of each level.

Liu et al., DDFlow: Learning Optical Flow with Unlabeled Data Distillation, AAAI 2019. 4,273,628 parameters.
"""

from __future__ import annotations

from typing import Any

from tfflow.layers import L2Normalize, Scale, UpsampleFlow, Warp, ZeroFlow
from tfflow.models.blocks import add, concat, context_network, cost_volume, encoder, flow_head, stack

CHANNELS = (16, 32, 64, 96, 128, 192)


class PWCNetDDFlow:
    """Six feature levels. Flow from 1/64 to 1/4; each level has its own decoder and predicts the whole flow.

    Departure: outside the frame the warp is exactly 0. In DDFlow's code, rounding errors remain there, and the
    normalisation amplifies them.
    """

    stride = 64

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        options: dict[str, Any] = {"slope": 0.2, "dtype": dtype}
        self.encode = encoder(CHANNELS, convs_per_level=2, **options)
        self.normalize = L2Normalize(dtype=dtype, name="normalize")
        self.features = {n: stack(f"decoder{n}", (128, 128, 96, 64, 32), **options) for n in (6, 5, 4, 3, 2)}
        self.heads = {n: flow_head(f"decoder{n}_flow") for n in (6, 5, 4, 3, 2)}
        self.context = context_network(**options)

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        flows = []
        for level in (6, 5, 4, 3, 2):
            features1 = self.normalize(pyramid1[level - 1])
            if flows:
                up_flow = UpsampleFlow(align_corners=True, name=f"up_flow{level}")(flows[-1])
            else:
                up_flow = ZeroFlow(name="zero_flow")(features1)
            warped = Warp("ddflow", name=f"warp{level}")([pyramid2[level - 1], up_flow])  # also sets the last row to 0
            costs = cost_volume(level, features1, self.normalize(warped), self.dtype)
            summed = Scale(CHANNELS[level - 1], dtype=self.dtype, name=f"cost{level}")(costs)  # sum, not mean
            x = self.features[level](concat(f"decoder{level}_input", [summed, features1, up_flow], self.dtype))
            flow = self.heads[level](x)
            if level == 2:
                flow = add("refined", flow, self.context(concat("context_input", [x, flow], self.dtype)))
            flows.append(flow)
        return [UpsampleFlow(4, align_corners=True, name="full_resolution")(flows[-1]), *flows[::-1]]
