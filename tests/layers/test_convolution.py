"""The dilated convolution in one operator is Keras' own, forwards and backwards."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tfflow.layers import DilatedConv2D

SETTINGS = {"1": (3, 1), "2": (3, 2), "8, wider than the frame": (3, 8), "2 x 3": (3, (2, 3)), "5 x 1": ((5, 1), 2)}


def pair(kernel, dilation, channels=4, filters=5):
    """Ours and Keras', with the same weights."""
    ours = DilatedConv2D(filters, kernel, dilation_rate=dilation, bias_initializer="random_normal")
    theirs = keras.layers.Conv2D(filters, kernel, dilation_rate=dilation, padding="same")
    for layer in (ours, theirs):
        layer.build([None, None, None, channels])
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def picture(b=2, h=7, w=10, c=4):
    return tf.constant(np.random.default_rng(0).normal(size=[b, h, w, c]).astype(np.float32))


@pytest.mark.parametrize(("kernel", "dilation"), SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("jit", [False, True])
def test_forward_and_gradient_are_those_of_keras(kernel, dilation, jit):
    ours, theirs = pair(kernel, dilation)
    x = picture()
    upstream = np.random.default_rng(1).normal(size=[2, 7, 10, 5]).astype(np.float32)

    def run(layer):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(y * upstream)
        return y, tape.gradient(total, [x, *layer.trainable_variables])

    y, gradients = tf.function(run, jit_compile=jit)(ours)
    y_keras, gradients_keras = run(theirs)
    np.testing.assert_allclose(y, y_keras, atol=1e-4)
    assert len(gradients) == 3
    for ours_g, theirs_g in zip(gradients, gradients_keras, strict=True):
        np.testing.assert_allclose(ours_g, theirs_g, atol=2e-4)


def test_it_is_one_operator_where_keras_makes_three():
    ours, theirs = pair(3, 4)
    signature = [tf.TensorSpec([None, None, None, 4])]

    def operators(layer):
        graph = tf.function(layer, input_signature=signature).get_concrete_function().graph
        return [op.type for op in graph.get_operations() if op.type.startswith(("Conv", "Space", "Batch"))]

    assert operators(ours) == ["Conv2D"]
    assert operators(theirs) == ["SpaceToBatchND", "Conv2D", "BatchToSpaceND"]


def test_gradient_where_no_size_is_known():
    ours, theirs = pair(3, 2)

    def slope(layer, x):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(layer(x) ** 2)
        return tape.gradient(total, layer.kernel)

    any_size = tf.function(lambda x: slope(ours, x), input_signature=[tf.TensorSpec([None, None, None, 4])])
    np.testing.assert_allclose(any_size(picture()), slope(theirs, picture()), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_gradients_of_half_precision_reach_float32_weights(policy):
    layer = DilatedConv2D(5, 3, dilation_rate=2, dtype=policy)
    with tf.GradientTape() as tape:
        y = layer(picture())
        total = tf.reduce_sum(tf.cast(y, tf.float32) ** 2)
    slope = tape.gradient(total, layer.kernel)
    assert y.dtype == layer.compute_dtype and slope.dtype == tf.float32
    full = DilatedConv2D(5, 3, dilation_rate=2)
    full.build([None, None, None, 4])
    full.set_weights(layer.get_weights())
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(full(picture()) ** 2)
    expected = tape.gradient(total, full.kernel).numpy()
    np.testing.assert_allclose(slope, expected, atol=0.03 * np.abs(expected).max())
