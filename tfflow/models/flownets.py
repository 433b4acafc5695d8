"""FlowNetS ("simple"): both frames side by side into one U of convolutions.

Dosovitskiy et al., FlowNet: Learning Optical Flow with Convolutional Networks, ICCV 2015.
"""

from __future__ import annotations

from tfflow.layers import Normalize, UpsampleFlow
from tfflow.models.blocks import concat
from tfflow.models.flownet import FlowNetBlocks

MEAN = (0.45, 0.432, 0.411)
"""Of RGB in the frames of Flying Chairs, taken off both frames."""


class FlowNetS:
    """Flow from 1/64 to 1/4, each level predicting the whole flow. Parameters as in NVIDIA's flownet2-pytorch.

    Departures: the mean taken off is a constant, where FlowNet2's programs take that of each pair; RGB in, where the
    authors' weights want BGR.
    """

    stride = 64

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        self.normalize = Normalize(MEAN, (1.0, 1.0, 1.0), dtype=dtype, name="normalize")
        self.blocks = FlowNetBlocks(dtype, flow_bias=False)
        self.flows = self.blocks.simple()

    def encode(self, images):
        """The images themselves, their mean taken off: frames are first seen together, in `decode`."""
        return [self.normalize(images)]

    def decode(self, images1, images2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        flows = self.blocks.in_px(self.flows(concat("pair", [*images1, *images2], self.dtype)))
        return [UpsampleFlow(4, name="full_resolution")(flows[0]), *flows]
