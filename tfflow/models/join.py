"""Large motion: flow of smaller frames, joined with that of the frames at full size.

A network finds motion up to some number of pixels. At half the size, motion is half as many pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tf_keras as keras

from tfflow.layers import ChooseFlow, HalveFrames, ResizeFlowLike, StackFrames, Warp
from tfflow.models.blocks import Block

Join = Callable[[int, Any], Any]
"""Called with a level and its flow, [b, h, w, 2]. What it returns, the next finer level starts from."""

SMALLER = 2
"""Sizes besides the full one: 1/2 and 1/4 of the frames."""
FINEST = 3
"""The last level of smaller frames: 1/8 of their size."""
JOINED = FINEST + 1
"""The level whose flow that of the smaller frames replaces: it has about the same grid."""


def unjoined(level: int, flow):
    """The flow as it is."""
    return flow


class SmallerFrames:
    """Mixin: the network after it in the list of base classes estimates flow from smaller frames first.

    The frames at a quarter of the size give flow to those at half, and these to the full size. At 1/16, a pixel takes
    the flow of the smaller frames where that explains the features clearly better (`ops.choose_flow`). The finer levels
    correct it. All sizes share all weights. The network needs `encode`, `levels`, `upsampled` and `normalize`, as
    `PWCNetMobileV2` has them.
    Source: networks for large and for small motion, joined by a last one, FlowNet 2.0 (Ilg et al. 2017). Here one
    network is both, and the join has no weights.
    """

    encode: Block
    stride: int
    normalize: dict[int, keras.layers.Layer]
    levels: Callable[..., Any]
    upsampled: Callable[..., Any]

    def __init__(self, dtype: str = "float32"):
        super().__init__(dtype)  # type: ignore[call-arg]
        self.encode = _of_all_sizes(self.encode, [f"half_frames{n}" for n in range(1, SMALLER + 1)], self.stride)

    def decode(self, pyramid1, pyramid2):
        """The flows of the network over the frames at full size."""
        sizes = list(zip(_split(pyramid1), _split(pyramid2), strict=True))
        join = unjoined
        for place in range(SMALLER, 0, -1):
            prefix = f"half{place}_"
            flows, _ = self.levels(*sizes[place], finest=FINEST, prefix=prefix, join=join)
            join = self._joins(f"{prefix}joined", *sizes[place - 1], flows[-1])
        return self.upsampled(*self.levels(*sizes[0], join=join))

    def _joins(self, name: str, pyramid1, pyramid2, other) -> Join:
        """Joins `other`, the flow of frames of half the size, with the flow of level `JOINED` of these frames."""
        features1, features2 = pyramid1[JOINED - 1], pyramid2[JOINED - 1]
        normalize = self.normalize[JOINED]

        def join(level: int, flow):
            if level != JOINED:
                return flow
            resized = ResizeFlowLike(name=f"{name}_resized")([other, flow])
            flows = StackFrames(name=f"{name}_flows")([flow, resized])
            twice = StackFrames(name=f"{name}_features")([features2, features2])
            warped = normalize(Warp(name=f"{name}_warp")([twice, flows]))
            return ChooseFlow(name=name)([normalize(features1), warped, flows])

        return join


def _of_all_sizes(encode: Block, names: list[str], multiple: int) -> Block:
    """An encoder that gives the features of the frames, then those of frames half as large, and so on."""

    def apply(images):
        features = encode(images)
        for name in names:
            images = HalveFrames(multiple, name=name)(images)
            features = [*features, *encode(images)]
        return features

    return apply


def _split(pyramid) -> list[list]:
    """The features of each size."""
    count = len(pyramid) // (SMALLER + 1)
    return [pyramid[i * count : (i + 1) * count] for i in range(SMALLER + 1)]
