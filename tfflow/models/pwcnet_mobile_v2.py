"""The second PWC-Net for phones: larger motion and sharper edges than `pwcnet_mobile`, with few more weights.

A sixth level at 1/64 shares the decoder of the fifth, so motion may be twice as large. Convex upsampling with learned
weights replaces the bilinear one. All other layers are those of `pwcnet_mobile`, with the same names, so training can
start from its weights.
"""

from __future__ import annotations

from typing import ClassVar

import tf_keras as keras

from tfflow.layers import ConvexUpsample, UpsampleFlow, Warp
from tfflow.models.blocks import NEAR_ZERO, add, concat, conv, cost_volume
from tfflow.models.join import unjoined
from tfflow.models.pwcnet_mobile import PWCNetMobile

COARSEST, FINEST = 6, 2


class PWCNetMobileV2(PWCNetMobile):
    """Six feature levels. Flow from 1/64 to 1/4; each level adds a residual. Then convex upsampling."""

    stride = 64
    radii: ClassVar[dict[int, int]] = {5: 4, 4: 4, 3: 4, 2: 4}
    """Of the cost volumes: displacements of so many px of a level's grid are compared."""

    def __init__(self, dtype: str = "float32"):
        super().__init__(dtype)
        self.halve = keras.layers.AveragePooling2D(2, dtype=dtype, name="halve")
        self.upsampling = conv("upsampling", 9 * 4**2, kernel=1, slope=None, init=NEAR_ZERO, dtype=dtype)

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        return self.upsampled(*self.levels(pyramid1, pyramid2))

    def upsampled(self, flows, x):
        """What `decode` gives, of what `levels` gives."""
        return [ConvexUpsample(4, name="full_resolution")([flows[-1], self.upsampling(x)]), *flows[::-1]]

    def levels(self, pyramid1, pyramid2, finest=FINEST, prefix="", join=unjoined):
        """Flows of level 6 (1/64) to `finest`, each in px of its own grid, and the features of the last one.

        prefix: of the names of layers, so that one graph can call this twice. join: see `join.Join`.
        """
        pyramid1, pyramid2 = ([*pyramid, self.halve(pyramid[-1])] for pyramid in (pyramid1, pyramid2))
        flows = []
        for level in range(COARSEST, finest - 1, -1):
            own = min(level, max(self.decoders))  # 1/64 shares the layers of 1/32
            features1, features2 = pyramid1[level - 1], pyramid2[level - 1]
            normal1 = self.normalize[own](features1)
            if flows:
                flow = UpsampleFlow(name=f"{prefix}up_flow{level}")(join(level + 1, flows[-1]))
                features2 = Warp(name=f"{prefix}warp{level}")([features2, flow])
            normal2 = self.normalize[own](features2)
            inputs = [cost_volume(f"{prefix}{level}", normal1, normal2, self.dtype, self.radii[own])]
            inputs.append(self.narrow[own](features1))
            if level < max(self.decoders):
                inputs.append(self._as_feature(f"{prefix}flow_in{level}", flow))
            x = self.features[own](concat(f"{prefix}decoder{level}_input", inputs, self.dtype))
            residual = self.heads[own](x)
            flow = add(f"{prefix}flow{level}", flow, residual) if flows else residual
            flows.append(flow)
        if finest == FINEST:
            seen = [x, self._as_feature(f"{prefix}flow_in_context", flow)]
            x = self.context(concat(f"{prefix}context_input", seen, self.dtype))
            flows[-1] = add(f"{prefix}refined", flow, self.context_flow(x))
        return flows, x
