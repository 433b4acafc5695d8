"""The backward warp and the mask of targets inside the frame."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.ops import oracles, ways
from tfflow.ops import backward_warp, inside, sample_points
from tfflow.ops.warp import OUTSIDE


def frames(seed=0, b=2, h=5, w=8, c=3, reach=4.0):
    rng = np.random.default_rng(seed)
    image = rng.uniform(size=[b, h, w, c]).astype(np.float32)
    flow = rng.uniform(-reach, reach, [b, h, w, 2]).astype(np.float32)
    flow[..., 1] *= 0.6  # u and v of different size
    return image, flow


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_warp_is_bilinear_sampling_at_the_target(way, outside):
    image, flow = frames()
    warped = way(lambda i, f: backward_warp(i, f, outside), image, flow)
    np.testing.assert_allclose(warped, oracles.backward_warp(image, flow, outside), atol=2e-6)


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (2, 2)], ids=str)
def test_warp_of_thin_frames(shape, outside):
    image, flow = frames(h=shape[0], w=shape[1])
    np.testing.assert_allclose(
        backward_warp(tf.constant(image), tf.constant(flow), outside),
        oracles.backward_warp(image, flow, outside),
        atol=2e-6,
    )


@pytest.mark.parametrize("outside", ["zero", "border", "strict"])
def test_zero_flow_gives_the_image_back_with_its_last_row_and_column(outside):
    image, flow = frames()
    np.testing.assert_array_equal(backward_warp(tf.constant(image), tf.zeros_like(flow), outside), image)


def test_ddflow_s_rule_drops_the_last_row_and_column_and_extrapolates_before_the_first():
    image, flow = frames()
    warped = backward_warp(tf.constant(image), tf.zeros_like(flow), "ddflow").numpy()
    np.testing.assert_array_equal(warped[:, :-1, :-1], image[:, :-1, :-1])
    assert not warped[:, -1].any() and not warped[:, :, -1].any()
    flow[...] = (-0.5, 0.0)
    warped = backward_warp(tf.constant(image), tf.constant(flow), "ddflow").numpy()
    np.testing.assert_allclose(warped[:, :-1, 0], 1.5 * image[:, :-1, 0] - 0.5 * image[:, :-1, 1], atol=1e-6)


def test_the_strict_rule_drops_what_is_not_wholly_inside():
    image, flow = frames()
    flow[...] = (0.25, 0.0)
    warped = backward_warp(tf.constant(image), tf.constant(flow), "strict").numpy()
    np.testing.assert_allclose(warped[:, :, :-1], 0.75 * image[:, :, :-1] + 0.25 * image[:, :, 1:], atol=1e-6)
    assert not warped[:, :, -1].any()


def test_integer_flow_equals_shifting_pixels():
    image, flow = frames()
    flow[...] = (2.0, -1.0)  # the pixel comes from two to the right, one above
    warped = backward_warp(tf.constant(image), tf.constant(flow)).numpy()
    np.testing.assert_array_equal(warped[:, 1:, :-2], image[:, :-1, 2:])
    assert not warped[:, 0].any() and not warped[:, :, -2:].any()
    warped = backward_warp(tf.constant(image), tf.constant(flow), "border").numpy()
    np.testing.assert_array_equal(warped[:, 0, :-2], image[:, 0, 2:])
    np.testing.assert_array_equal(warped[:, 1:, -1], image[:, :-1, -1])


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("which", [0, 1], ids=["image", "flow"])
def test_gradient_is_that_of_the_definition(which, outside):
    image, flow = frames(b=2, h=4, w=5, c=2, reach=3.0)
    flow = (np.floor(flow) + np.clip(flow - np.floor(flow), 0.1, 0.9)).astype(np.float32)  # off the grid lines
    upstream = np.random.default_rng(1).normal(size=image.shape)
    np.testing.assert_allclose(
        ways.gradient(lambda i, f: backward_warp(i, f, outside), [image, flow], which, upstream),
        oracles.gradient(lambda i, f: oracles.backward_warp(i, f, outside), [image, flow], which, upstream),
        atol=1e-5,
    )


BAD = [np.nan, np.inf, -np.inf, 1e30, -1e30, 3e9]


def frames_with_bad_flow():
    image, flow = frames()
    is_bad = np.zeros(flow.shape[:3], bool)
    for n, bad in enumerate(BAD):
        flow[0, n % 5, n, 0] = flow[1, 4 - n % 5, n, 1] = bad
        is_bad[0, n % 5, n] = is_bad[1, 4 - n % 5, n] = True
    return image, flow, is_bad


@pytest.mark.parametrize("way", [ways.eager, ways.compiled], ids=lambda way: way.__name__)
def test_flow_that_is_no_number_or_huge_counts_as_outside_and_harms_no_neighbour(way):
    image, flow, is_bad = frames_with_bad_flow()
    expected = oracles.backward_warp(image, np.where(is_bad[..., None], 0, flow)) * ~is_bad[..., None]
    np.testing.assert_allclose(way(backward_warp, image, flow), expected, atol=2e-6)
    assert np.isfinite(way(lambda i, f: backward_warp(i, f, "border"), image, flow)).all()
    for outside in ("strict", "ddflow"):
        assert not np.asarray(way(lambda i, f, rule=outside: backward_warp(i, f, rule), image, flow))[is_bad].any()


@pytest.mark.parametrize("outside", OUTSIDE)
def test_flow_that_is_no_number_or_huge_has_no_gradient(outside):
    image, flow, is_bad = frames_with_bad_flow()
    to_image, to_flow = (
        ways.gradient(lambda i, f: backward_warp(i, f, outside), [image, flow], which, image) for which in (0, 1)
    )
    assert np.isfinite(to_image).all() and np.isfinite(to_flow).all()
    assert not to_flow[is_bad & ~np.isfinite(flow).all(-1)].any() or outside == "border"
    assert not to_flow[~(np.abs(flow) < 1e9)].any()


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
@pytest.mark.parametrize("way", [ways.eager, ways.compiled], ids=lambda way: way.__name__)
def test_half_precision_features_keep_the_precision_of_columns_beyond_256(way, dtype):
    w = 700
    ramp = tf.cast(tf.reshape(tf.range(w) % 2, [1, 1, w, 1]), tf.float32) * tf.ones([1, 3, 1, 1])
    flow = np.full([1, 3, w, 2], (0.25, 0.0), np.float32)  # exact in half precision, its column beyond 256 is not
    warped = way(lambda f: backward_warp(tf.cast(ramp, dtype), tf.cast(f, dtype)), flow)
    assert warped.dtype == dtype
    even = tf.cast(warped, tf.float32)[0, :, :-2:2, 0]
    np.testing.assert_allclose(even, np.full_like(even, 0.25), atol=1e-3)


def test_flow_stays_float32_beside_half_precision_features():
    image = tf.cast(np.arange(5 * 600).reshape(1, 5, 600, 1) % 7, tf.float16)
    flow = np.full([1, 5, 600, 2], (1 / 64 + 500.0, 0), np.float32)  # 500 + 1/64 is no float16
    warped = backward_warp(image, tf.constant(flow))
    expected = oracles.backward_warp(image.numpy().astype(np.float32), flow)
    np.testing.assert_allclose(warped.numpy().astype(np.float32), expected, atol=4e-3)


@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_inside_is_where_the_target_lies_within_the_frame(way):
    _, flow = frames()
    flow[0, 0, 0] = (7.0, 4.0)  # exactly the last pixel
    flow[0, 0, 1] = (6.001, 0.0)
    flow[1, 2, 2] = (-2.0, -2.0)  # exactly the first pixel
    np.testing.assert_array_equal(way(inside, flow), oracles.inside(flow))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_what_is_no_number_is_not_inside(bad):
    flow = np.zeros([1, 3, 4, 2], np.float32)
    flow[0, 1, 2, 1] = bad
    expected = np.ones([1, 3, 4, 1])
    expected[0, 1, 2] = 0
    np.testing.assert_array_equal(inside(tf.constant(flow)), expected)


def test_arrays_are_taken_as_they_are():
    image, flow = frames()
    np.testing.assert_allclose(backward_warp(image, flow), oracles.backward_warp(image, flow), atol=2e-6)
    assert inside(flow).shape == (2, 5, 8, 1)


@pytest.mark.parametrize(
    ("image", "flow", "outside", "text"),
    [
        (np.zeros([5, 8, 3]), np.zeros([1, 5, 8, 2]), "zero", r"`image2` must be \[b, h, w, c\], got \(5, 8, 3\)"),
        (
            np.zeros([1, 5, 8, 3]),
            np.zeros([1, 5, 8, 3]),
            "zero",
            r"`flow12` must be \[b, h, w, 2\] in \(u, v\) order, got \(1, 5, 8, 3\)",
        ),
        (
            np.zeros([1, 5, 8, 3]),
            np.zeros([1, 8, 5, 2]),
            "zero",
            r"`image2` and `flow12` must have the same height and width, got \(1, 5, 8, 3\) and \(1, 8, 5, 2\)",
        ),
        (
            np.zeros([1, 5, 8, 3]),
            np.zeros([1, 5, 8, 2]),
            "edge",
            "`outside` must be one of zero, border, strict, ddflow, got 'edge'",
        ),
        (
            np.zeros([1, 5, 8, 3], np.uint8),
            np.zeros([1, 5, 8, 2]),
            "zero",
            "`image2` must be of a floating type, got uint8",
        ),
    ],
    ids=["rank", "channels of flow", "sizes", "outside", "integers"],
)
def test_refusals_say_what_was_expected_and_what_came(image, flow, outside, text):
    with pytest.raises(ValueError, match=text):
        backward_warp(tf.constant(image), tf.constant(flow), outside)


@pytest.mark.parametrize("outside", ["zero", "border"])
@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_points_may_be_more_or_fewer_than_pixels(way, outside):
    image, _ = frames()
    points = np.random.default_rng(4).uniform([-2, -2], [9, 6], [2, 3, 11, 2]).astype(np.float32)
    sampled = way(lambda i, p: sample_points(i, p, outside), image, points)
    expected = [
        [[oracles.sample(i, y, x, outside) for x, y in row] for row in p] for i, p in zip(image, points, strict=True)
    ]
    np.testing.assert_allclose(sampled, expected, atol=2e-6)


def test_points_are_refused_as_flow_is():
    image, flow = frames()
    with pytest.raises(ValueError, match=r"`points` must be \[b, h, w, 2\], got \(2, 5, 8, 3\)"):
        sample_points(image, image)
    with pytest.raises(ValueError, match="`outside` must be one of zero, border, strict, ddflow, got None"):
        sample_points(image, flow, None)
