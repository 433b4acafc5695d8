"""Early refusals of tensors of the wrong shape, with what was expected and what came."""

from __future__ import annotations

import tensorflow as tf


def check_image(name: str, x: tf.Tensor, channels: int | None = None) -> None:
    """Raises ValueError unless `x` is [b, h, w, c] (c = `channels` where given)."""
    wanted = "c" if channels is None else channels
    if x.shape.rank != 4 or (channels is not None and x.shape[-1] != channels):
        raise ValueError(f"`{name}` must be [b, h, w, {wanted}], got {tuple(x.shape)}")


def check_flow(name: str, flow: tf.Tensor) -> None:
    """Raises ValueError unless `flow` is [b, h, w, 2]."""
    if flow.shape.rank != 4 or flow.shape[-1] != 2:
        raise ValueError(f"`{name}` must be [b, h, w, 2] in (u, v) order, got {tuple(flow.shape)}")


def check_same_size(name1: str, x1: tf.Tensor, name2: str, x2: tf.Tensor) -> None:
    """Raises ValueError where the static heights or widths of `x1` and `x2` differ."""
    if not x1.shape[1:3].is_compatible_with(x2.shape[1:3]):
        raise ValueError(
            f"`{name1}` and `{name2}` must have the same height and width, got {tuple(x1.shape)} and {tuple(x2.shape)}"
        )


def size(x: tf.Tensor) -> tuple:
    """(batch, height, width) of [b, h, w, c]: Python ints where static, scalar tensors where not."""
    dynamic = tf.shape(x)
    return tuple(s if s is not None else dynamic[i] for i, s in enumerate(x.shape[:3]))
