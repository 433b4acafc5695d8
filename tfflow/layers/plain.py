"""How a layer's `call` is marked that branches on no tensor."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import tensorflow as tf


def as_written(method: Callable) -> Callable:
    """Traced as it is written: AutoGraph's rewriting, of no use here, takes longer than the rest of the build."""
    plain = tf.autograph.experimental.do_not_convert(method)
    plain.__signature__ = inspect.signature(method)  # Keras looks whether it takes `training`
    return plain
