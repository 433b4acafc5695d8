"""PWC-Lite: all levels share one decoder and one context network; residual flow.

Liu et al., Learning by Analogy: Reliable Supervision from Transformations, CVPR 2020 (ARFlow). 2,236,660 parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tf_keras as keras

from tfflow.layers import UpsampleFlow, Warp, ZeroFlow
from tfflow.models.blocks import TORCH, Block, add, concat, context_network, conv, cost_volume, encoder, flow_head

LEVELS = (6, 5, 4, 3, 2)


class PWCLite:
    """Six feature levels. Flow from 1/64 to 1/4; the same weights refine it at each of the five levels."""

    stride = 64

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        options: dict[str, Any] = {"symmetric": True, "init": TORCH, "dtype": dtype}
        block: Callable[..., Block] = partial(conv, **options)
        self.encode = encoder((16, 32, 64, 96, 128, 192), convs_per_level=2, **options)
        self.leaky = keras.layers.LeakyReLU(0.1, dtype=dtype, name="cost_leaky")
        self.narrow = {n: block(f"narrow{n}", 32, kernel=1) for n in LEVELS}
        self.convs = [block(f"decoder_conv{i}", n) for i, n in enumerate((128, 128, 96, 64, 32), 1)]
        self.head = flow_head("decoder_flow", init=TORCH)
        self.context = context_network(init=TORCH, dtype=dtype)

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        flows = []
        for level in LEVELS:
            features1, features2 = pyramid1[level - 1], pyramid2[level - 1]
            if flows:
                flow = UpsampleFlow(align_corners=True, name=f"up_flow{level}")(flows[-1])
                features2 = Warp("border", name=f"warp{level}")([features2, flow])
            else:
                flow = ZeroFlow(name="zero_flow")(features1)
            costs = self.leaky(cost_volume(level, features1, features2, self.dtype))
            x = concat(f"decoder{level}_input", [costs, self.narrow[level](features1), flow], self.dtype)
            x, residual = self._estimate(level, x)
            flow = add(f"flow{level}", flow, residual)
            refinement = self.context(concat(f"context{level}_input", [x, flow], self.dtype))
            flows.append(add(f"refined{level}", flow, refinement))
        return [UpsampleFlow(4, align_corners=True, name="full_resolution")(flows[-1]), *flows[::-1]]

    def _estimate(self, level: int, x):
        """Reduced dense connections: from the third convolution on, the input is the output of the last two."""
        before, x = None, self.convs[0](x)
        before, x = x, self.convs[1](x)
        for i, block in enumerate(self.convs[2:], 3):
            before, x = x, block(concat(f"decoder{level}_pair{i}", [before, x], self.dtype))
        return x, self.head(concat(f"decoder{level}_pair6", [before, x], self.dtype))
