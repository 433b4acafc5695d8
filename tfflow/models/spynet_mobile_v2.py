"""The second SpyNet for phones: the encoder of `pwcnet_mobile_v2`, small decoders, and its convex upsampling.

Flow starts at 1/64 and each level adds a residual, as in SPyNet. The finest level, at 1/4, compares the features of
frame 1 with the warped ones of frame 2, by convolutions alone. Departures from SPyNet: features are learned, levels at
1/8 and coarser match by a small cost volume, and the three coarsest share a decoder.
"""

from __future__ import annotations

import tf_keras as keras

from tfflow.layers import ConvexUpsample, L2Normalize, Normalize, Scale, UpsampleFlow, Warp
from tfflow.models.blocks import KAIMING, NEAR_ZERO, add, chain, concat, conv, cost_volume, encoder, flow_head, stack
from tfflow.models.join import unjoined
from tfflow.models.pwcnet_mobile import FLOW_FEATURE

COARSEST, FINEST = 6, 2
CHANNELS = (16, 32, 48, 64)
REDUCED = {4: 24, 3: 16, 2: 16}
RADIUS = {4: 3, 3: 2}
FILTERS = {4: (64, 64, 48, 32), 3: (64, 48, 32), 2: (32, 32)}
"""By level; level 4 (1/16) stands for the coarser ones, too."""


class SpyNetMobileV2:
    """Flow from 1/64 to 1/4, each level adding its residual, then at full resolution."""

    stride = 64

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        options = {"init": KAIMING, "dtype": dtype}
        standardize = Normalize((0.45, 0.45, 0.45), (0.25, 0.25, 0.25), dtype=dtype, name="standardize")
        self.encode = chain([standardize, encoder(CHANNELS, convs_per_level=2, **options)])
        self.halve = keras.layers.AveragePooling2D(2, dtype=dtype, name="halve")
        self.normalize = {
            n: L2Normalize(CHANNELS[n - 1] ** 0.5, epsilon=1e-6, centred=True, dtype=dtype, name=f"normalize{n}")
            for n in RADIUS
        }
        self.reduce = {n: conv(f"reduce{n}", width, kernel=1, **options) for n, width in REDUCED.items()}
        self.features = {n: stack(f"level{n}", widths, **options) for n, widths in FILTERS.items()}
        self.heads = {n: flow_head(f"level{n}_flow", init=NEAR_ZERO) for n in FILTERS}
        self.upsampling = conv("convex", 9 * 4**2, kernel=1, slope=None, init=NEAR_ZERO, dtype=dtype)

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
        pyramid1, pyramid2 = list(pyramid1), list(pyramid2)
        while len(pyramid1) < COARSEST:
            pyramid1.append(self.halve(pyramid1[-1]))
            pyramid2.append(self.halve(pyramid2[-1]))
        flows = []
        for level in range(COARSEST, finest - 1, -1):
            own = min(level, max(FILTERS))
            features1, features2 = pyramid1[level - 1], pyramid2[level - 1]
            inputs = [self.reduce[own](features1)]
            if own not in RADIUS:
                features2 = self.reduce[own](features2)  # before it is warped: half the channels to warp
            if flows:
                flow = UpsampleFlow(name=f"{prefix}up_flow{level}")(join(level + 1, flows[-1]))
                features2 = Warp(name=f"{prefix}warp{level}")([features2, flow])
            if own in RADIUS:
                both = (self.normalize[own](x) for x in (features1, features2))
                inputs.append(cost_volume(f"{prefix}{level}", *both, self.dtype, RADIUS[own]))
            else:
                inputs.append(features2)
            if level < max(FILTERS):
                inputs.append(Scale(FLOW_FEATURE, dtype="float32", name=f"{prefix}flow_in{level}")(flow))
            x = self.features[own](concat(f"{prefix}level{level}_input", inputs, self.dtype))
            residual = self.heads[own](x)
            flows.append(add(f"{prefix}flow{level}", flow, residual) if flows else residual)
        return flows, x
