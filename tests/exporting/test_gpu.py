"""Operators that GPUs compute otherwise than CPUs, and the forms in their place."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.conftest import converted
from tfflow.exporting.cost_volume import PhoneCostVolume
from tfflow.exporting.facts import facts, violations
from tfflow.exporting.layers import PhoneConvexUpsample, PhoneLucasKanade, PhoneWarp
from tfflow.ops.shuffle import blocks_to_channels, channels_to_blocks

THREE, FOUR = (3, 5, 12), (2, 3, 5, 12)


def constant(*shape):
    return tf.constant(np.random.default_rng(1).normal(size=shape).astype(np.float32))


def whole(x, add):
    """As float, since files of whole numbers are refused for another reason."""
    return tf.cast(tf.cast(10 * x, tf.int32) + np.arange(12, dtype=np.int32).reshape(add), tf.float32)


@pytest.mark.parametrize(
    ("function", "shape", "line"),
    [
        (lambda x: tf.pad(x, [[0, 0], [0, 0], [0, 4]]), THREE, "PAD of 3 axes"),
        (lambda x: x * constant(*THREE), THREE, "with a constant (3, 5, 12)"),
        (lambda x: x - constant(3, 1, 1), THREE, "with a constant (3, 1, 1)"),
        (lambda x: x / constant(5, 1), (5, 12), "with a constant (5, 1)"),
        (lambda x: whole(x, [12]), FOUR, "a whole-number constant of 1"),
        (lambda x: tf.nn.depth_to_space(x, 2), FOUR, "DEPTH_TO_SPACE of batch 2"),
        (lambda x: tf.nn.space_to_depth(x, 2), (2, 4, 6, 3), "SPACE_TO_DEPTH of batch 2"),
    ],
)
def test_what_gpus_compute_otherwise_is_seen(function, shape, line):
    found = violations(facts(converted(lambda x: 2 * function(x), shape)), eight_bits=False)
    assert any(line in violation for violation in found), found


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda x: tf.pad(x, [[1, 0], [0, 1], [2, 0], [0, 4]]), FOUR),
        (lambda x: x * constant(*FOUR), FOUR),
        (lambda x: x * constant(1, 5, 1), THREE),
        (lambda x: x * constant(12), FOUR),
        (lambda x: whole(x, [1, 1, 1, 12]), FOUR),
        (lambda x: tf.nn.depth_to_space(x, 2), (1, 3, 5, 12)),
        (lambda x: tf.nn.conv2d(x, constant(3, 3, 12, 4), 1, "SAME"), FOUR),
    ],
)
def test_what_gpus_compute_as_cpus_do_is_taken(function, shape):
    found = violations(facts(converted(lambda x: 2 * function(x), shape)), eight_bits=False)
    assert not any("GPUs" in line or "axes" in line for line in found), found


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(
    ("layer", "channels"),
    [
        (PhoneWarp(), (6, 2)),
        (PhoneCostVolume(4), (6, 6)),
        (PhoneCostVolume(4, 2), (6, 6)),
        (PhoneConvexUpsample(4), (2, 144)),
        (PhoneLucasKanade(), (3, 3, 2)),
    ],
)
def test_layers_of_the_phone_have_no_operator_that_gpus_compute_otherwise(layer, channels, batch):
    """Also in both directions, which are a batch of two."""
    shapes = [(batch, 8, 12, n) for n in channels]
    found = violations(facts(converted(lambda *inputs: layer(list(inputs)), *shapes)), eight_bits=False)
    assert not any("GPUs" in line or "axes" in line for line in found), found


@pytest.mark.parametrize("n", [2, 3])
def test_blocks_become_channels_as_tensorflow_s_do_and_return(n):
    x = tf.random.stateless_normal([2, 2 * n, 3 * n, 5], [1, 2])
    deep = blocks_to_channels(x, n)
    np.testing.assert_array_equal(deep, tf.nn.space_to_depth(x, n))
    np.testing.assert_array_equal(channels_to_blocks(deep, n), x)
