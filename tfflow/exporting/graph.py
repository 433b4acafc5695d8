"""The graph that leaves for the phone: one pair of one size in, flow out, and nothing that only training needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tfflow.errors import InputError
from tfflow.exporting.cost_volume import PhoneCostVolume
from tfflow.exporting.layers import (
    PhoneConcatenate,
    PhoneConvexUpsample,
    PhoneHalveFrames,
    PhoneL2Normalize,
    PhoneLucasKanade,
    PhoneNormalize,
    PhoneResizeFlowLike,
    PhoneWarp,
)
from tfflow.layers import (
    ConvexUpsample,
    CostVolume,
    Frame,
    HalveFrames,
    L2Normalize,
    LucasKanade,
    Normalize,
    ResizeFlowLike,
    Scale,
    Warp,
)
from tfflow.models import Network, both_directions, one_direction
from tfflow.models.graph import frames_of
from tfflow.models.tflite import resized
from tfflow.models.weights import assign, model_arrays

PHONE: dict[type, type[keras.layers.Layer]] = {
    ConvexUpsample: PhoneConvexUpsample,
    CostVolume: PhoneCostVolume,
    HalveFrames: PhoneHalveFrames,
    L2Normalize: PhoneL2Normalize,
    LucasKanade: PhoneLucasKanade,
    Normalize: PhoneNormalize,
    ResizeFlowLike: PhoneResizeFlowLike,
    Warp: PhoneWarp,
    keras.layers.Concatenate: PhoneConcatenate,
}
"""What stands for a layer of training on the phone."""
INPUTS = ("image1", "image2")
OUTPUTS = ("flow12", "flow21")
SIGNATURE = "serving_default"
"""Under which a file has its inputs and outputs by these names."""


@dataclass(frozen=True)
class Interface:
    """The inputs and outputs of an exported file.

    size: height and width of the images, multiples of the network's stride. both: flow 1->2 and 2->1, not 1->2 alone.
    quarter: flow on every fourth pixel, [1, h/4, w/4, 2], still in px of the images.
    uint8: images of 0 to 255, as cameras give them, instead of float32 in [0, 1].
    """

    size: tuple[int, int]
    both: bool = False
    quarter: bool = False
    uint8: bool = False

    @property
    def outputs(self) -> tuple[str, ...]:
        return OUTPUTS if self.both else OUTPUTS[:1]

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the flow."""
        height, width = self.size
        return (height // 4, width // 4) if self.quarter else self.size

    @classmethod
    def of_manifest(cls, described: dict[str, Any]) -> Interface:
        """That of an exported file, by its manifest."""
        image, flow = described["inputs"][0], described["outputs"][0]
        size = (image["shape"][1], image["shape"][2])
        return cls(size, len(described["outputs"]) == 2, flow["stride"] == 4, image["type"] == "uint8")

    def as_input(self, image: np.ndarray) -> np.ndarray:
        """The numbers that the file computes with: float32 [h, w, 3] in [0, 1] -> [*size, 3] in [0, 1].

        For a file with uint8 inputs they are rounded to its 256 levels. The float network gets the same numbers: the
        rounding of frames is not an error of the export.
        """
        image = resized(np.asarray(image, np.float32), self.size)
        return np.rint(image * 255).astype(np.float32) / 255 if self.uint8 else image

    def as_numbers(self, image: np.ndarray) -> np.ndarray:
        """What `as_input` gives, in the type that the file takes."""
        return np.rint(image * 255).astype(np.uint8) if self.uint8 else image

    def check(self, stride: int) -> None:
        """Refuses a size that the network cannot take, with the nearest that it can."""
        if any(n < stride or n % stride for n in self.size):
            near = "x".join(str(max(stride, round(n / stride) * stride)) for n in self.size)
            raise InputError(
                f"`size` {self.size[0]}x{self.size[1]}: height and width must be multiples of {stride} for this "
                f"network; the nearest that works is {near}"
            )


def phone_graph(network: Network, interface: Interface) -> keras.Model:
    """[image1, image2], each [1, h, w, 3] in [0, 1] -> the interface's flows, each [1, *grid, 2], px of the images.

    The graph has its own copy of the network's present weights. Raises InputError where the size does not fit.
    """
    if frames_of(network) > 2:
        raise InputError(f"{type(network).__name__} takes {frames_of(network)} frames: export a network of two")
    interface.check(network.stride)
    trained = (both_directions if interface.both else one_direction)(network, interface.size, batch=1)
    flow = next((f for f in trained.outputs if tuple(f.shape[1:3]) == interface.grid), None)
    if flow is None:
        raise InputError(f"{type(network).__name__} has no flow at a quarter of the resolution; leave out `quarter`")
    if interface.quarter:
        flow = Scale(4.0, dtype="float32", name="px_of_images")(flow)
    directions = len(interface.outputs)
    if interface.both:
        flows = [Frame(i, directions, name=name)(flow) for i, name in enumerate(interface.outputs)]
    else:
        flows = [flow]
    return for_phone(keras.Model(trained.inputs, flows))


def for_phone(graph: keras.Model) -> keras.Model:
    """The same function with the same weights, of layers that phones run well."""
    copied = keras.models.clone_model(graph, clone_function=_phone_layer)
    assign(copied, model_arrays(graph), "the trained network")
    return copied


def _phone_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    kind: type[keras.layers.Layer] = PHONE.get(type(layer), type(layer))
    return kind.from_config(layer.get_config())


def as_function(graph: keras.Model, interface: Interface) -> tuple[tf.Module, Callable]:
    """The graph as a function of named images that returns named flows, and the object that keeps its weights alive.

    The batch is fixed to 1: runtimes in browsers refuse an unknown batch.
    """
    spec = tf.TensorSpec([1, *interface.size, 3], tf.uint8 if interface.uint8 else tf.float32)

    def run(image1, image2):
        images = [tf.cast(x, tf.float32) * (1 / 255) if interface.uint8 else x for x in (image1, image2)]
        flows = tf.nest.flatten(graph(images, training=False))
        return dict(zip(interface.outputs, flows, strict=True))

    module = tf.Module()
    module.weights = graph.variables
    module.run = tf.function(run, input_signature=[spec, spec], autograph=False)
    return module, module.run
