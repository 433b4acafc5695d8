"""Several passes of a network, coarse to fine. Each pass estimates the motion that the flow so far leaves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import tensorflow as tf

from tfflow import ops
from tfflow.models.fusion import better_flow

OnePass = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

CLEARLY = 0.9
"""Of the mismatch of a flow that knows no smaller frames: below that, the flow that started from them replaces it."""


def cascade(
    network: OnePass,
    images1: tf.Tensor,
    images2: tf.Tensor,
    scales: Sequence[float],
    initial_flow: tf.Tensor | None = None,
) -> tf.Tensor:
    """Flow after one pass of `network` at each scale. Each pass starts from the flow so far.

    network: images [b, h, w, 3] twice -> flow [b, h, w, 2], any size. images1, images2: [b, h, w, 3]. scales: sizes of
    the passes as shares of the frame size. initial_flow: [b, h, w, 2], px; the first pass starts from it.
    Returns [b, h, w, 2], px.
    A pixel takes the new flow where it explains the frames better than the flow so far (`better_flow`). Small frames
    show large motion, but hide small things. So a larger pass after a small one is made twice, also from no flow, and
    the flow from small frames must explain the frames clearly better.
    Source: coarse-to-fine warping, Brox et al. 2004; stacked networks, Ilg et al. 2017 (FlowNet 2.0).
    """
    flow = _at(scales[0], network, images1, images2, initial_flow)
    for last, scale in itertools.pairwise(scales):
        new = _at(scale, network, images1, images2, flow)
        if last < scale <= 1:
            flow = better_flow(images1, images2, _at(scale, network, images1, images2), new, CLEARLY)
        else:
            flow = better_flow(images1, images2, flow, new)
    return flow


def _at(
    scale: float, network: OnePass, images1: tf.Tensor, images2: tf.Tensor, start: tf.Tensor | None = None
) -> tf.Tensor:
    """One pass on resized frames, [b, h, w, 2] in px of the frames as they are.

    With `start`, image2 is warped by it, and the pass gives an increment:
    f(x) = increment(x) + start(x + increment(x)).
    """
    own = tuple(tf.unstack(tf.shape(images1)[1:3]))
    size = tuple(tf.maximum(1, tf.cast(tf.round(tf.cast(n, tf.float32) * scale), tf.int32)) for n in own)
    frame1, frame2 = (  # what grows needs no antialiasing, and is resized faster without
        images if scale == 1 else ops.resize_image(images, size, antialias=scale < 1) for images in (images1, images2)
    )
    if start is None:
        flow = network(frame1, frame2)
    else:
        start = ops.resize_flow(start, size, antialias=scale < 1)
        more = network(frame1, ops.backward_warp(frame2, start, "border"))
        flow = more + ops.backward_warp(start, more, "border")
    return ops.resize_flow(flow, own, antialias=scale > 1)
