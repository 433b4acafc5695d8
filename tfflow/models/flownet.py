"""The parts of FlowNetS, FlowNetC and stacks of them: a contracting part, and an expanding part that refines flow.

Dosovitskiy et al., FlowNet: Learning Optical Flow with Convolutional Networks, ICCV 2015.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tf_keras as keras

from tfflow.layers import CostVolume, Scale
from tfflow.models.blocks import KAIMING, Block, chain, concat, conv, deconv, flow_head

FLOW_UNIT = 20.0
"""Every level predicts flow in px of full resolution, divided by this."""
LEVELS = (6, 5, 4, 3, 2)
WIDTHS = {5: 512, 4: 256, 3: 128, 2: 64}
"""Number of channels that each level receives from the coarser one."""


class FlowNetBlocks:
    """The layers of one FlowNet.

    prefix: of every layer's name; it tells the networks of a stack apart. width: factor of all numbers of channels
    except those of costs and flow. symmetric: pads as Caffe and PyTorch do, else as TensorFlow does. flow_bias: whether
    the layers that upsample flow have a bias.
    """

    def __init__(self, dtype: str, prefix: str = "", width: float = 1.0, symmetric: bool = True, flow_bias=True):
        self.dtype, self.prefix, self.width, self.flow_bias = dtype, prefix, width, flow_bias
        self.options: dict[str, Any] = {"symmetric": symmetric, "init": KAIMING, "dtype": dtype}

    def conv(self, name: str, filters: int, kernel: int = 3, stride: int = 1, slope: float | None = 0.1) -> Block:
        return conv(f"{self.prefix}{name}", int(filters * self.width), kernel, stride, slope=slope, **self.options)

    def simple(self) -> Callable:
        """FlowNetS: all inputs of a pair, concatenated [b, h, w, c] -> flows of levels 2 to 6."""
        conv1, conv2 = self.conv("conv1", 64, 7, 2), self.conv("conv2", 128, 5, 2)
        conv3, conv3_1 = self.conv("conv3", 256, 5, 2), self.conv("conv3_1", 256)
        rest = self._rest()

        def apply(x):
            skip2 = conv2(conv1(x))
            return rest(skip2, conv3_1(conv3(skip2)))

        return apply

    def small(self) -> Callable:
        """FlowNetSD, for small motion: as `simple`, with 3x3 kernels and a linear convolution before each flow."""
        conv0 = self.conv("conv0", 64)
        conv1, conv1_1 = self.conv("conv1", 64, 3, 2), self.conv("conv1_1", 128)
        conv2, conv2_1 = self.conv("conv2", 128, 3, 2), self.conv("conv2_1", 128)
        conv3, conv3_1 = self.conv("conv3", 256, 3, 2), self.conv("conv3_1", 256)
        rest = self._rest(between=True)

        def apply(x):
            skip2 = chain([conv0, conv1, conv1_1, conv2, conv2_1])(x)
            return rest(skip2, conv3_1(conv3(skip2)))

        return apply

    def fusion(self) -> Callable:
        """FlowNet2's last network: two flows and their warping errors [b, h, w, c] -> flows of levels 0 to 2, px."""
        conv0 = self.conv("conv0", 64)
        conv1, conv1_1 = self.conv("conv1", 64, 3, 2), self.conv("conv1_1", 128)
        conv2, conv2_1 = self.conv("conv2", 128, 3, 2), self.conv("conv2_1", 128)
        heads = {n: flow_head(f"{self.prefix}flow{n}", init=KAIMING) for n in (2, 1, 0)}
        up_flow = {n: deconv(f"{self.prefix}up_flow{n}", 2, KAIMING) for n in (1, 0)}
        up = {1: self._up(1, 32), 0: self._up(0, 16)}
        between = {1: self.conv("between1", 32, slope=None), 0: self.conv("between0", 16, slope=None)}

        def apply(x):
            skip0 = conv0(x)
            skip1 = conv1_1(conv1(skip0))
            x = conv2_1(conv2(skip1))
            flows = [heads[2](x)]
            for level, skip in ((1, skip1), (0, skip0)):
                seen = [skip, up[level](x), up_flow[level](flows[-1])]
                x = concat(f"{self.prefix}refine{level}", seen, self.dtype)
                flows.append(heads[level](between[level](x)))
            return flows[::-1]

        return apply

    def features(self) -> Block:
        """FlowNetC's encoder: [b, h, w, 3] -> features of levels 2 and 3."""
        conv1, conv2 = self.conv("encoder1_conv1", 64, 7, 2), self.conv("encoder2_conv1", 128, 5, 2)
        conv3 = self.conv("encoder3_conv1", 256, 5, 2)

        def apply(images):
            level2 = conv2(conv1(images))
            return [level2, conv3(level2)]

        return apply

    def correlated(self, leaky: bool = True) -> Callable:
        """FlowNetC: features of both frames -> flows of levels 2 to 6. leaky: a leaky ReLU follows the costs."""
        costs = CostVolume(radius=20, stride=2, dtype=self.dtype, name=f"{self.prefix}cost_volume3")
        activation = keras.layers.LeakyReLU(0.1, dtype=self.dtype, name=f"{self.prefix}cost_leaky") if leaky else None
        redirect, conv3_1 = self.conv("conv_redir", 32, 1), self.conv("conv3_1", 256)
        rest = self._rest()

        def apply(features1, features2):
            matches = costs([features1[-1], features2[-1]])  # [b, h / 8, w / 8, 441]
            matches = activation(matches) if activation else matches
            x = concat(f"{self.prefix}matched", [redirect(features1[-1]), matches], self.dtype)
            return rest(features1[-2], conv3_1(x))

        return apply

    def _rest(self, between: bool = False) -> Callable:
        """Levels 4 to 6 and the expanding part: features of levels 2 and 3 -> five flows, fine to coarse.

        Flows are in px of full resolution divided by FLOW_UNIT. between: whether a linear convolution precedes each
        flow of the expanding part.
        """
        conv4, conv4_1 = self.conv("conv4", 512, 3, 2), self.conv("conv4_1", 512)
        conv5, conv5_1 = self.conv("conv5", 512, 3, 2), self.conv("conv5_1", 512)
        conv6, conv6_1 = self.conv("conv6", 1024, 3, 2), self.conv("conv6_1", 1024)
        heads = {n: flow_head(f"{self.prefix}flow{n}", init=KAIMING) for n in LEVELS}
        up_flow = {n: deconv(f"{self.prefix}up_flow{n}", 2, KAIMING, bias=self.flow_bias) for n in WIDTHS}
        up = {n: self._up(n, WIDTHS[n]) for n in WIDTHS}
        linear = {n: self.conv(f"between{n}", WIDTHS[n], slope=None) for n in WIDTHS if between}

        def apply(skip2, skip3):
            skip4 = conv4_1(conv4(skip3))
            skip5 = conv5_1(conv5(skip4))
            x = conv6_1(conv6(skip5))
            flows = [heads[6](x)]
            for level, skip in zip(WIDTHS, (skip5, skip4, skip3, skip2), strict=True):
                seen = [skip, up[level](x), up_flow[level](flows[-1])]
                x = concat(f"{self.prefix}refine{level}", seen, self.dtype)
                flows.append(heads[level](linear[level](x) if between else x))
            return flows[::-1]

        return apply

    def _up(self, level: int, filters: int) -> Block:
        layer = deconv(f"{self.prefix}up{level}", int(filters * self.width), KAIMING, self.dtype)
        leaky = keras.layers.LeakyReLU(0.1, dtype=self.dtype, name=f"{self.prefix}up{level}_leaky")
        return lambda x: leaky(layer(x))

    def in_px(self, flows: list, unit: float = FLOW_UNIT, finest: int = 2) -> list:
        """Converts flows from px of full resolution divided by `unit` to px of their own grids.

        finest: level of the first flow.
        """
        return [
            Scale(unit / 2**level, dtype="float32", name=f"{self.prefix}output{level}")(flow)
            for level, flow in enumerate(flows, finest)
        ]
