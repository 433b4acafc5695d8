"""From a Keras graph to the bytes of a .tflite, in each precision.

The quantizer of finished files is imported by the precisions that use it (`precisions.LIBRARIES`).
"""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tfflow.exporting.graph import INPUTS, OUTPUTS, SIGNATURE, Interface, as_function

Samples = Iterable[tuple[np.ndarray, np.ndarray]]
"""Pairs of images [1, h, w, 3], as the interface takes them."""


def fp32(graph: keras.Model, interface: Interface) -> bytes:
    """Every number float32."""
    return _convert(graph, interface)


def fp16(graph: keras.Model, interface: Interface) -> bytes:
    """Weights float16, arithmetic float32: half the size."""

    def settings(converter):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]

    return _convert(graph, interface, settings)


def int8_dynamic(graph: keras.Model, interface: Interface) -> bytes:
    """Weights int8. Activations are rounded to eight bits at each run, over the range that they have there."""
    return _convert(graph, interface, _default)


def int8_trained(graph: keras.Model, interface: Interface) -> bytes:
    """What the graph's fake quantizers cover in int8 (`tfflow.exporting.quantize`); the rest float, with int8 weights.

    The converter gets no data, because it would then quantize the rest, too.
    """
    return weights_in_eight_bits(_convert(graph, interface, _default))


def weights_in_eight_bits(contents: bytes) -> bytes:
    """The same file, with the weights of float convolutions in int8, one scale a channel. Arithmetic stays float."""
    from litert_quantizer import Quantizer
    from litert_quantizer.recipe import weight_only_wi8_afp32

    with _quiet():
        return bytes(Quantizer(contents, weight_only_wi8_afp32()).quantize().quantized_model)


def int16x8(contents: bytes, samples: Samples) -> bytes:
    """The file of `fp32` with convolutions on int16 and int8 weights: a reference of accuracy, slow on phones.

    All else stays float: with rounded coordinates, the warp would read other pixels.
    """
    from litert_quantizer import Quantizer
    from litert_quantizer.qtyping import TFLOperationName

    with _quiet():
        quantizer = Quantizer(contents)
        for kind in (TFLOperationName.CONV_2D, TFLOperationName.CONV_2D_TRANSPOSE):
            quantizer.add_static_config(".*", kind, activation_num_bits=16, weight_num_bits=8)
        shown = [dict(zip(INPUTS, pair, strict=True)) for pair in samples]
        return bytes(quantizer.quantize(quantizer.calibrate({SIGNATURE: shown})).quantized_model)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides what the quantizer prints: its progress, and that parts of the file are int8 already."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _default(converter) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def _convert(graph: keras.Model, interface: Interface, settings: Callable | None = None) -> bytes:
    module, run = as_function(graph, interface)
    with tempfile.TemporaryDirectory() as folder:  # a saved model, not the function: it keeps the names
        tf.saved_model.save(module, folder, signatures={SIGNATURE: run})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if settings:
            settings(converter)
        return in_order(converter.convert())


def in_order(contents: bytes) -> bytes:
    """The same file, with its inputs and outputs in the order of INPUTS and OUTPUTS, so that place and name agree.

    The converter gives another order. A runtime without names would then compute the flow backwards.
    """
    from ai_edge_litert.schema_py_generated import Model

    changed = bytearray(contents)
    model = Model.GetRootAs(changed)
    graph, signature = model.Subgraphs(0), model.SignatureDefs(0)
    for names, places, entry, length in (
        (INPUTS, graph.InputsAsNumpy(), signature.Inputs, signature.InputsLength()),
        (OUTPUTS, graph.OutputsAsNumpy(), signature.Outputs, signature.OutputsLength()),
    ):
        tensors = {entry(i).Name().decode(): entry(i).TensorIndex() for i in range(length)}
        places[:] = [tensors[name] for name in names if name in tensors]  # a view of `changed`
    return bytes(changed)
