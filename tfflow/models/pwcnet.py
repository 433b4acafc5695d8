"""PWC-Net as published: pyramid, warping, cost volume, dense decoders, dilated context network.

Sun et al., PWC-Net: CNNs for Optical Flow Using Pyramid, Warping, and Cost Volume, CVPR 2018. 9,374,340 parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tf_keras as keras

from tfflow.layers import Scale, UpsampleFlow, Warp
from tfflow.models.blocks import (
    KAIMING,
    Block,
    add,
    concat,
    context_network,
    conv,
    cost_volume,
    deconv,
    encoder,
    flow_head,
)

FLOW_UNIT = 20.0
"""Every level predicts flow in px of full resolution, divided by this."""


class PWCNet:
    """Six feature levels. Flow from 1/64 to 1/4; each level predicts the whole flow, not a residual.

    Departures: the input is RGB, that of the authors' weights is BGR (they are converted at import). The authors' sixth
    upsampling layer (66 parameters), which is never used, is left out.
    """

    stride = 64

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        options: dict[str, Any] = {"symmetric": True, "init": KAIMING, "dtype": dtype}
        self.conv: Callable[..., Block] = partial(conv, **options)
        self.encode = encoder((16, 32, 64, 96, 128, 196), convs_per_level=3, **options)
        self.leaky = keras.layers.LeakyReLU(0.1, dtype=dtype, name="cost_leaky")
        self.dense = {level: self._dense(level) for level in (6, 5, 4, 3, 2)}
        self.heads = {level: flow_head(f"decoder{level}_flow", init=KAIMING) for level in (6, 5, 4, 3, 2)}
        self.up_flow = {level: deconv(f"up_flow{level}", 2, KAIMING) for level in (5, 4, 3, 2)}
        self.up_features = {level: deconv(f"up_features{level}", 2, KAIMING, dtype) for level in (5, 4, 3, 2)}
        self.context = context_network(init=KAIMING, dtype=dtype)

    def _dense(self, level: int):
        convs = [self.conv(f"decoder{level}_conv{i}", n) for i, n in enumerate((128, 128, 96, 64, 32), 1)]

        def apply(x):
            for i, block in enumerate(convs, 1):
                x = concat(f"decoder{level}_dense{i}", [block(x), x], self.dtype)
            return x

        return apply

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        flows, flow, x = [], None, None
        for level in (6, 5, 4, 3, 2):
            features1, features2 = pyramid1[level - 1], pyramid2[level - 1]
            if level == 6:
                x = self.leaky(cost_volume(level, features1, features2, self.dtype))
            else:
                up_flow, up_features = self.up_flow[level](flow), self.up_features[level](x)
                in_px = Scale(FLOW_UNIT / 2**level, dtype="float32", name=f"flow{level}_px")(up_flow)
                warped = Warp("strict", name=f"warp{level}")([features2, in_px])
                costs = self.leaky(cost_volume(level, features1, warped, self.dtype))
                x = concat(f"decoder{level}_input", [costs, features1, up_flow, up_features], self.dtype)
            x = self.dense[level](x)
            flow = self.heads[level](x)
            if level == 2:
                flow = add("refined", flow, self.context(x))
            flows.append(Scale(FLOW_UNIT / 2**level, dtype="float32", name=f"output{level}")(flow))
        return [UpsampleFlow(4, name="full_resolution")(flows[-1]), *flows[::-1]]
