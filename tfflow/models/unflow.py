"""UnFlow's stacks: a FlowNetC, followed by FlowNetS that also get the flow so far and its warping error.

Meister, Hur, Roth, UnFlow: Unsupervised Learning of Optical Flow with a Bidirectional Census Loss, AAAI 2018.
"""

from __future__ import annotations

from typing import ClassVar

from tfflow.layers import AbsoluteDifference, Normalize, UpsampleFlow, Warp
from tfflow.models.blocks import concat
from tfflow.models.flownet import FlowNetBlocks

MEAN = (104.920 / 255, 110.175 / 255, 114.786 / 255)
"""Mean of RGB, subtracted from both frames."""


class UnFlowC:
    """One FlowNetC without an activation after the costs, with TensorFlow's padding.

    refiners: number of FlowNetS that follow. The input of each is both frames, the flow so far, the warped second frame
    and the warping error. Layers of the k-th network are named netk_.... The outputs are the flows of the last network
    first, then those of the one before it. The networks can be trained one by one.
    Departures: flow between networks is upsampled with half-pixel centres. Gradients are not stopped between networks;
    a phase trains one network, so the others stay as they are.
    """

    stride = 64
    refiners: ClassVar[int] = 0
    width: ClassVar[float] = 1.0

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        self.normalize = Normalize(MEAN, (1.0, 1.0, 1.0), dtype=dtype, name="normalize")
        self.first = FlowNetBlocks(dtype, "net1_", self.width, symmetric=False)
        self.features, self.flows = self.first.features(), self.first.correlated(leaky=False)
        self.others = [FlowNetBlocks(dtype, f"net{k + 2}_", self.width, symmetric=False) for k in range(self.refiners)]
        self.refined = [blocks.simple() for blocks in self.others]

    def encode(self, images):
        """The images minus the mean, and features of levels 2 and 3."""
        images = self.normalize(images)
        return [images, *self.features(images)]

    def decode(self, features1, features2):
        """The flows of each network, the last one first: at full resolution, then of levels 2 (1/4) to 6 (1/64)."""
        nets = [self._finished(self.first, self.flows(features1, features2))]
        for blocks, refined in zip(self.others, self.refined, strict=True):
            nets.insert(0, self._finished(blocks, refined(self._seen(blocks, features1[0], features2[0], nets[0][0]))))
        return [flow for net in nets for flow in net]

    def _finished(self, blocks: FlowNetBlocks, flows: list) -> list:
        flows = blocks.in_px(flows)
        return [UpsampleFlow(4, name=f"{blocks.prefix}full_resolution")(flows[0]), *flows]

    def _seen(self, blocks: FlowNetBlocks, image1, image2, flow):
        warped = Warp("border", name=f"{blocks.prefix}warp")([image2, flow])
        left = AbsoluteDifference(dtype=self.dtype, name=f"{blocks.prefix}difference")([warped, image1])
        return concat(f"{blocks.prefix}input", [image1, image2, flow, warped, left], self.dtype)  # [b, h, w, 14]


class UnFlowCS(UnFlowC):
    """Two networks."""

    refiners = 1


class UnFlowCSS(UnFlowC):
    """Three networks."""

    refiners = 2


class UnFlowThinCSS(UnFlowCSS):
    """Three networks with 3/8 of the channels: "css" in the authors' code."""

    width = 3 / 8
