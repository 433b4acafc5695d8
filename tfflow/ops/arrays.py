"""Warping for NumPy arrays of one image, as measures, pictures and results need it."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from tfflow.ops.warp import backward_warp


def warp(values: np.ndarray, flow12: np.ndarray) -> np.ndarray:
    """`values` [h, w, c] of the second frame, seen from the first's pixels; 0 beyond the frame. Returns float32."""
    compiled = _compiled_warp(values.shape[-1])
    return compiled(values.astype(np.float32)[None], flow12.astype(np.float32)[None])[0].numpy()


@functools.cache
def _compiled_warp(channels: int) -> tf.types.experimental.GenericFunction:
    """One graph for frames of every size: twice as fast as operator by operator, and on small frames far more."""
    signature = [tf.TensorSpec([1, None, None, channels]), tf.TensorSpec([1, None, None, 2])]
    return tf.function(backward_warp, input_signature=signature, autograph=False)
