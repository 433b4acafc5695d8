"""Keras models of a network: one direction for use, both directions for training, with the same weights."""

from __future__ import annotations

from typing import Protocol

import tensorflow as tf
import tf_keras as keras

from tfflow.layers import Frame, ResizeFlowLike, ResizeToMultiple, StackFrames, SwapFrames


class Network(Protocol):
    """A network: `encode` for single frames, `decode` for pairs, with the layers in the order of the paper's figure.

    stride: height and width must be multiples of it.
    encode: [b, h, w, 3] RGB in [0, 1] -> list of features, fine to coarse.
    decode: features of frame 1 and of frame 2 -> flows, the first at full resolution, then fine to coarse, each
        [b, h', w', 2] in px of its own grid. A stack of networks gives the flows of its last network first.
    frames: 3 if decode takes a third argument, the features of the frame before frame 1; default 2.
    outputs: names of fields of `losses.View`, default ("flows12",). decode's list holds the maps of the first field,
        then those of the next one; all fields have the same number of maps and the same grids.
    longest_sides: px; with the authors' weights, frames whose longer side is at most the k-th number use k levels, and
        larger frames use all; default (). first_levels(k) gives that network with the same weights.
    """

    stride: int

    def encode(self, images): ...

    def decode(self, features1, features2, *before): ...


def frames_of(network: Network | type) -> int:
    """The number of frames that the network takes: 2, or 3 with the frame before the pair."""
    return getattr(network, "frames", 2)


def longest_sides_of(network: Network) -> tuple[int, ...]:
    """See `Network.longest_sides`."""
    return getattr(network, "longest_sides", ())


def outputs_of(network: Network) -> tuple[str, ...]:
    """See `Network.outputs`."""
    return getattr(network, "outputs", ("flows12",))


def one_direction(network: Network, size: tuple = (None, None), batch: int | None = None) -> keras.Model:
    """[image1, image2], each [b, h, w, 3] -> flows 1->2, fine to coarse, each [b, h', w', 2].

    A network of three frames takes [image1, image2, image0]; image0 is the frame before image1.
    All frames go through the encoder in one batch.
    """
    count = frames_of(network)
    inputs = _inputs(network, ("image1", "image2", "image0")[:count], size, batch)
    return keras.Model(inputs, network.decode(*_features_of_each(network, inputs)))


def any_size(network: Network, name: str) -> keras.Model:
    """[image1, image2] or {"image1", "image2"}, each [b, h, w, 3] RGB in [0, 1], of any size -> flow [b, h, w, 2], px.

    One pass of the network on frames enlarged to multiples of its stride. A network of three frames has a third input,
    image0. name: of the Keras model; weights keep their names.
    """
    count = frames_of(network)
    inputs = [keras.Input((None, None, 3), name=n) for n in ("image1", "image2", "image0")[:count]]
    enlarged = [ResizeToMultiple(network.stride, name=f"{x.name}_enlarged")(x) for x in inputs]
    flows = network.decode(*_features_of_each(network, enlarged))
    flow = ResizeFlowLike(name="flow")([tf.nest.flatten(flows)[0], inputs[0]])
    return keras.Model(inputs, flow, name=name)


def both_directions(network: Network, size: tuple = (None, None), batch: int | None = None) -> keras.Model:
    """[image1, image2], each [b, h, w, 3] -> flows, fine to coarse, each [2 * b, h', w', 2]: 1->2, then 2->1.

    A network of three frames takes [image1, image2, image0, image3]; in the direction 2->1, image3 comes before image2.
    Each frame is encoded once, and both directions are decoded in one batch.
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
    inputs = _inputs(network, names, size, batch)
    return inputs, network.encode(StackFrames(name="frames")(inputs))


def _inputs(network: Network, names: tuple[str, ...], size: tuple, batch: int | None) -> list:
    if any(n and n % network.stride for n in size):
        raise ValueError(f"size must be a multiple of the network's stride {network.stride}, got {size}")
    return [keras.Input((*size, 3), batch, name=name) for name in names]


def _features_of_each(network: Network, images: list) -> list[list]:
    """The features of each image, fine to coarse, of one batch through the encoder. Order: frame 1, 2, 0."""
    stacked = StackFrames(name="frames")(images)
    features = network.encode(stacked)

    def of(place: int, frame: int, level: int, feature):
        if feature is stacked:  # the frames themselves
            return images[place]
        return Frame(place, len(images), name=f"frame{frame}_level{level}")(feature)

    frames = zip(range(len(images)), (1, 2, 0), strict=False)
    return [[of(*frame, level, f) for level, f in enumerate(features, 1)] for frame in frames]
