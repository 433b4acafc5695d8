"""Several passes of a network, coarse to fine. Each pass estimates the motion that the flow so far leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from tfflow import ops


def cascade(
    network: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    images1: tf.Tensor,
    images2: tf.Tensor,
    scales: Sequence[float],
    initial_flow: tf.Tensor | None = None,
) -> tf.Tensor:
    """Flow after one pass of `network` at each scale. From the second pass on, image2 is warped by the flow so far.

    network: images [b, h, w, 3] twice -> flow [b, h, w, 2], any size. images1, images2: [b, h, w, 3]. scales: sizes of
    the passes as shares of the frame size. initial_flow: [b, h, w, 2], px; image2 is warped by it in the first pass.
    Returns [b, h, w, 2], px.
    A pass on warped frames gives an increment. The new flow is f(x) = increment(x) + so_far(x + increment(x)).
    Source: coarse-to-fine warping, Brox et al. 2004; stacked networks, Ilg et al. 2017 (FlowNet 2.0).
    """
    own = tuple(tf.unstack(tf.shape(images1)[1:3]))
    flow, last = initial_flow, 1.0
    for scale in scales:  # what grows needs no antialiasing, and is resized faster without
        size = tuple(tf.maximum(1, tf.cast(tf.round(tf.cast(n, tf.float32) * scale), tf.int32)) for n in own)
        frame1, frame2 = (
            images if scale == 1 else ops.resize_image(images, size, antialias=scale < 1)
            for images in (images1, images2)
        )
        if flow is None:
            flow = network(frame1, frame2)
        else:
            so_far = ops.resize_flow(flow, size, antialias=scale < last)
            more = network(frame1, ops.backward_warp(frame2, so_far, "border"))
            flow = more + ops.backward_warp(so_far, more, "border")
        last = scale
    return ops.resize_flow(flow, own, antialias=last > 1)  # [b, h, w, 2]
