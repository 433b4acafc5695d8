"""A SpyNet for phones: 3x3 instead of 7x7 convolutions, the finest level at half resolution.

It consists of warps and convolutions, without a cost volume, so it is the easiest network to convert.
"""

from __future__ import annotations

import tf_keras as keras

from tfflow.layers import Normalize, Scale, UpsampleFlow, Warp
from tfflow.models.blocks import KAIMING, NEAR_ZERO, add, concat, flow_head, stack

FILTERS = {
    6: (32, 64, 64, 32),
    5: (32, 64, 64, 32),
    4: (32, 64, 64, 32),
    3: (32, 64, 48, 32),
    2: (32, 48, 32),
    1: (24, 32, 24),
}
DILATIONS = {4: (1, 2, 4, 1), 3: (1, 2, 1)}
FLOW_FEATURE = 1 / 8


class SpyNetMobile:
    """Six levels from 1/64 to 1/2. Each adds its residual to the upsampled flow of the coarser one."""

    stride = 64

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        options = {"init": KAIMING, "dtype": dtype}
        self.normalize = Normalize((0.45, 0.45, 0.45), (0.25, 0.25, 0.25), name="normalize")
        self.halve = keras.layers.AveragePooling2D(2, name="halve")
        self.features = {n: stack(f"level{n}", f, DILATIONS[len(f)], **options) for n, f in FILTERS.items()}
        self.heads = {n: flow_head(f"level{n}_flow", init=NEAR_ZERO) for n in FILTERS}

    def encode(self, images):
        """The normalised images at six sizes: [b, h, w, 3] -> 1/2 to 1/64."""
        pyramid = [self.halve(self.normalize(images))]
        while len(pyramid) < len(FILTERS):
            pyramid.append(self.halve(pyramid[-1]))
        return pyramid

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 1 (1/2) to 6 (1/64), each in px of its own grid."""
        flows = []
        for level in FILTERS:
            image1, image2 = pyramid1[level - 1], pyramid2[level - 1]
            seen = [image1, image2]
            if flows:
                flow = UpsampleFlow(name=f"up_flow{level}")(flows[-1])
                warped = Warp("border", name=f"warp{level}")([image2, flow])
                seen = [image1, warped, Scale(FLOW_FEATURE, dtype="float32", name=f"flow_in{level}")(flow)]
            x = self.features[level](concat(f"level{level}_input", seen, self.dtype))
            residual = self.heads[level](x)
            flows.append(add(f"flow{level}", flow, residual) if flows else residual)
        return [UpsampleFlow(2, name="full_resolution")(flows[-1]), *flows[::-1]]
