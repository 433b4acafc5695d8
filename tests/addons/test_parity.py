"""Warp and cost volume against tensorflow-addons, where it is installed: pip install -e '.[addons,test]'."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import tensorflow as tf

from tfflow.ops import backward_warp, cost_volume

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says that it is no longer kept up
    tfa = pytest.importorskip(
        "tensorflow_addons",
        reason="tensorflow-addons is not here (it needs TensorFlow 2.15: pip install -e '.[addons,test]')",
    )

# radius, stride, and (kernel, largest displacement, stride_1, stride_2, pad) of tfa.layers.CorrelationCost
SETS = {"PWC-Net": ((4, 1), (1, 4, 1, 1, 4)), "FlowNetC": ((20, 2), (1, 20, 1, 2, 20))}


def value_and_gradients(function, inputs, upstream):
    inputs = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = function(*inputs)
        total = tf.reduce_sum(value * upstream)
    return [value, *tape.gradient(total, inputs)]


def compare(names, ours, theirs, upstream, inputs, record, tolerance):
    ours = value_and_gradients(ours, inputs, upstream)
    theirs = value_and_gradients(theirs, inputs, upstream)
    for name, our, their in zip(names, ours, theirs, strict=True):
        assert np.abs(their.numpy()).max() > 0.1
        difference = float(np.abs(our.numpy() - their.numpy()).max())
        record(name, difference)
        assert difference < tolerance, f"{name}: {difference:.1e}"


@pytest.mark.parametrize(("h", "w"), [(13, 22), (40, 31)])
def test_warp_is_dense_image_warp_of_the_negative_flow_in_row_column_order(h, w, record):
    rng = np.random.default_rng(0)
    image = rng.uniform(size=[2, h, w, 3]).astype(np.float32)
    flow = (rng.uniform(-9, 9, [2, h, w, 2]) * [1.0, 0.6]).astype(np.float32)
    upstream = rng.normal(size=image.shape).astype(np.float32)
    compare(
        ["warp", "warp, gradient to the image", "warp, gradient to the flow"],
        lambda i, f: backward_warp(i, f, outside="border"),
        lambda i, f: tfa.image.dense_image_warp(i, -f[..., ::-1]),
        upstream,
        [image, flow],
        record,
        tolerance=2e-5,
    )


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("channels", [3, 32])
def test_cost_volume_is_correlation_cost_channel_by_channel(name, channels, record):
    (radius, stride), parameters = SETS[name]
    rng = np.random.default_rng(1)
    features = [rng.normal(size=[2, 11, 26, channels]).astype(np.float32) for _ in range(2)]
    displacements = (2 * radius // stride + 1) ** 2
    upstream = rng.normal(size=[2, 11, 26, displacements]).astype(np.float32)
    layer = tfa.layers.CorrelationCost(*parameters, data_format="channels_last")
    compare(
        [f"cost volume of {name}", f"{name}, gradient to features1", f"{name}, gradient to features2"],
        lambda a, b: cost_volume(a, b, radius, stride),
        lambda a, b: layer([a, b]),
        upstream,
        features,
        record,
        tolerance=2e-5,
    )
