"""Layers of the exported graph alone: the same numbers as those of training, in a form that phones run well.

What XNNPACK takes forms pieces of the graph, and each end of a piece costs time. Outside of it stays, in a warp,
what leads from coordinates to pixels: CAST, arithmetic on int32, and GATHER, which LiteRT's GPU delegate takes.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tfflow import ops
from tfflow.layers import ConvexUpsample, HalveFrames, L2Normalize, LucasKanade, Normalize, ResizeFlowLike, Warp
from tfflow.layers.plain import FlowLayer, without_autograph
from tfflow.ops.checks import size
from tfflow.ops.least_squares import CELL
from tfflow.ops.resize import halved
from tfflow.ops.shuffle import channels_to_blocks
from tfflow.ops.upsample import LARGEST, bilinear


class PhoneNormalize(Normalize):
    """`Normalize` by numbers where all channels have the same: three numbers a pixel are as many calls as pixels."""

    @without_autograph
    def call(self, x):
        if len(set(self.mean)) > 1 or len(set(self.std)) > 1:
            return super().call(x)
        return (x - self.mean[0]) * (1 / self.std[0])


class PhoneL2Normalize(L2Normalize):
    """`L2Normalize` of features that may be in eight bits; their mean over channels is a float.

    eight_bits: whether they are. The converter would carry their rounding through the mean, which no simulation has,
    and TensorFlow Lite 2.18 ends its process at a mean of int8 over channels.
    """

    def __init__(self, *args, eight_bits: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        self.eight_bits = eight_bits

    @without_autograph
    def call(self, x):
        return super().call(x * ALMOST_ONE if self.eight_bits else x)

    def get_config(self):
        return {**super().get_config(), "eight_bits": self.eight_bits}


class PhoneWarp(Warp):
    """`Warp` with one gather for all four corners, and both coordinates in one tensor: 37 operators instead of 53.

    GPUs split no int32, and repeat one factor of a product, not both: hence the slices and the two products. Constants
    have all axes of what they are added to, and four where they are floats: see `tfflow.exporting.gpu`.
    Small images are warped by a matrix. Of the rule "zero" and of sizes that are known; else as in training. Where flow
    is not finite, the result may be NaN.
    """

    @without_autograph
    def call(self, inputs):
        image, flow = inputs
        if self.outside != "zero" or None in image.shape or None in flow.shape:
            return super().call(inputs)
        b, h, w, c = image.shape
        if h * w <= BY_MATRIX:
            return _warp_small(image, flow)
        n, high, wide = b * h * w, h + 2, w + 2  # one ring of zeros around the frame catches all that leaves it
        ring = tf.reshape(tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]]), [b * high * wide, c])
        columns = np.stack([np.arange(w) + 1.0, np.zeros(w)])[None, :, None]  # [1, 2, 1, w]
        rows = np.stack([np.zeros(b * h), np.tile(np.arange(h) + 1.0, b)])[None, :, :, None]  # [1, 2, b * h, 1]
        last = tf.constant([[[[wide - 1.0]], [[high - 1.0]]]])

        target = tf.reshape(tf.transpose(tf.reshape(flow, [n, 2])), [1, 2, b * h, w])
        target = target + tf.constant(columns, tf.float32) + tf.constant(rows, tf.float32)
        target = tf.minimum(tf.maximum(target, 0.0), last)
        first = tf.minimum(tf.floor(target), last - 1.0)
        far = tf.reshape(target - first, [2, n])
        near_x, near_y = tf.split(1.0 - far, 2, axis=0)
        far_x, far_y = tf.split(far, 2, axis=0)
        shares = tf.concat([near_x, far_x], axis=0)  # [2, n]
        weights = tf.reshape(tf.concat([shares * near_y, shares * far_y], axis=0), [1, 4, n, 1])

        cell = tf.reshape(tf.cast(first, tf.int32), [2, n])
        index = cell[1:] * wide + cell[:1]
        index = tf.clip_by_value(index, 0, (high - 1) * wide - 2)  # what NaN became is anything
        if b > 1:
            index += tf.constant(np.repeat(np.arange(b) * high * wide, h * w)[None], tf.int32)
        index = tf.reshape(tf.concat([index, index + 1, index + wide, index + (wide + 1)], axis=0), [4 * n])
        corners = tf.cast(tf.reshape(tf.gather(ring, index), [1, 4, n, c]), tf.float32)
        return tf.cast(tf.reshape(tf.reduce_sum(corners * weights, axis=1), [b, h, w, c]), image.dtype)


BY_MATRIX = 128
"""px of the largest image that `PhoneWarp` warps by a matrix."""


def _warp_small(image, flow):
    """`PhoneWarp` as a matrix, [h * w, h * w], times the pixels: 11 operators, which XNNPACK takes as a whole.

    Where u, v px lie between the target of a pixel and another pixel, it has (1 - |u|)+ (1 - |v|)+.
    """
    b, h, w, c = image.shape
    n = h * w
    own = np.stack(np.meshgrid(np.arange(w), np.arange(h)), axis=-1)  # [h, w, 2]
    to_all = tf.constant(np.repeat(np.eye(2), n, axis=1)[None, None], tf.float32)  # [1, 1, 2, 2 * n]
    away = tf.nn.conv2d(flow + tf.constant(own[None], tf.float32), to_all, 1, "VALID")
    away -= tf.constant(own.reshape(n, 2).T.reshape(1, 1, 1, 2 * n), tf.float32)
    share_x, share_y = tf.split(tf.nn.relu(1.0 - tf.abs(away)), 2, axis=-1)
    matrix = tf.reshape(share_x * share_y, [b, 1, n, n])
    warped = tf.matmul(matrix, tf.reshape(tf.cast(image, tf.float32), [b, 1, n, c]))
    return tf.cast(tf.reshape(warped, [b, h, w, c]), image.dtype)


class PhoneLucasKanade(LucasKanade):
    """`LucasKanade` with one gather of all four corners of a pixel, and means without tensors of nine channels.

    Of sizes that are known; else as in training.
    """

    @without_autograph
    def call(self, inputs):
        if any(None in x.shape for x in inputs):
            return super().call(inputs)
        return ops.lucas_kanade(*inputs, warp=_warp_grey, means=_cell_means)


def _warp_grey(image, flow):
    """`warp_and_distance` of one size that is known: a convolution puts the corners of cells into channels.

    Indices are computed as floats, which are exact to 2**24. Constants have four axes: see `PhoneWarp`.
    """
    b, h, w, _ = image.shape
    n = h * w
    corners = tf.constant(np.eye(4).reshape(2, 2, 1, 4), tf.float32)
    cells = tf.nn.conv2d(tf.pad(image, [[0, 0], [0, 1], [0, 1], [0, 0]]), corners, 1, "VALID")  # [b, h, w, 4]
    cells = tf.reshape(cells, [b * n, 4])

    x, y = tf.split(tf.reshape(tf.transpose(tf.reshape(flow, [b * n, 2])), [1, 2, b * h, w]), 2, axis=1)
    x = x + tf.constant(np.arange(w)[None, None, None], tf.float32)
    y = y + tf.constant(np.tile(np.arange(h), b)[None, None, :, None], tf.float32)
    kept_x, kept_y = (tf.minimum(tf.maximum(c, 0.0), n - 1.0) for c, n in ((x, w), (y, h)))
    beyond = tf.reshape(tf.abs(x - kept_x) + tf.abs(y - kept_y), [b, h, w, 1])
    column, row = tf.floor(kept_x), tf.floor(kept_y)
    far_x, far_y = tf.reshape(kept_x - column, [1, b * n]), tf.reshape(kept_y - row, [1, b * n])

    index = tf.cast(tf.reshape(row * w + column, [b * n]), tf.int32)
    index = tf.clip_by_value(index, 0, n - 1)  # what NaN became is anything
    if b > 1:
        index += tf.constant(np.repeat(np.arange(b) * n, n), tf.int32)
    first, right, below, diagonal = tf.split(tf.transpose(tf.gather(cells, index)), 4, axis=0)  # each [1, b * n]
    top, bottom = first + (right - first) * far_x, below + (diagonal - below) * far_x
    return tf.reshape(top + (bottom - top) * far_y, [b, h, w, 1]), beyond


def _cell_means(parts):
    """`cell_means` of `ops.lucas_kanade`, of parts of known size. Rows are channels, and four of them become their
    mean; then one convolution adds four columns."""
    b, h, w, _ = parts[0].shape
    rows = [tf.nn.avg_pool2d(tf.reshape(part, [b, h, 1, w]), [CELL, 1], [CELL, 1], "VALID") for part in parts]
    columns = tf.concat([tf.reshape(x, [b, h // CELL, w // CELL, CELL]) for x in rows], axis=-1)
    kernel = np.repeat(np.eye(len(parts)), CELL, axis=0)[None, None] / CELL
    return tf.nn.conv2d(columns, tf.constant(kernel, tf.float32), 1, "VALID")


class PhoneHalveFrames(HalveFrames):
    """`HalveFrames` by the kernel that phones have for resizing."""

    @without_autograph
    def call(self, images):
        return tf.image.resize(images, halved(size(images)[1:], self.multiple))


class PhoneResizeFlowLike(ResizeFlowLike):
    """`ResizeFlowLike` by the kernel that phones have for resizing. Of sizes that are known; else as in training."""

    @without_autograph
    def call(self, inputs):
        flow, like = inputs
        if None in flow.shape[1:3] or None in like.shape[1:3] or flow.shape[1:3] == like.shape[1:3]:
            return super().call(inputs)
        (h, w), to = flow.shape[1:3], like.shape[1:3]
        return tf.image.resize(flow, to) * tf.constant([[[[to[1] / w, to[0] / h]]]], tf.float32)


class PhoneConvexUpsample(ConvexUpsample):
    """`ConvexUpsample` as one small matrix product a coarse pixel, which XNNPACK takes as a whole.

    (u, v, 1) of the nine neighbours times the weights of the fine pixels: sums of flow, and of weights. Exponentials
    are cut off where the logits would be: those may be of eight bits, which XNNPACK does not compare.
    """

    @without_autograph
    def call(self, inputs):
        flow, logits = inputs
        f = self.factor
        b, h, w = size(flow)
        near = tf.concat([f * flow, tf.ones_like(flow[..., :1])], axis=-1)
        near = tf.concat([near[:, :1], near, near[:, -1:]], axis=1)
        near = tf.concat([near[:, :, :1], near, near[:, :, -1:]], axis=2)
        near = tf.concat([near[:, :, i : i + w] for i in range(3)], axis=-1)
        near = tf.concat([near[:, i : i + h] for i in range(3)], axis=-1)  # [b, h, w, 3 rows * 3 columns * (u, v, 1)]
        near = tf.transpose(tf.reshape(near, [b * h, w, 9, 3]), [0, 1, 3, 2])
        weights = tf.clip_by_value(tf.exp(tf.cast(logits, tf.float32)), math.exp(-LARGEST), math.exp(LARGEST))
        weights = tf.reshape(weights * tf.constant(bilinear(f), tf.float32), [b * h, w, 9, f * f])
        sums = tf.matmul(near, weights)  # [b * h, w, (u, v, 1), f * f]
        fine = tf.transpose(sums[:, :, :2] / sums[:, :, 2:], [0, 1, 3, 2])
        return channels_to_blocks(tf.reshape(fine, [b, h, w, f * f * 2]), f)


class PhoneConcatenate(FlowLayer, keras.layers.Concatenate):
    """`Concatenate` of features and flow, where flow itself must stay float.

    flows: places of the inputs that are flow. flow_range: where given, those enter as copies, rounded to eight bits
    over [-range, range]. The product with almost 1 keeps the rounding there: the converter carries it back through
    what moves or resizes values, but not through arithmetic.
    """

    def __init__(self, flows: tuple[int, ...] = (), flow_range: float | None = None, **kwargs):
        super().__init__(**kwargs)
        self.flows, self.flow_range = tuple(flows), flow_range

    @without_autograph
    def call(self, inputs):
        if self.flow_range:
            inputs = [self._rounded(x) if i in self.flows else x for i, x in enumerate(inputs)]
        return super().call(inputs)

    def _rounded(self, flow):
        return tf.quantization.fake_quant_with_min_max_args(flow * ALMOST_ONE, -self.flow_range, self.flow_range)

    def get_config(self):
        return {**super().get_config(), "flows": self.flows, "flow_range": self.flow_range}


ALMOST_ONE = 1.0 + 2.0**-23
"""The float32 after 1."""
