"""FlowNetC ("correlation"): features of each frame, a cost volume over 41 x 41 px at 1/8, an encoder and decoder.

Dosovitskiy et al., FlowNet: Learning Optical Flow with Convolutional Networks, ICCV 2015. 39,175,298 parameters.
"""

from __future__ import annotations

from typing import ClassVar

from tfflow.layers import CentrePair, UpsampleFlow
from tfflow.models.blocks import chain
from tfflow.models.flownet import FlowNetBlocks


class FlowNetC:
    """Flow from 1/64 to 1/4. Each level predicts the whole flow. Layers and colours as in NVIDIA's flownet2-pytorch.

    Departure: as in FlowNetS.
    """

    stride = 64
    width: ClassVar[float] = 1.0

    def __init__(self, dtype: str = "float32"):
        normalize = CentrePair(dtype=dtype, name="normalize")
        self.blocks = FlowNetBlocks(dtype, width=self.width)
        self.encode = chain([normalize, self.blocks.features()])
        self.flows = self.blocks.correlated()

    def decode(self, features1, features2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        flows = self.blocks.in_px(self.flows(features1, features2))
        return [UpsampleFlow(4, name="full_resolution")(flows[0]), *flows]
