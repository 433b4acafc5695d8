"""FlowNetC ("correlation"): features of each frame, matched over 41 x 41 px at 1/8, then a U of convolutions.

Dosovitskiy et al., FlowNet: Learning Optical Flow with Convolutional Networks, ICCV 2015. 39,175,298 parameters.
"""

from __future__ import annotations

from tfflow.layers import Normalize, UpsampleFlow
from tfflow.models.blocks import chain
from tfflow.models.flownet import FlowNetBlocks
from tfflow.models.flownets import MEAN


class FlowNetC:
    """Flow from 1/64 to 1/4, each level predicting the whole flow. Parameters as in NVIDIA's flownet2-pytorch.

    Departures: as FlowNetS.
    """

    stride = 64

    def __init__(self, dtype: str = "float32"):
        normalize = Normalize(MEAN, (1.0, 1.0, 1.0), dtype=dtype, name="normalize")
        self.blocks = FlowNetBlocks(dtype)
        self.encode = chain([normalize, self.blocks.features()])
        self.flows = self.blocks.correlated()

    def decode(self, features1, features2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        flows = self.blocks.in_px(self.flows(features1, features2))
        return [UpsampleFlow(4, name="full_resolution")(flows[0]), *flows]
