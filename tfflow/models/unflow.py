"""UnFlow's stacks: a FlowNetC, and FlowNetS after FlowNetS that see what the flow so far explains and what not.

Meister, Hur, Roth, UnFlow: Unsupervised Learning of Optical Flow with a Bidirectional Census Loss, AAAI 2018.
"""

from __future__ import annotations

from typing import ClassVar

from tfflow.layers import AbsoluteDifference, Normalize, UpsampleFlow, Warp
from tfflow.models.blocks import concat
from tfflow.models.flownet import FlowNetBlocks

MEAN = (104.920 / 255, 110.175 / 255, 114.786 / 255)
"""Of RGB, taken off both frames."""


class UnFlowC:
    """One FlowNetC whose costs pass no activation and whose convolutions pad as TensorFlow's.

    Layers of the k-th network are named netk_...; `refiners` more networks follow the first, each a FlowNetS on both
    frames, the flow so far, the second frame warped by it, and what is left of the difference. A stack gives the flows
    of its last network first, then those of the one before it, so that one after the other can be trained.
    Departures: flow between networks is upsampled with half-pixel centres; its gradient is not cut: what a phase does
    not train stays as it is.
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
        """The images, their mean taken off, and features of levels 2 and 3."""
        images = self.normalize(images)
        return [images, *self.features(images)]

    def decode(self, features1, features2):
        """Of each network, the last one first: flow at full resolution, then of levels 2 (1/4) to 6 (1/64)."""
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
    """Three networks of 3/8 of the channels: "css" in the authors' code."""

    width = 3 / 8
