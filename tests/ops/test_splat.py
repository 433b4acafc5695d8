"""The forward splat and the range map."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.ops import oracles, ways
from tfflow.ops import backward_warp, range_map, splat


def scene(seed=0, b=2, h=5, w=7, c=3, reach=4.0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=[b, h, w, c]).astype(np.float32)
    flow = rng.uniform(-reach, reach, [b, h, w, 2]).astype(np.float32)
    flow[..., 1] *= 0.6
    return values, flow


@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_splat_adds_each_value_by_bilinear_weights_around_its_target(way):
    values, flow = scene()
    np.testing.assert_allclose(way(splat, values, flow), oracles.splat(values, flow), atol=5e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (2, 2)], ids=str)
def test_splat_of_thin_frames(shape):
    values, flow = scene(h=shape[0], w=shape[1])
    np.testing.assert_allclose(splat(values, flow), oracles.splat(values, flow), atol=5e-6)


def test_splat_is_the_transpose_of_the_warp():
    values, flow = scene(h=9, w=14)
    other = np.random.default_rng(2).normal(size=values.shape).astype(np.float32)
    forward = np.sum(splat(values, flow).numpy().astype(float) * other)
    backward = np.sum(values.astype(float) * backward_warp(tf.constant(other), tf.constant(flow)).numpy())
    assert abs(forward) > 1
    np.testing.assert_allclose(forward, backward, rtol=1e-5)


def test_integer_flow_moves_pixels():
    values, flow = scene()
    flow[...] = (2.0, -1.0)
    landed = splat(values, flow).numpy()
    np.testing.assert_array_equal(landed[:, :-1, 2:], values[:, 1:, :-2])
    assert not landed[:, -1].any() and not landed[:, :, :2].any()


@pytest.mark.parametrize("which", [0, 1], ids=["values", "flow"])
def test_gradient_is_that_of_the_definition(which):
    values, flow = scene(h=4, w=5, c=2, reach=3.0)
    flow = (np.floor(flow) + np.clip(flow - np.floor(flow), 0.1, 0.9)).astype(np.float32)  # off the grid lines
    upstream = np.random.default_rng(1).normal(size=values.shape)
    np.testing.assert_allclose(
        ways.gradient(splat, [values, flow], which, upstream),
        oracles.gradient(oracles.splat, [values, flow], which, upstream),
        atol=2e-5,
    )


@pytest.mark.parametrize("way", [ways.eager, ways.compiled], ids=lambda way: way.__name__)
def test_flow_that_is_no_number_or_huge_is_dropped_and_harms_no_neighbour(way):
    values, flow = scene()
    for n, bad in enumerate([np.nan, np.inf, -np.inf, 1e30, -1e30, 3e9]):
        flow[0, n % 5, n, 0] = flow[1, 4 - n % 5, n, 1] = bad
    good = (np.abs(flow) < 1e9).all(-1, keepdims=True)
    expected = oracles.splat(values * good, np.where(good, flow, 0))
    np.testing.assert_allclose(way(splat, values, flow), expected, atol=5e-6)
    for which in (0, 1):
        slope = ways.gradient(splat, [values, flow], which, values)
        assert np.isfinite(slope).all()
        assert not slope[~good[..., 0]].any()


def test_half_precision_values_are_added_in_float32():
    ones = tf.ones([1, 1, 4096, 1], tf.float16)
    flow = -np.arange(4096, dtype=np.float32)[None, None, :, None] * np.float32([1, 0])  # all land on the first pixel
    assert splat(ones, flow).numpy()[0, 0, 0, 0] == 4096  # float16 would stop at 2048


def test_range_map_of_zero_flow_is_all_ones():
    np.testing.assert_array_equal(range_map(np.zeros([2, 4, 6, 2], np.float32)), np.ones([2, 4, 6, 1]))


def test_range_map_of_one_pixel_to_the_right_leaves_the_first_column_empty():
    flow = np.zeros([1, 4, 6, 2], np.float32) + np.float32([1, 0])
    expected = np.ones([1, 4, 6, 1])
    expected[:, :, 0] = 0
    np.testing.assert_array_equal(range_map(flow), expected)


@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_range_map_is_the_splat_of_ones(way):
    _, flow = scene()
    np.testing.assert_allclose(way(range_map, flow), oracles.splat(np.ones_like(flow[..., :1]), flow), atol=5e-6)


def test_refusals_say_what_was_expected_and_what_came():
    values, flow = scene()
    with pytest.raises(ValueError, match=r"`values` must be \[b, h, w, c\], got \(5, 7, 3\)"):
        splat(values[0], flow)
    with pytest.raises(ValueError, match=r"`flow` must be \[b, h, w, 2\] in \(u, v\) order, got \(2, 5, 7, 3\)"):
        splat(values, values)
    with pytest.raises(ValueError, match=r"`values` and `flow` must have the same height and width"):
        splat(values[:, 1:], flow)
    with pytest.raises(ValueError, match=r"`flow21` must be \[b, h, w, 2\]"):
        range_map(values)
