"""Weights for a narrower network: those of a wider one, without its least channels."""

from __future__ import annotations

import numpy as np
import tf_keras as keras

from tfflow.layers import CostVolume
from tfflow.models.weights import model_arrays
from tfflow.ops import displacements

Kept = np.ndarray
"""Indices, ascending, of the channels of the wider network's tensor that the narrower network's tensor has."""


def narrowed(wide: keras.Model, narrow: keras.Model) -> dict[str, np.ndarray]:
    """The weights of `wide` by name, cut to the shapes of the layers that `narrow` has by the same names.

    A convolution with fewer filters keeps those whose weights have the largest sum of magnitudes. A cost volume of a
    smaller radius keeps the displacements within it. What reads fewer channels keeps the weights of those. Layers of
    equal shape keep all. A layer that does not fit keeps its shape, which `assign` refuses.
    Source: Li et al., Pruning Filters for Efficient ConvNets, ICLR 2017.
    """
    arrays, known = model_arrays(wide), {layer.name: layer for layer in wide.layers}
    kept: dict[str, Kept] = {}
    for layer in narrow.layers:
        before = known.get(layer.name)
        if before is None:
            continue
        inputs = [kept[name] for name in _inputs_of(layer) if name in kept]
        if isinstance(layer, keras.layers.Conv2DTranspose):
            continue  # keeps all: its kernel has other axes
        if isinstance(layer, keras.layers.Conv2D) and isinstance(before, keras.layers.Conv2D):
            kernel, bias = (f"{layer.name}/{part}" for part in ("kernel", "bias"))
            if inputs and inputs[0][-1] < arrays[kernel].shape[2]:
                arrays[kernel] = arrays[kernel][:, :, inputs[0]]
            kept[layer.name] = _largest(arrays[kernel], layer.filters)
            arrays[kernel] = arrays[kernel][..., kept[layer.name]]
            if layer.use_bias:
                arrays[bias] = arrays[bias][kept[layer.name]]
        elif isinstance(layer, CostVolume) and isinstance(before, CostVolume):
            within = displacements(layer.radius, layer.stride)
            kept[layer.name] = np.flatnonzero([d in within for d in displacements(before.radius, before.stride)])
        elif isinstance(layer, keras.layers.Concatenate) and all(name in known for name in _inputs_of(layer)):
            kept[layer.name] = _joined(layer, known, kept)
        elif inputs and layer.get_output_at(0).shape[-1] == len(inputs[0]):
            kept[layer.name] = inputs[0]
    return arrays


def _inputs_of(layer: keras.layers.Layer) -> list[str]:
    """Names of the layers that the first use of `layer` reads."""
    inputs = layer.inbound_nodes[0].inbound_layers
    return [x.name for x in (inputs if isinstance(inputs, list) else [inputs])]


def _largest(kernel: np.ndarray, count: int) -> Kept:
    return np.sort(np.argsort(-np.abs(kernel).sum(axis=(0, 1, 2)), kind="stable")[:count])


def _joined(layer: keras.layers.Layer, known: dict[str, keras.layers.Layer], kept: dict[str, Kept]) -> Kept:
    """Of a concatenation: the channels of its inputs, one after the other."""
    parts, start = [], 0
    for name in _inputs_of(layer):
        width = known[name].get_output_at(0).shape[-1]
        parts.append(start + kept.get(name, np.arange(width)))
        start += width
    return np.concatenate(parts)
