"""A network that makes several passes, coarse to fine: each at what the flow so far leaves to explain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from tfflow import ops
from tfflow.errors import InputError

ONCE = (1.0,)
"""The network as it is: one pass at the frames' own size."""
LEAST, MOST = 1 / 16, 8.0


def check_scales(scales: Sequence[float]) -> tuple[float, ...]:
    """The scales as numbers. InputError where they are none, or one is out of range."""
    try:
        found = tuple(float(s) for s in scales)
    except (TypeError, ValueError):
        found = ()
    if not found or not all(LEAST <= s <= MOST for s in found):
        raise InputError(f"scales must be one or more numbers from {LEAST:g} to {MOST:g}, such as 1,2, got {scales!r}")
    return found


def cascade(
    network: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    images1: tf.Tensor,
    images2: tf.Tensor,
    scales: Sequence[float],
    initial_flow: tf.Tensor | None = None,
) -> tf.Tensor:
    """Flow of `network` at each of the scales in turn; from the second on, at image2 warped by the flow so far.

    network: images [b, h, w, 3] twice -> flow [b, h, w, 2], of any size. images1, images2: [b, h, w, 3]. scales: sizes
    of the frames in each pass, as shares of their own. initial_flow: [b, h, w, 2], known before the first pass.
    Returns [b, h, w, 2], px.
    What is found on warped frames adds to what is known at its target: f(x) = more(x) + so_far(x + more(x)).
    Source: warping coarse to fine, Brox et al. 2004; networks stacked by it, Ilg et al. 2017 (FlowNet 2.0).
    """
    own = tuple(tf.unstack(tf.shape(images1)[1:3]))
    flow = initial_flow
    for scale in scales:
        size = tuple(tf.maximum(1, tf.cast(tf.round(tf.cast(n, tf.float32) * scale), tf.int32)) for n in own)
        frame1, frame2 = (images if scale == 1 else ops.resize_image(images, size) for images in (images1, images2))
        if flow is None:
            flow = network(frame1, frame2)
            continue
        so_far = ops.resize_flow(flow, size)
        more = network(frame1, ops.backward_warp(frame2, so_far, "border"))
        flow = more + ops.backward_warp(so_far, more, "border")
    return ops.resize_flow(flow, own)  # [b, h, w, 2]
