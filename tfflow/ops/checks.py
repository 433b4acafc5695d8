"""Checks of shapes and types. An error states what was expected and what came."""

from __future__ import annotations

import tensorflow as tf


def check_image(name: str, x: tf.Tensor, channels: int | None = None) -> None:
    """Raises ValueError unless `x` is [b, h, w, c] (c = `channels` where given)."""
    wanted = "c" if channels is None else channels
    shape = tf.TensorShape(x.shape)
    if shape.rank != 4 or (channels is not None and shape[-1] != channels):
        raise ValueError(f"`{name}` must be [b, h, w, {wanted}], got {_text(shape)}")


def check_floating(name: str, x: tf.Tensor) -> None:
    """Raises ValueError unless `x` is of a floating type. Interpolated integers would be truncated silently."""
    if not tf.as_dtype(x.dtype).is_floating:
        raise ValueError(f"`{name}` must be of a floating type, got {tf.as_dtype(x.dtype).name}")


def check_flow(name: str, flow: tf.Tensor) -> None:
    """Raises ValueError unless `flow` is [b, h, w, 2]."""
    shape = tf.TensorShape(flow.shape)
    if shape.rank != 4 or shape[-1] != 2:
        raise ValueError(f"`{name}` must be [b, h, w, 2] in (u, v) order, got {_text(shape)}")


def check_same_size(name1: str, x1: tf.Tensor, name2: str, x2: tf.Tensor) -> None:
    """Raises ValueError where the static heights or widths of `x1` and `x2` differ."""
    shape1, shape2 = tf.TensorShape(x1.shape), tf.TensorShape(x2.shape)
    if not shape1[1:3].is_compatible_with(shape2[1:3]):
        raise ValueError(
            f"`{name1}` and `{name2}` must have the same height and width, got {_text(shape1)} and {_text(shape2)}"
        )


def size(x: tf.Tensor) -> tuple:
    """(batch, height, width) of [b, h, w, c]: Python ints where static, scalar tensors where not."""
    return tuple(s if s is not None else tf.shape(x)[i] for i, s in enumerate(x.shape[:3]))


def _text(shape: tf.TensorShape) -> str:
    return "a tensor of unknown rank" if shape.rank is None else str(tuple(shape))
