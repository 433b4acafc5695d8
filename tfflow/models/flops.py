"""The number of floating-point operations of a network, from its Keras graph."""

from __future__ import annotations

import math

import tf_keras as keras

from tfflow.layers import CostVolume
from tfflow.ops import displacements

CONVENTION = "convolutions and cost volumes; a multiply-add is 2 FLOPs; bias, activation, warp and resize not counted"


def flops(model: keras.Model) -> int:
    """Floating-point operations of one forward pass of `model`, counted as CONVENTION says.

    model: of fixed batch and size, as from `one_direction(network, size, batch)`. A layer that is used several times
    counts several times. The backward pass takes about twice as many. Raises ValueError if a size is not fixed.
    """
    nodes = [node for depth in model._nodes_by_depth.values() for node in depth]
    return sum(_of(node.layer, node.input_shapes, node.output_shapes) for node in nodes)


def _of(layer: keras.layers.Layer, inputs, output) -> int:
    if isinstance(layer, keras.layers.Conv2DTranspose):  # a Conv2D too, by inheritance
        return 2 * _pixels(inputs) * math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Conv2D):
        return 2 * _pixels(output) * math.prod(layer.kernel.shape)
    if isinstance(layer, CostVolume):
        return 2 * _pixels(output) * inputs[0][-1] * len(displacements(layer.radius, layer.stride))
    return 0


def _pixels(shape: tuple) -> int:
    if None in shape[:3]:
        raise ValueError(f"the model must have a fixed batch and size to count its FLOPs, got a tensor of {shape}")
    return math.prod(shape[:3])
