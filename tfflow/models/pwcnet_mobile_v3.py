"""The third PWC-Net for phones: `pwcnet_mobile_v2` and a last residual at half resolution, where small motion is seen.

The features of frame 2 at 1/2 are warped by the flow of `pwcnet_mobile_v2`, and three convolutions compare them with
those of frame 1. All other layers have the names of `pwcnet_mobile_v2`, so training can start from its weights.
"""

from __future__ import annotations

import tf_keras as keras

from tfflow.layers import Scale, UpsampleFlow, Warp
from tfflow.models.blocks import KAIMING, NEAR_ZERO, add, concat, conv, flow_head, stack
from tfflow.models.pwcnet_mobile_v2 import PWCNetMobileV2


class PWCNetMobileV3(PWCNetMobileV2):
    """Flow from 1/64 to 1/4 and its convex upsampling, then a residual at 1/2."""

    def __init__(self, dtype: str = "float32"):
        super().__init__(dtype)
        options = {"init": KAIMING, "dtype": dtype}
        self.halve_flow = keras.layers.AveragePooling2D(2, dtype="float32", name="half_flow_mean")
        self.reduce = conv("half_reduce", 12, kernel=1, slope=None, **options)
        self.context_reduce = conv("half_context", 8, kernel=1, **options)
        self.enlarge = keras.layers.UpSampling2D(2, interpolation="bilinear", dtype=dtype, name="half_context_up")
        self.compare = stack("half", (24, 16), **options)
        self.residual = flow_head("half_flow", init=NEAR_ZERO)

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        (full, *flows), x = self._coarse_to_fine(pyramid1, pyramid2)
        half = Scale(0.5, dtype="float32", name="half_flow_in")(self.halve_flow(full))
        warped = Warp(name="warp1")([self.reduce(pyramid2[0]), half])
        inputs = [self.reduce(pyramid1[0]), warped, self.enlarge(self.context_reduce(x))]
        residual = self.residual(self.compare(concat("half_input", inputs, self.dtype)))
        return [add("full_refined", full, UpsampleFlow(name="half_up")(residual)), *flows]
