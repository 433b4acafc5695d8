"""The third networks for phones: the second ones and a step of Lucas and Kanade on the frames at full resolution.

The finest level of a small network is 1/4, where a fraction of a pixel is hard to see. The step corrects it and has no
weights: those of the second networks fit.
"""

from __future__ import annotations

from tfflow.layers import LucasKanade
from tfflow.models.blocks import Block
from tfflow.models.pwcnet_mobile_v2 import PWCNetMobileV2
from tfflow.models.spynet_mobile_v2 import SpyNetMobileV2


class PWCNetMobileV3(PWCNetMobileV2):
    """`pwcnet_mobile_v2`, then one step of Lucas and Kanade."""

    def __init__(self, dtype: str = "float32"):
        super().__init__(dtype)
        self.encode = _with_frames(self.encode)

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        return _with_step(super().decode, pyramid1, pyramid2)


class SpyNetMobileV3(SpyNetMobileV2):
    """`spynet_mobile_v2`, then one step of Lucas and Kanade."""

    def __init__(self, dtype: str = "float32"):
        super().__init__(dtype)
        self.encode = _with_frames(self.encode)

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        return _with_step(super().decode, pyramid1, pyramid2)


def _with_frames(encode: Block) -> Block:
    """An encoder that gives the frames themselves first, then its features."""
    return lambda images: [images, *encode(images)]


def _with_step(decode: Block, pyramid1, pyramid2):
    """The flows of a decoder, with a step on the frames, which come first in each pyramid, at full resolution."""
    frame1, *features1 = pyramid1
    frame2, *features2 = pyramid2
    flow, *coarser = decode(features1, features2)
    return [LucasKanade(name="lucas_kanade")([frame1, frame2, flow]), *coarser]
