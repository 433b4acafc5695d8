"""FlowNet2: a FlowNetC followed by two FlowNetS, a network for small displacements, and one that fuses both flows.

Ilg et al., FlowNet 2.0: Evolution of Optical Flow Estimation with Deep Networks, CVPR 2017. 162,518,834 parameters.
"""

from __future__ import annotations

from typing import ClassVar

import tf_keras as keras

from tfflow.layers import CentrePair, Length, Scale, UpsampleFlow, Warp
from tfflow.models.blocks import concat
from tfflow.models.flownet import FLOW_UNIT, FlowNetBlocks


class FlowNet2:
    """The networks C, S1, S2, SD and fusion, with layers named net1_... to net5_.... They are trained one by one.

    The input of S1 and S2 is both frames, the warped second frame, the flow so far, and the length of the warping
    error. The input of SD is the frames. The outputs are the flows of the fusion network (1/1 to 1/4), then those of
    SD, S2, S1 and C (full resolution and 1/4 to 1/64).
    Departure: gradients are not stopped between networks. A phase trains one network, so the others stay as they are.
    """

    stride = 64
    width: ClassVar[float] = 1.0

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        self.centre = CentrePair(dtype=dtype, name="normalize")
        self.c, self.s1, self.s2, self.sd, self.last = (
            FlowNetBlocks(dtype, f"net{k}_", self.width, flow_bias=k not in (2, 3)) for k in (1, 2, 3, 4, 5)
        )
        self.features, self.first = self.c.features(), self.c.correlated()
        self.second, self.third = self.s1.simple(), self.s2.simple()
        self.small, self.fused = self.sd.small(), self.last.fusion()

    def encode(self, images):
        """The images minus the mean colour of their pair, and features of levels 2 and 3."""
        images = self.centre(images)
        return [images, *self.features(images)]

    def decode(self, features1, features2):
        """The flows of each network, the last one first: at full resolution, then fine to coarse."""
        image1, image2 = features1[0], features2[0]
        first = self._smooth(self.c, self.first(features1, features2))
        second = self._smooth(self.s1, self.second(self._seen(self.s1, image1, image2, first[0])))
        third = self._blocky(self.s2, self.third(self._seen(self.s2, image1, image2, second[0])))
        small = self._blocky(self.sd, self.small(concat("net4_input", [image1, image2], self.dtype)), 1 / FLOW_UNIT)
        fused = self.fused(self._compared(image1, image2, small[0], third[0]))
        return [*self.last.in_px(fused, unit=1.0, finest=0), *small, *third, *second, *first]

    def _smooth(self, blocks: FlowNetBlocks, flows: list) -> list:
        flows = blocks.in_px(flows)
        return [UpsampleFlow(4, name=f"{blocks.prefix}full_resolution")(flows[0]), *flows]

    def _blocky(self, blocks: FlowNetBlocks, flows: list, unit: float = FLOW_UNIT) -> list:
        """The finest flow of S2 and SD is upsampled by repetition over 4x4 px."""
        flows = blocks.in_px(flows, unit)
        repeated = keras.layers.UpSampling2D(4, dtype="float32", name=f"{blocks.prefix}repeated")(flows[0])
        return [Scale(4.0, dtype="float32", name=f"{blocks.prefix}full_resolution")(repeated), *flows]

    def _left(self, name: str, image1, image2, flow):
        """The warped second frame, and the length of its difference from the first one."""
        warped = Warp("border", name=f"{name}_warp")([image2, flow])
        left = keras.layers.Subtract(dtype=self.dtype, name=f"{name}_left")([image1, warped])
        return warped, Length(dtype=self.dtype, name=f"{name}_error")(left)

    def _seen(self, blocks: FlowNetBlocks, image1, image2, flow):
        warped, error = self._left(f"{blocks.prefix}so_far", image1, image2, flow)
        shown = Scale(1 / FLOW_UNIT, dtype="float32", name=f"{blocks.prefix}flow_in")(flow)
        return concat(f"{blocks.prefix}input", [image1, image2, warped, shown, error], self.dtype)  # [b, h, w, 12]

    def _compared(self, image1, image2, small, large):
        both = (("net5_small", small), ("net5_large", large))
        speeds = [Length(dtype="float32", name=f"{name}_speed")(flow) for name, flow in both]
        errors = [self._left(name, image1, image2, flow)[1] for name, flow in both]
        return concat("net5_input", [image1, small, large, *speeds, *errors], self.dtype)  # [b, h, w, 11]
