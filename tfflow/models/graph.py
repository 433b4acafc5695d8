"""A network's two graphs over the same weights: one direction to use it, both directions to train it."""

from __future__ import annotations

from typing import Protocol

import tf_keras as keras

from tfflow.layers import Frame, StackFrames, SwapFrames


class Network(Protocol):
    """Layers in the order of the paper's figure. Frames are encoded one by one and compared pair by pair.

    stride: height and width must be multiples of it.
    encode: [b, h, w, 3] RGB in [0, 1] -> list of features, fine to coarse.
    decode: features of frame 1 and of frame 2 -> flows, the first at full resolution, then fine to coarse, each
        [b, h', w', 2] in px of its own grid. A stack of networks lists its last one's first, then the same of the
        one before it, and so on.
    """

    stride: int

    def encode(self, images): ...

    def decode(self, features1, features2): ...


def one_direction(network: Network, size: tuple = (None, None), batch: int | None = None) -> keras.Model:
    """[image1, image2], each [b, h, w, 3] -> flows 1->2, fine to coarse, each [b, h', w', 2].

    Both frames take one pass through the encoder.
    """
    inputs, features = _encoded(network, size, batch)
    features1 = [Frame(0, 2, name=f"frame1_level{i}")(f) for i, f in enumerate(features, 1)]
    features2 = [Frame(1, 2, name=f"frame2_level{i}")(f) for i, f in enumerate(features, 1)]
    return keras.Model(inputs, network.decode(features1, features2))


def both_directions(network: Network, size: tuple = (None, None), batch: int | None = None) -> keras.Model:
    """[image1, image2], each [b, h, w, 3] -> flows, fine to coarse, each [2 * b, h', w', 2]: 1->2, then 2->1.

    Each frame is encoded once, and both directions are decoded in one pass.
    """
    inputs, features = _encoded(network, size, batch)
    swapped = [SwapFrames(name=f"swap{i}")(f) for i, f in enumerate(features, 1)]
    return keras.Model(inputs, network.decode(features, swapped))


def _encoded(network: Network, size: tuple, batch: int | None):
    if any(n and n % network.stride for n in size):
        raise ValueError(f"size must be a multiple of the network's stride {network.stride}, got {size}")
    inputs = [keras.Input((*size, 3), batch, name=name) for name in ("image1", "image2")]
    return inputs, network.encode(StackFrames(name="frames")(inputs))
