"""FlowNetS ("simple"): an encoder and decoder for both frames, concatenated.

Dosovitskiy et al., FlowNet: Learning Optical Flow with Convolutional Networks, ICCV 2015.
"""

from __future__ import annotations

from typing import ClassVar

from tfflow.layers import CentrePair, UpsampleFlow
from tfflow.models.blocks import concat
from tfflow.models.flownet import FlowNetBlocks


class FlowNetS:
    """Flow from 1/64 to 1/4. Each level predicts the whole flow. Layers and colours as in NVIDIA's flownet2-pytorch.

    Departure: the input is RGB; that of the authors' Caffe code is BGR.
    """

    stride = 64
    width: ClassVar[float] = 1.0

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        self.normalize = CentrePair(dtype=dtype, name="normalize")
        self.blocks = FlowNetBlocks(dtype, width=self.width, flow_bias=False)
        self.flows = self.blocks.simple()

    def encode(self, images):
        """The images minus the mean colour of their pair. There are no features of single frames."""
        return [self.normalize(images)]

    def decode(self, images1, images2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        flows = self.blocks.in_px(self.flows(concat("pair", [*images1, *images2], self.dtype)))
        return [UpsampleFlow(4, name="full_resolution")(flows[0]), *flows]
