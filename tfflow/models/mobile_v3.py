"""The third networks for phones: the second ones and a step of Lucas and Kanade on the frames at full resolution.

The finest level of a small network is 1/4, where a fraction of a pixel is hard to see. The step corrects it and has no
weights: those of the second networks fit.
"""

from __future__ import annotations

from tfflow.layers import LucasKanade
from tfflow.models.pwcnet_mobile_v2 import PWCNetMobileV2
from tfflow.models.spynet_mobile_v2 import SpyNetMobileV2


class _LastStep:
    """Before a network in the order of base classes: adds the step to its flow at full resolution."""

    def __init__(self, dtype: str = "float32"):
        super().__init__(dtype)
        features = self.encode
        self.encode = lambda images: [images, *features(images)]

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        (frame1, *pyramid1), (frame2, *pyramid2) = pyramid1, pyramid2
        flow, *coarser = super().decode(pyramid1, pyramid2)
        return [LucasKanade(name="lucas_kanade")([frame1, frame2, flow]), *coarser]


class PWCNetMobileV3(_LastStep, PWCNetMobileV2):
    """`pwcnet_mobile_v2`, then one step of Lucas and Kanade."""


class SpyNetMobileV3(_LastStep, SpyNetMobileV2):
    """`spynet_mobile_v2`, then one step of Lucas and Kanade."""
