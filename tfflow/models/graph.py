"""A network's two graphs over the same weights: one direction to use it, both directions to train it."""

from __future__ import annotations

from typing import Protocol

import tensorflow as tf
import tf_keras as keras

from tfflow.layers import CropLike, Frame, PadToMultiple, StackFrames, SwapFrames


class Network(Protocol):
    """Layers in the order of the paper's figure. Frames are encoded one by one and compared pair by pair.

    stride: height and width must be multiples of it.
    encode: [b, h, w, 3] RGB in [0, 1] -> list of features, fine to coarse.
    decode: features of frame 1 and of frame 2 -> flows, the first at full resolution, then fine to coarse, each
        [b, h', w', 2] in px of its own grid. A stack of networks lists its last one's first, then the same of the
        one before it, and so on.
    frames: 3 where decode takes a third argument, the features of the frame before frame 1; 2 where it is not said.
    outputs: what decode's list holds, ("flows12",) where it is not said: names of fields of `losses.View`, each with
        as many maps of the same grids, one field's after the other's.
    longest_sides: longer sides of frames up to which 1, 2, ... levels are used with the authors' weights, above the
        last all; () where it is not said. first_levels(count) then gives the network of so many levels over the same
        weights.
    """

    stride: int

    def encode(self, images): ...

    def decode(self, features1, features2, *before): ...


def frames_of(network: Network | type) -> int:
    """How many frames the network looks at: 2, or 3 with the frame before the first."""
    return getattr(network, "frames", 2)


def longest_sides_of(network: Network) -> tuple[int, ...]:
    """See `Network.longest_sides`."""
    return getattr(network, "longest_sides", ())


def outputs_of(network: Network) -> tuple[str, ...]:
    """What the network's list of maps holds, see `Network.outputs`."""
    return getattr(network, "outputs", ("flows12",))


def one_direction(network: Network, size: tuple = (None, None), batch: int | None = None) -> keras.Model:
    """[image1, image2], each [b, h, w, 3] -> flows 1->2, fine to coarse, each [b, h', w', 2].

    A network of three frames takes [image1, image2, image0], the last one the frame before image1.
    All frames take one pass through the encoder.
    """
    count = frames_of(network)
    inputs, features = _encoded(network, ("image1", "image2", "image0")[:count], size, batch)
    frames = [
        [Frame(place, count, name=f"frame{frame}_level{i}")(f) for i, f in enumerate(features, 1)]
        for place, frame in enumerate((1, 2, 0)[:count])
    ]
    return keras.Model(inputs, network.decode(*frames))


def any_size(network: Network, name: str) -> keras.Model:
    """[image1, image2] or {"image1", "image2"}, each [b, h, w, 3] RGB in [0, 1], of any size -> flow [b, h, w, 2], px.

    One pass of the whole network. It pads to the stride and crops back; image0 is the third input of a network of three
    frames. name: of the Keras model; weights keep the names that they have in the network.
    """
    count = frames_of(network)
    inputs = [keras.Input((None, None, 3), name=n) for n in ("image1", "image2", "image0")[:count]]
    padded = [PadToMultiple(network.stride, name=f"{x.name}_padded")(x) for x in inputs]
    features = network.encode(StackFrames(name="frames")(padded))
    frames = [
        [Frame(place, count, name=f"frame{frame}_level{i}")(f) for i, f in enumerate(features, 1)]
        for place, frame in enumerate((1, 2, 0)[:count])
    ]
    flow = CropLike(name="flow")([tf.nest.flatten(network.decode(*frames))[0], inputs[0]])
    return keras.Model(inputs, flow, name=name)


def both_directions(network: Network, size: tuple = (None, None), batch: int | None = None) -> keras.Model:
    """[image1, image2], each [b, h, w, 3] -> flows, fine to coarse, each [2 * b, h', w', 2]: 1->2, then 2->1.

    A network of three frames takes [image1, image2, image0, image3]: back in time, what comes before image2 is image3.
    Each frame is encoded once, and both directions are decoded in one pass.
    """
    if frames_of(network) == 2:
        inputs, features = _encoded(network, ("image1", "image2"), size, batch)
        around = []
    else:
        inputs, stacked = _encoded(network, ("image1", "image2", "image0", "image3"), size, batch)
        features = [Frame(0, 2, name=f"pair_level{i}")(f) for i, f in enumerate(stacked, 1)]
        around = [[Frame(1, 2, name=f"around_level{i}")(f) for i, f in enumerate(stacked, 1)]]
    swapped = [SwapFrames(name=f"swap{i}")(f) for i, f in enumerate(features, 1)]
    return keras.Model(inputs, network.decode(features, swapped, *around))


def _encoded(network: Network, names: tuple[str, ...], size: tuple, batch: int | None):
    if any(n and n % network.stride for n in size):
        raise ValueError(f"size must be a multiple of the network's stride {network.stride}, got {size}")
    inputs = [keras.Input((*size, 3), batch, name=name) for name in names]
    return inputs, network.encode(StackFrames(name="frames")(inputs))
