"""The ways in which an operation is used: eagerly, traced, compiled, and inside tf.data with sizes unknown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf


def eager(function: Callable, *inputs: np.ndarray):
    return function(*map(tf.constant, inputs))


def traced(function: Callable, *inputs: np.ndarray):
    return tf.function(function)(*map(tf.constant, inputs))


def compiled(function: Callable, *inputs: np.ndarray):
    return tf.function(function, jit_compile=True)(*map(tf.constant, inputs))


def traced_any_size(function: Callable, *inputs: np.ndarray):
    signature = [tf.TensorSpec([None, None, None, x.shape[-1]], x.dtype) for x in inputs]
    return tf.function(function, input_signature=signature, autograph=False)(*map(tf.constant, inputs))


def in_dataset(function: Callable, *inputs: np.ndarray):
    signature = tuple(tf.TensorSpec([None, None, None, x.shape[-1]], x.dtype) for x in inputs)
    data = tf.data.Dataset.from_generator(lambda: iter([inputs]), output_signature=signature)
    return next(iter(data.map(function)))


ALL = [eager, traced, compiled, traced_any_size, in_dataset]


def gradient(function: Callable, inputs: list[np.ndarray], which: int, upstream: np.ndarray) -> np.ndarray:
    """d sum(upstream * function(*inputs)) / d inputs[which], by TensorFlow."""
    tensors = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(tensors[which])
        result = tf.reduce_sum(tf.cast(upstream, tf.float32) * tf.cast(function(*tensors), tf.float32))
    return tape.gradient(result, tensors[which]).numpy()
