"""Building blocks of the networks: convolution with activation, encoder, decoder, context network, flow head.

Each function creates its layers and returns a function of tensors. A network may call that function for several frames,
directions or levels, which then share weights. The names of layers are the names of weights on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tf_keras as keras

from tfflow.layers import CostVolume, DilatedConv2D

Block = Callable[..., "keras.KerasTensor"]

KAIMING = keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal")
"""He et al. 2015: PWC-Net."""
NEAR_ZERO = keras.initializers.VarianceScaling(0.01, "fan_in", "untruncated_normal")
"""For flow heads that predict a residual: the initial flow is almost 0."""
XAVIER = keras.initializers.GlorotUniform()
"""Glorot 2010, the default of TF slim: DDFlow."""
TORCH = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
"""U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the default of PyTorch and Lua Torch: PWC-Lite, SpyNet."""


def conv(
    name: str,
    filters: int,
    kernel: int = 3,
    stride: int = 1,
    dilation: int = 1,
    slope: float | None = 0.1,
    symmetric: bool = False,
    init=XAVIER,
    dtype: str = "float32",
) -> Block:
    """Convolution and leaky ReLU (slope None: linear; 0: ReLU): [b, h, w, c] -> [b, h / stride, w / stride, filters].

    symmetric: pads (kernel - 1) / 2 on all sides, as Caffe and PyTorch do; else TensorFlow's "same", which at stride 2
    pads only right and below. The activation is a separate layer, because the quantizer refuses it in a convolution.
    """
    common = {"kernel_initializer": _copy(init), "dtype": dtype, "name": name}
    pad = None
    if dilation > 1:
        layer = DilatedConv2D(filters, kernel, dilation_rate=dilation, **common)
    elif symmetric and stride > 1:
        pad = keras.layers.ZeroPadding2D((kernel - 1) // 2, dtype=dtype, name=f"{name}_pad")
        layer = keras.layers.Conv2D(filters, kernel, stride, padding="valid", **common)
    else:
        layer = keras.layers.Conv2D(filters, kernel, stride, padding="same", **common)
    if slope is None:
        activation = None
    elif slope == 0:
        activation = keras.layers.ReLU(dtype=dtype, name=f"{name}_relu")
    else:
        activation = keras.layers.LeakyReLU(slope, dtype=dtype, name=f"{name}_leaky")

    def apply(x):
        x = layer(pad(x) if pad else x)
        return activation(x) if activation else x

    return apply


def flow_head(name: str, kernel: int = 3, init=XAVIER) -> Block:
    """The last convolution, features [b, h, w, c] -> flow [b, h, w, 2]: linear, float32 under every policy."""
    return conv(name, 2, kernel, slope=None, init=init, dtype="float32")


def encoder(channels: Sequence[int], convs_per_level: int, **options) -> Block:
    """Feature pyramid: [b, h, w, 3] -> list of [b, h / 2**l, w / 2**l, channels[l - 1]], fine (l = 1) to coarse.

    The first convolution of a level has stride 2.
    """
    levels = [
        [
            conv(f"encoder{level}_conv{i + 1}", width, stride=2 if i == 0 else 1, **options)
            for i in range(convs_per_level)
        ]
        for level, width in enumerate(channels, 1)
    ]

    def apply(images):
        pyramid, x = [], images
        for convs in levels:
            x = chain(convs)(x)
            pyramid.append(x)
        return pyramid

    return apply


def stack(name: str, filters: Sequence[int], dilations: Sequence[int] | None = None, **options) -> Block:
    """Convolutions one after the other, each with its activation: [b, h, w, c] -> [b, h, w, filters[-1]]."""
    dilations = dilations or [1] * len(filters)
    convs = [
        conv(f"{name}_conv{i}", n, dilation=d, **options)
        for i, (n, d) in enumerate(zip(filters, dilations, strict=True), 1)
    ]
    return chain(convs)


def context_network(name: str = "context", init=XAVIER, **options) -> Block:
    """PWC-Net's context network, dilated convolutions that cover 67 x 67 px: [b, h, w, c] -> flow [b, h, w, 2]."""
    body = stack(name, (128, 128, 128, 96, 64, 32), (1, 2, 4, 8, 16, 1), init=init, **options)
    return chain([body, flow_head(f"{name}_flow", init=init)])


def chain(blocks: Sequence[Block]) -> Block:
    """Applies blocks from left to right."""

    def apply(x):
        for block in blocks:
            x = block(x)
        return x

    return apply


def deconv(name: str, filters: int, init=XAVIER, dtype: str = "float32", bias: bool = True) -> Block:
    """Transposed 4x4 convolution of stride 2, linear: [b, h, w, c] -> [b, 2 * h, 2 * w, filters]."""
    return keras.layers.Conv2DTranspose(
        filters, 4, 2, "same", use_bias=bias, kernel_initializer=_copy(init), dtype=dtype, name=name
    )


def concat(name: str, tensors: Sequence, dtype: str = "float32"):
    """Concatenates channels, cast to the dtype of features. Flow in it is an input of a convolution, not the result."""
    return keras.layers.Concatenate(dtype=dtype, name=name)(list(tensors))


def cost_volume(level: int | str, features1, features2, dtype: str = "float32", radius: int = 4):
    """Costs of a level, by default 9x9, [b, h, w, 81]. Each level has its own layer: its own range in int8."""
    return CostVolume(radius, dtype=dtype, name=f"cost_volume{level}")([features1, features2])


def add(name: str, flow1, flow2):
    """Sum of two flows, float32 under every policy."""
    return keras.layers.Add(dtype="float32", name=name)([flow1, flow2])


def _copy(init):
    """A copy for each layer: one initializer object draws the same numbers every time."""
    return type(init).from_config(init.get_config())
