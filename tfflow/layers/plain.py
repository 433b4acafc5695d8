"""The base class of all layers: registered for saving and loading, and part of Keras 2 alone."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable

import tensorflow as tf
import tf_keras as keras
from tf_keras.src.engine import base_layer_utils

PACKAGE = "tfflow"
"""In a saved model a layer is called "tfflow>Warp"."""


class FlowLayer(keras.layers.Layer):
    """Base class of the layers. Subclasses are registered, so models with them load without `custom_objects`.

    Raises TypeError inside a model of Keras 3, which would not track the weights of the layer.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable(PACKAGE)(cls)

    def __call__(self, *args, **kwargs):
        if any(map(_of_keras_3, tf.nest.flatten([args, kwargs]))) or _directly_in_keras_3():
            raise TypeError(
                f"{type(self).__name__} is a layer of tf_keras (Keras 2) and cannot be part of a model of Keras 3: "
                "build the model with `import tf_keras as keras`"
            )
        return super().__call__(*args, **kwargs)

    def __repr__(self):
        return f"<{type(self).__name__} {self.name!r}, a layer of tf_keras (Keras 2)>"


def _of_keras_3(x) -> bool:
    """Whether x is a symbolic tensor of Keras 3."""
    return type(x).__name__ == "KerasTensor" and type(x).__module__.split(".")[0] == "keras"


def _directly_in_keras_3() -> bool:
    """Whether a layer of Keras 3 calls this one, without a model of Keras 2 between them to track its weights."""
    state = sys.modules.get("keras.src.backend.common.global_state")
    if state is None or base_layer_utils.call_context().in_call:
        return False
    return state.get_global_attribute("current_call_ctx") is not None


def without_autograph(method: Callable) -> Callable:
    """Traces the method without AutoGraph, which is not needed and takes longer than the rest of the build."""
    plain = tf.autograph.experimental.do_not_convert(method)
    plain.__signature__ = inspect.signature(method)  # Keras looks for an argument `training`
    return plain


_GRAPHS: dict[tuple, Callable] = {}
"""The graphs of `traced_once`, by the layer's settings and the types of its inputs."""


def traced_once(method: Callable) -> Callable:
    """`without_autograph`, for a layer without weights, of many operators and one result.

    Where height and width are not known, the layer is traced once for all layers of the same settings. Each of them is
    then one operator of the model's graph: a model of many levels is built in half the time.
    """
    traced = without_autograph(method)

    def call(self, inputs):
        tensors = tf.nest.flatten(inputs)
        shapes = [tf.TensorShape(x.shape) for x in tensors]
        if any(shape.rank != 4 for shape in shapes) or all(shape[1:].is_fully_defined() for shape in shapes):
            return traced(self, inputs)
        specs = tuple(tf.TensorSpec([None, None, None, x.shape[-1]], x.dtype) for x in tensors)
        settings = self.get_config() | {"name": None}
        key = (type(self), repr(sorted(settings.items())), specs)
        if key not in _GRAPHS:
            one = tf.is_tensor(inputs)
            _GRAPHS[key] = tf.function(lambda *x: traced(self, x[0] if one else x), specs, autograph=False)
        return _GRAPHS[key](*tensors)

    plain = tf.autograph.experimental.do_not_convert(call)
    plain.__signature__ = inspect.signature(method)
    return plain
