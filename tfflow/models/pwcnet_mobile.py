"""A PWC-Net for phones. Its operators convert to TensorFlow Lite and keep their accuracy in eight bits.

It has no dense connections, because one tensor has one range in eight bits. Costs are correlations in [-1, 1]. Each
level predicts a residual, which eight bits represent better than the whole flow. Most parameters are at coarse levels,
where there are few pixels. The finest level is 1/4.
"""

from __future__ import annotations

from typing import ClassVar

from tfflow.layers import L2Normalize, Normalize, Scale, UpsampleFlow, Warp
from tfflow.models.blocks import KAIMING, NEAR_ZERO, add, chain, concat, conv, cost_volume, encoder, flow_head, stack

FLOW_FEATURE = 1 / 8
"""Flow is divided by 8 before it enters convolutions, which gives it about the range of the other features."""


class PWCNetMobile:
    """Five feature levels. Flow from 1/32 to 1/4; each level adds a residual."""

    stride = 32
    channels: tuple[int, ...] = (16, 32, 48, 64, 96)
    decoders: ClassVar[dict[int, tuple[int, ...]]] = {
        5: (104, 80, 64, 32),
        4: (104, 80, 64, 32),
        3: (96, 80, 64, 32),
        2: (64, 48, 32),
    }
    context_channels: tuple[int, ...] = (48, 48, 48, 32, 32)

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        options = {"init": KAIMING, "dtype": dtype}
        standardize = Normalize((0.45, 0.45, 0.45), (0.25, 0.25, 0.25), dtype=dtype, name="standardize")
        self.encode = chain([standardize, encoder(self.channels, convs_per_level=2, **options)])
        self.normalize = {
            n: L2Normalize(self.channels[n - 1] ** 0.5, epsilon=1e-6, centred=True, dtype=dtype, name=f"normalize{n}")
            for n in self.decoders
        }
        self.narrow = {n: conv(f"narrow{n}", 32, kernel=1, **options) for n in self.decoders}
        self.features = {n: stack(f"decoder{n}", widths, **options) for n, widths in self.decoders.items()}
        self.heads = {n: flow_head(f"decoder{n}_flow", init=NEAR_ZERO) for n in self.decoders}
        self.context = stack("context", self.context_channels, (1, 2, 4, 8, 1), **options)
        self.context_flow = flow_head("context_flow", init=NEAR_ZERO)

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 5 (1/32), each in px of its own grid."""
        flows = []
        for level in self.decoders:
            features1, features2 = pyramid1[level - 1], pyramid2[level - 1]
            normal1 = self.normalize[level](features1)
            seen = []
            if flows:
                flow = UpsampleFlow(name=f"up_flow{level}")(flows[-1])
                features2 = Warp(name=f"warp{level}")([features2, flow])
                seen = [self._as_feature(f"flow_in{level}", flow)]
            costs = cost_volume(level, normal1, self.normalize[level](features2), self.dtype)
            x = concat(f"decoder{level}_input", [costs, self.narrow[level](features1), *seen], self.dtype)
            x = self.features[level](x)
            residual = self.heads[level](x)
            flow = add(f"flow{level}", flow, residual) if flows else residual
            if level == min(self.decoders):
                x = concat("context_input", [x, self._as_feature("flow_in_context", flow)], self.dtype)
                flow = add("refined", flow, self.context_flow(self.context(x)))
            flows.append(flow)
        return [UpsampleFlow(4, name="full_resolution")(flows[-1]), *flows[::-1]]

    def _as_feature(self, name: str, flow):
        """Flow as the input of a convolution. A separate layer, so that its quantization does not affect the flow."""
        return Scale(FLOW_FEATURE, dtype="float32", name=name)(flow)
