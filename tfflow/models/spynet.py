"""SpyNet: a pyramid of images, and at each level a small network that predicts the residual flow.

Ranjan and Black, Optical Flow Estimation using a Spatial Pyramid Network, CVPR 2017. 240,050 parameters a level.
"""

from __future__ import annotations

import copy

import tf_keras as keras

from tfflow.layers import Normalize, UpsampleFlow, Warp, ZeroFlow
from tfflow.models.blocks import TORCH, add, chain, concat, conv, flow_head


class SpyNet:
    """Six levels from 1/32 to full resolution. Level k adds its residual to the upsampled flow of level k - 1.

    longest_sides: as in the authors' program, small frames use fewer levels, see `models.Network`.
    Departure: training here, and weights trained here, always use six levels.
    """

    stride = 32
    longest_sides = (32, 64, 128, 256, 512)

    def __init__(self, dtype: str = "float32", levels: int = 6):
        self.dtype, self.levels = dtype, levels
        self.normalize = Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), name="normalize")
        self.halve = keras.layers.AveragePooling2D(2, name="halve")
        self.residual = [self._level(f"level{k}") for k in range(1, levels + 1)]  # coarse to fine

    def _level(self, name: str):
        convs = [
            conv(f"{name}_conv{i}", filters, kernel=7, slope=0, init=TORCH, dtype=self.dtype)
            for i, filters in enumerate((32, 64, 32, 16), 1)
        ]
        return chain([*convs, flow_head(f"{name}_flow", kernel=7, init=TORCH)])

    def first_levels(self, count: int) -> SpyNet:
        """The network of levels 1 to `count`, with the same weights. The last of them is at full resolution."""
        part = copy.copy(self)
        part.levels, part.residual = count, self.residual[:count]
        return part

    def encode(self, images):
        """The normalised images at six sizes, each half of the one before: [b, h, w, 3] -> fine to coarse."""
        pyramid = [self.normalize(images)]
        while len(pyramid) < self.levels:
            pyramid.append(self.halve(pyramid[-1]))
        return pyramid

    def decode(self, pyramid1, pyramid2):
        """Flow of every level, fine to coarse, each in px of its own grid. The first is at full resolution."""
        flows = []
        for k, (image1, image2) in enumerate(zip(reversed(pyramid1), reversed(pyramid2), strict=True), 1):
            if flows:
                flow = UpsampleFlow(align_corners=True, name=f"level{k}_upsample")(flows[-1])
                image2 = Warp("border", name=f"level{k}_warp")([image2, flow])
            else:
                flow = ZeroFlow(name="zero_flow")(image1)
            seen = concat(f"level{k}_input", [image1, image2, flow], self.dtype)
            flows.append(add(f"level{k}_sum", flow, self.residual[k - 1](seen)))
        return flows[::-1]
