"""Which numbers of a network are eight bits wide, and which stay float: the precision map, as fake quantizers.

Eight bits: images, features, costs, and every weight. Float: every flow, and what adds, resizes or samples
by it, since eight bits over +-60 px are half a pixel; and the features that coarse flow is read from (`head_features`).
Flow enters a convolution only as a rounded copy.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tensorflow_model_optimization.quantization.keras import (
    QuantizeConfig,
    QuantizeLayoutTransform,
    QuantizeRegistry,
    QuantizeScheme,
    quantize_annotate_layer,
    quantize_apply,
    quantize_scope,
    quantizers,
)

from tfflow.exporting.cost_volume import PhoneCostVolume
from tfflow.exporting.graph import PHONE
from tfflow.exporting.layers import PhoneConcatenate, PhoneL2Normalize
from tfflow.layers import (
    LAYERS,
    ChooseFlow,
    Frame,
    HalveFrames,
    Normalize,
    Scale,
    StackFrames,
    SwapFrames,
    UpsampleFlow,
    Warp,
    ZeroFlow,
)

Ranges = dict[str, tuple[float, float]]
"""Least and greatest output of each layer in eight bits, by the layer's name."""

COARSE = 8
COARSEST = 3
"""The features that flow is read from stay float at strides from COARSE on, on the COARSEST levels."""

COMPARING = (PhoneCostVolume, ChooseFlow)
"""Layers that compare features, which are therefore not rounded before them."""

MOVED = (Frame, SwapFrames)
"""Layers that hand values on as they are: what came in eight bits leaves in the same."""


def flow_layers(graph: keras.Model) -> set[str]:
    """Names of the layers whose output is flow, which stay float.

    Found backwards from the outputs and from what warps sample by: layers of two channels, up to the first that is
    not. A rounded copy for a convolution, the `Scale` on its way there, is not among them.
    """
    names: set[str] = set()
    frontier = [t._keras_history.layer for t in tf.nest.flatten(graph.outputs)]
    frontier += [layer.input[1]._keras_history.layer for layer in graph.layers if isinstance(layer, Warp)]
    while frontier:
        layer = frontier.pop()
        if layer.name in names or not _two_channels(layer):
            continue
        names.add(layer.name)
        for node in layer._inbound_nodes:
            frontier += tf.nest.flatten(node.inbound_layers)
    return names


def flow_strides(graph: keras.Model) -> dict[str, float]:
    """Of layers whose flow adds up to an output: how many px of the finest one a px of theirs is."""
    strides: dict[str, float] = {}
    frontier = [(t._keras_history.layer, 1.0) for t in tf.nest.flatten(graph.outputs)]
    while frontier:
        layer, stride = frontier.pop()
        if not _two_channels(layer):
            continue
        if isinstance(layer, (UpsampleFlow, Scale)):  # the latter puts a coarse flow into px of the image
            stride *= layer.factor
        if stride <= strides.get(layer.name, 0.0):
            continue
        strides[layer.name] = stride
        for node in layer._inbound_nodes:
            frontier += [(inbound, stride) for inbound in tf.nest.flatten(node.inbound_layers)]
    return strides


def head_features(graph: keras.Model) -> set[str]:
    """The last convolution, and its activation, before each head of coarse flow, where nothing else reads them.

    The head and the flow's stride multiply their rounding. In `pwcnet_mobile` it caused more than half of the loss of
    accuracy from eight bits, for a fiftieth of the multiply-adds.
    """
    strides = {n: s for n, s in flow_strides(graph).items() if isinstance(graph.get_layer(n), keras.layers.Conv2D)}
    coarse = [name for name in sorted(strides, key=strides.__getitem__, reverse=True) if strides[name] >= COARSE]
    heads = set(coarse[:COARSEST])
    names: set[str] = set()
    for head in heads:
        (feature,) = _inputs_of(graph.get_layer(head))
        before = [feature]
        while isinstance(graph.get_layer(before[-1]), (keras.layers.LeakyReLU, keras.layers.ReLU)):
            before += _inputs_of(graph.get_layer(before[-1]))
        readers = {layer.name for layer in _readers(graph, graph.get_layer(feature))}
        if readers <= heads and isinstance(graph.get_layer(before[-1]), keras.layers.Conv2D):
            names |= set(before)
    return names


def image_ranges(graph: keras.Model) -> Ranges:
    """Of layers whose output is still an image, frames in [0, 1] as the network takes them: what it can be.

    Not what calibration saw, and nothing that moves in a fine-tuning: the steps then remain the 256 levels of the
    frames. On another grid each level is rounded a second time.
    """
    ranges: Ranges = {}
    before = -1
    while len(ranges) > before:  # a layer that frames of several sizes share is listed before some that it reads
        before = len(ranges)
        for layer in graph.layers:
            found = _image_range(layer, ranges)
            if found:
                ranges[layer.name] = found
    return ranges


def _image_range(layer: keras.layers.Layer, ranges: Ranges) -> tuple[float, float] | None:
    """That of a layer that hands on, resizes or normalizes images of the given ranges; else None."""
    if isinstance(layer, keras.layers.InputLayer):
        return 0.0, 1.0
    names = {name for node in layer._inbound_nodes for name in _names_of(node)}
    if isinstance(layer, Warp):  # its second input is flow
        names = {_names_of(node)[0] for node in layer._inbound_nodes}
    names.discard(layer.name)  # one that halves again and again reads itself
    if not names <= ranges.keys() or len({ranges[name] for name in names}) != 1:
        return None
    low, high = ranges[names.pop()]
    if isinstance(layer, Normalize):
        ends = [((x - m) / s) for m, s in zip(layer.mean, layer.std, strict=True) for x in (low, high)]
        return min(0.0, *ends), max(0.0, *ends)
    if isinstance(layer, (StackFrames, HalveFrames, keras.layers.AveragePooling2D, Warp, *MOVED)):
        return low, high
    return None


def _names_of(node) -> list[str]:
    return [layer.name for layer in tf.nest.flatten(node.inbound_layers)]


def _inputs_of(layer: keras.layers.Layer) -> list[str]:
    """Names of the layers that a layer reads, in order."""
    return [t._keras_history.layer.name for t in tf.nest.flatten(layer.input)]


def _readers(graph: keras.Model, layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layers of the graph that read a layer, once a use: not what watches it for `calibrate`."""
    inside = {id(other) for other in graph.layers}
    return [node.layer for node in layer._outbound_nodes if id(node.layer) in inside]


def _two_channels(layer: keras.layers.Layer) -> bool:
    uses = range(len(layer._inbound_nodes))  # a layer that several levels share has outputs of several sizes
    return all(shape[-1] == 2 for i in uses for shape in _shapes(layer.get_output_shape_at(i)))


def _shapes(shape) -> list[tuple]:
    return list(shape) if isinstance(shape, list) else [shape]


class Int8(QuantizeConfig):
    """A layer whose kernel, if it has one, is int8 (a scale an output channel), and whose output is int8, if asked.

    fixed: the range of the output stays as it is in a fine-tuning.
    """

    def __init__(self, output: bool = True, fixed: bool = False):
        self.output, self.fixed = output, fixed

    def get_weights_and_quantizers(self, layer):
        if not hasattr(layer, "kernel"):
            return []
        per_channel = not isinstance(layer, keras.layers.Conv2DTranspose)  # whose last axis is of its input
        options = {"num_bits": 8, "per_axis": per_channel, "symmetric": True, "narrow_range": True}
        return [(layer.kernel, quantizers.LastValueQuantizer(**options))]

    def set_quantize_weights(self, layer, quantize_weights):
        if quantize_weights:
            layer.kernel = quantize_weights[0]

    def get_activations_and_quantizers(self, layer):
        return []

    def set_quantize_activations(self, layer, quantize_activations):
        pass

    def get_output_quantizers(self, layer):
        options = {"num_bits": 8, "per_axis": False, "symmetric": False, "narrow_range": False}
        kind = _Fixed if self.fixed else quantizers.MovingAverageQuantizer
        return [kind(**options)] if self.output else []

    def get_config(self):
        return {"output": self.output, "fixed": self.fixed}


class _Fixed(quantizers.MovingAverageQuantizer):
    """Rounds over the range that it was given, also in training."""

    def __call__(self, inputs, training, weights, **kwargs):
        return super().__call__(inputs, False, weights, **kwargs)


class _AsDrawn(QuantizeScheme, QuantizeLayoutTransform, QuantizeRegistry):
    """Quantizes what the precision map names, and redraws nothing."""

    def get_layout_transformer(self):
        return self

    def get_quantize_registry(self):
        return self

    def apply(self, model, layer_quantize_map):
        return model, layer_quantize_map

    def supports(self, layer):
        return False

    def get_quantize_config(self, layer):
        return None


OBJECTS = {**LAYERS, **{kind.__name__: kind for kind in (*PHONE.values(), Int8)}}


def precision_map(graph: keras.Model) -> dict[str, Int8]:
    """What is quantized, by layer name. Layers that are not named here stay float, or hand on what they get."""
    float_layers, images = flow_layers(graph) | head_features(graph), image_ranges(graph)
    chosen = {}
    for layer in graph.layers:
        if isinstance(layer, (keras.layers.InputLayer, *MOVED, UpsampleFlow, ZeroFlow)):
            continue
        if layer.name in float_layers:
            if hasattr(layer, "kernel"):  # float numbers through weights of eight bits, which take less room
                chosen[layer.name] = Int8(output=False)
            continue
        if isinstance(layer, StackFrames) and layer.name not in images:
            continue  # features, which came in eight bits: a second range would be one that the converter refuses
        readers = _readers(graph, layer)
        if readers and all(isinstance(reader, COMPARING) for reader in readers) and not hasattr(layer, "kernel"):
            continue  # cost volumes round what they compare by themselves; the choice between flows is of floats
        # A plain ReLU is fused into its convolution, whose own output then has no range of its own.
        fused = len(readers) == 1 and isinstance(readers[0], keras.layers.ReLU)
        chosen[layer.name] = Int8(output=not fused, fixed=layer.name in images)
    return chosen


def quantized(graph: keras.Model, ranges: Ranges) -> keras.Model:
    """`graph` with fake quantizers of the given output ranges: the same weights, trainable; new variables for ranges.

    graph: of `for_phone` (of any batch and number of directions). ranges: of `calibrate`.
    """
    chosen, float_layers = precision_map(graph), flow_layers(graph)

    def annotated(layer):
        config = layer.get_config()
        if isinstance(layer, PhoneCostVolume):
            config["feature_range"] = ranges[_compared(layer.name)][1]
        if isinstance(layer, PhoneL2Normalize):
            config["eight_bits"] = True
        if isinstance(layer, PhoneConcatenate):
            config["flows"] = [i for i, name in enumerate(_inputs_of(layer)) if name in float_layers]
            config["flow_range"] = ranges[_copies(layer.name)][1] if config["flows"] else None
        copied = type(layer).from_config(config)
        if layer.name in chosen:
            return quantize_annotate_layer(copied, chosen[layer.name])
        return copied

    with quantize_scope(OBJECTS):
        drawn = keras.models.clone_model(graph, clone_function=annotated)
        drawn.set_weights(graph.get_weights())
        model = quantize_apply(drawn, scheme=_AsDrawn())
    assign_ranges(model, ranges)
    return model


def variables(model: keras.Model) -> dict[str, tf.Variable]:
    """Weights and ranges by "layer/variable"; inside a wrapper TensorFlow's own names say nothing of the layer."""
    return {
        f"{layer.name}/{v.name.split(':')[0].rpartition('/')[2]}": v for layer in model.layers for v in layer.weights
    }


def assign_ranges(model: keras.Model, ranges: Ranges) -> None:
    """Sets the output ranges of a graph by `quantized`, and those of its kernels to what the kernels hold."""
    for name, v in variables(model).items():
        layer, _, kind = name.partition("/")
        if kind in ("output_min", "output_max"):
            v.assign(ranges[layer.removeprefix("quant_")][kind == "output_max"])
        elif kind in ("kernel_min", "kernel_max"):
            v.assign(_kernel_range(model.get_layer(layer), per_channel=v.shape.rank == 1)[kind == "kernel_max"])


def _kernel_range(layer: keras.layers.Layer, per_channel: bool) -> tuple[np.ndarray, np.ndarray]:
    """As the quantizer of weights takes it: symmetric, of every output channel."""
    kernel = next(np.abs(v.numpy()) for v in layer.trainable_weights if v.shape.rank == 4)
    widest = kernel.max(axis=(0, 1, 2)) if per_channel else kernel.max()
    widest = np.maximum(widest, 1e-6)
    return -widest, widest


def calibrate(graph: keras.Model, pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> Ranges:
    """Ranges of what will be int8, from pairs of images [b, h, w, 3]: least and greatest value, means over the pairs.

    graph: float, of `for_phone`. Ranges of images are those of `image_ranges`. Every range contains 0.
    """
    chosen = [name for name, config in precision_map(graph).items() if config.output]
    watched = {name: _every_output(graph.get_layer(name)) for name in chosen}
    volumes = [layer for layer in graph.layers if isinstance(layer, PhoneCostVolume)]
    for layer in volumes:
        watched[_compared(layer.name)] = list(layer.input)
    float_layers = flow_layers(graph)
    joins = [layer for layer in graph.layers if isinstance(layer, PhoneConcatenate)]
    for layer in joins:
        flows = [t for t, name in zip(layer.input, _inputs_of(layer), strict=True) if name in float_layers]
        if flows:
            watched[_copies(layer.name)] = flows
    extremes = keras.Model(graph.inputs, [_Extremes(name=f"extremes_{name}")(t) for name, t in watched.items()])
    seen = [np.stack(extremes([a, b], training=False)) for a, b in pairs]
    if not seen:
        raise ValueError("calibration needs at least one pair")
    means = np.mean(seen, axis=0)  # [tensors, 2]
    ranges = {name: (min(0.0, float(lo)), max(1e-3, float(hi))) for name, (lo, hi) in zip(watched, means, strict=True)}
    ranges |= {name: of_images for name, of_images in image_ranges(graph).items() if name in ranges}
    for name in [_compared(layer.name) for layer in volumes] + [_copies(layer.name) for layer in joins]:
        if name in ranges:
            widest = max(map(abs, ranges[name]))
            ranges[name] = (-widest, widest)
    return ranges


def _compared(name: str) -> str:
    return f"{name}_features"


def _copies(name: str) -> str:
    return f"{name}_flow"


class _Extremes(keras.layers.Layer):
    """[least, greatest] of some tensors."""

    def call(self, tensors):
        least = [tf.reduce_min(x) for x in tensors]
        greatest = [tf.reduce_max(x) for x in tensors]
        return tf.stack([tf.reduce_min(least), tf.reduce_max(greatest)])


def _every_output(layer: keras.layers.Layer) -> list:
    """What a layer gives at each place where it is used; a range is shared among them."""
    return [layer.get_output_at(i) for i in range(len(layer._inbound_nodes))]
