"""Networks for phones that end with steps of Lucas and Kanade on the frames.

The finest level of a small network is 1/4, where a fraction of a pixel is hard to see. A step corrects it and has no
weights: those of the network without it fit.
"""

from __future__ import annotations

from typing import ClassVar

import tf_keras as keras

from tfflow.layers import LucasKanade, UpsampleFlow
from tfflow.models.blocks import Block
from tfflow.models.join import SmallerFrames
from tfflow.models.pwcnet_mobile import PWCNetMobile
from tfflow.models.pwcnet_mobile_v2 import PWCNetMobileV2
from tfflow.models.spynet_mobile_v2 import SpyNetMobileV2


class PWCNetMobileLK(PWCNetMobile):
    """`pwcnet_mobile`, then a step of Lucas and Kanade at half resolution and one at full resolution.

    For short trainings without labels: already with random weights, the steps tell slow motion from none.
    """

    def __init__(self, dtype: str = "float32"):
        super().__init__(dtype)
        halve = keras.layers.AveragePooling2D(2, dtype="float32", name="half_frames")
        self.encode = _with_frames(_with_frames(self.encode), halve)

    def decode(self, pyramid1, pyramid2):
        """Flow at full resolution, then of levels 2 (1/4) to 5 (1/32), each in px of its own grid."""
        half1, frame1, *features1 = pyramid1
        half2, frame2, *features2 = pyramid2
        _, *coarser = super().decode(features1, features2)
        flow = UpsampleFlow(name="up_half_resolution")(coarser[0])
        flow = LucasKanade(name="lucas_kanade_half")([half1, half2, flow])
        flow = UpsampleFlow(name="up_full_resolution")(flow)
        return [LucasKanade(name="lucas_kanade")([frame1, frame2, flow]), *coarser]


class LastStep:
    """Mixin: the flow of the network after it in the list of base classes, then one step of Lucas and Kanade."""

    encode: Block

    def __init__(self, dtype: str = "float32"):
        super().__init__(dtype)  # type: ignore[call-arg]
        self.encode = _with_frames(self.encode)

    def decode(self, pyramid1, pyramid2):
        """The flows of the network. The first one, at full resolution, has taken the step."""
        frame1, *features1 = pyramid1
        frame2, *features2 = pyramid2
        flow, *coarser = super().decode(features1, features2)  # type: ignore[misc]
        return [LucasKanade(name="lucas_kanade")([frame1, frame2, flow]), *coarser]


class PWCNetMobileV3(LastStep, PWCNetMobileV2):
    """`pwcnet_mobile_v2`, then one step of Lucas and Kanade."""


class SpyNetMobileV3(LastStep, SpyNetMobileV2):
    """`spynet_mobile_v2`, then one step of Lucas and Kanade."""


class PWCNetMobileV4(LastStep, SmallerFrames, PWCNetMobileV2):
    """`pwcnet_mobile_v3`, whose flow at 1/16 is joined with that of frames at half and at a quarter of the size."""


class PWCNetMobileV5(PWCNetMobileV4):
    """`pwcnet_mobile_v4` with less work on the two finest grids: fewer displacements compared, and fewer channels.

    Flow is nearly right there. A pair of 256x448 px takes 2.2 instead of 3.0 billion multiply-adds.
    """

    decoders: ClassVar = {**PWCNetMobileV4.decoders, 2: (48, 32, 32)}
    context_channels = (32, 32, 32, 32, 32)
    radii: ClassVar = {**PWCNetMobileV4.radii, 3: 3, 2: 2}


class SpyNetMobileV4(LastStep, SmallerFrames, SpyNetMobileV2):
    """`spynet_mobile_v3`, joined in the same way."""


def _with_frames(encode: Block, resize: Block = lambda images: images) -> Block:
    """An encoder that gives the frames themselves first, resized if asked, then its features."""
    return lambda images: [resize(images), *encode(images)]
