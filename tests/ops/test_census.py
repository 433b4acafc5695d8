"""The census transform and the differences of neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.ops import oracles, ways
from tfflow.ops import census_distance, census_transform, diagonal_differences, differences


def picture(seed=0, b=2, h=7, w=10, c=3):
    return np.random.default_rng(seed).uniform(0.1, 0.8, [b, h, w, c]).astype(np.float32)


@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_census_is_the_soft_sign_of_each_neighbour(way):
    image = picture()
    census = way(lambda i: census_transform(i, 2), image)
    assert census.shape == (2, 7, 10, 25)
    np.testing.assert_allclose(census, oracles.census_transform(image, 2), atol=2e-4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 1)], ids=str)
def test_census_of_thin_grey_frames(shape):
    image = picture(h=shape[0], w=shape[1], c=1)
    np.testing.assert_allclose(census_transform(image, 1), oracles.census_transform(image, 1), atol=2e-4)


def test_census_of_one_and_ten_grey_levels():
    image = np.zeros([1, 1, 3, 1], np.float32) + np.float32([100, 101, 110])[:, None] / 255
    centre = census_transform(image, 1).numpy()[0, 0, 1]
    np.testing.assert_allclose(census_transform(image, 1).numpy()[0, 0, 0, 5], 0.7433, atol=1e-4)
    np.testing.assert_allclose(centre[5], 9 / np.sqrt(0.81 + 81), atol=1e-4)
    np.testing.assert_allclose(centre[[3, 4]], [-0.7433, 0], atol=1e-4)


def test_brightness_added_changes_nothing_inside():
    image = picture()
    before, after = census_transform(image, 2), census_transform(image + 0.15, 2)
    np.testing.assert_allclose(before[:, 2:-2, 2:-2], after[:, 2:-2, 2:-2], atol=1e-4)


def test_contrast_changes_no_sign():
    image = picture()
    np.testing.assert_array_equal(np.sign(census_transform(image, 1)), np.sign(census_transform(image * 1.7, 1)))


def test_a_mirrored_picture_has_mirrored_neighbours():
    image = picture()
    census = census_transform(image, 1).numpy().reshape(2, 7, 10, 3, 3)
    mirrored = census_transform(image[:, :, ::-1].copy(), 1).numpy().reshape(2, 7, 10, 3, 3)
    np.testing.assert_allclose(mirrored, census[:, :, ::-1, :, ::-1], atol=1e-6)


def test_census_gradient_is_that_of_the_definition():
    image = np.float32(0.5) + np.random.default_rng(3).uniform(-2, 2, [1, 3, 4, 3]).astype(np.float32) / 255
    upstream = np.random.default_rng(1).normal(size=[1, 3, 4, 9])
    slope = oracles.gradient(lambda i: oracles.census_transform(i, 1), [image], 0, upstream)
    np.testing.assert_allclose(
        ways.gradient(lambda i: census_transform(i, 1), [image], 0, upstream), slope, atol=2e-4 * np.abs(slope).max()
    )


def test_census_of_half_precision_is_made_in_float32():
    image = picture()
    census = census_transform(tf.cast(image, tf.float16), 1)
    assert census.dtype == tf.float32
    expected = oracles.census_transform(image.astype(np.float16).astype(np.float32), 1)
    np.testing.assert_allclose(census, expected, atol=2e-4)


def distance_of(image1, image2, radius):
    """The definition: over all neighbours, through both transforms."""
    d2 = (oracles.census_transform(image1, radius) - oracles.census_transform(image2, radius)) ** 2
    return (d2 / (0.1 + d2)).sum(-1, keepdims=True)


@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_census_distance_is_the_sum_over_all_neighbours(way):
    image1, image2 = picture(), picture(1)
    distance = way(lambda a, b: census_distance(a, b, 2), image1, image2)
    assert distance.shape == (2, 7, 10, 1)
    np.testing.assert_allclose(distance, distance_of(image1, image2, 2), atol=2e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 1), (2, 3)], ids=str)
def test_census_distance_of_frames_smaller_than_its_window(shape):
    image1, image2 = picture(h=shape[0], w=shape[1], c=1), picture(1, h=shape[0], w=shape[1], c=1)
    np.testing.assert_allclose(census_distance(image1, image2, 3), distance_of(image1, image2, 3), atol=2e-3)


@pytest.mark.parametrize("which", [0, 1])
def test_census_distance_has_the_gradient_of_the_definition(which):
    rng = np.random.default_rng(3)
    images = [np.float32(0.5) + rng.uniform(-2, 2, [1, 3, 4, 3]).astype(np.float32) / 255 for _ in range(2)]
    upstream = rng.normal(size=[1, 3, 4, 1])
    slope = oracles.gradient(lambda a, b: distance_of(a, b, 2), images, which, upstream)
    np.testing.assert_allclose(
        ways.gradient(lambda a, b: census_distance(a, b, 2), images, which, upstream),
        slope,
        atol=1e-3 * np.abs(slope).max(),
    )


def test_census_distance_of_a_frame_to_itself_is_nothing_and_to_any_other_the_same_both_ways():
    image1, image2 = picture(), picture(1)
    assert not census_distance(image1, image1, 3).numpy().any()
    np.testing.assert_allclose(census_distance(image1, image2, 3), census_distance(image2, image1, 3), rtol=1e-5)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_differences_are_those_of_neighbours(way, order):
    x = picture(c=2)
    for ours, theirs in zip(way(lambda i: differences(i, order), x), oracles.differences(x, order), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_ramp_has_constant_first_and_no_second_differences():
    ramp = tf.constant((3.0 * np.arange(9) - 5.0 * np.arange(4)[:, None])[None, :, :, None])
    dx, dy = differences(ramp, 1)
    assert (dx.numpy() == 3).all() and (dy.numpy() == -5).all()
    dx, dy = differences(ramp, 2)
    assert dx.shape == (1, 4, 7, 1) and dy.shape == (1, 2, 9, 1)
    assert not dx.numpy().any() and not dy.numpy().any()


@pytest.mark.parametrize("order", [1, 2])
def test_differences_of_one_pixel_are_empty(order):
    dx, dy = differences(np.ones([1, 1, 1, 2], np.float32), order)
    assert tf.size(dx) == 0 and tf.size(dy) == 0


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_differences_keep_the_type(dtype):
    dx, dy = differences(tf.cast(picture(), dtype), 2)
    assert dx.dtype == dy.dtype == dtype


def test_differences_gradient_is_that_of_the_definition():
    x = picture(b=1, h=3, w=5, c=2)
    upstream = np.random.default_rng(1).normal(size=[1, 3, 3, 2])
    np.testing.assert_allclose(
        ways.gradient(lambda i: differences(i, 2)[0], [x], 0, upstream),
        oracles.gradient(lambda i: oracles.differences(i, 2)[0], [x], 0, upstream),
        atol=1e-5,
    )


def test_refusals_say_what_was_expected_and_what_came():
    with pytest.raises(ValueError, match=r"`images` must have 1 or 3 channels, got \(1, 4, 5, 2\)"):
        census_transform(np.zeros([1, 4, 5, 2], np.float32))
    with pytest.raises(ValueError, match="`radius` must be at least 1, got 0"):
        census_transform(np.zeros([1, 4, 5, 3], np.float32), 0)
    with pytest.raises(ValueError, match=r"`images2` must have 1 or 3 channels, got \(1, 4, 5, 2\)"):
        census_distance(np.zeros([1, 4, 5, 3], np.float32), np.zeros([1, 4, 5, 2], np.float32))
    with pytest.raises(ValueError, match="`images1` and `images2` must have the same height and width"):
        census_distance(np.zeros([1, 4, 5, 3], np.float32), np.zeros([1, 4, 6, 3], np.float32))
    with pytest.raises(ValueError, match=r"`x` must be \[b, h, w, c\], got \(4, 5\)"):
        differences(np.zeros([4, 5], np.float32))
    with pytest.raises(ValueError, match="`order` must be 1 or 2, got 3"):
        differences(np.zeros([1, 4, 5, 2], np.float32), 3)


@pytest.mark.parametrize("order", [1, 2])
def test_diagonal_differences_are_those_of_neighbours_below_to_the_right_and_to_the_left(order):
    x, kernel = picture(), {1: [-1, 1], 2: [1, -2, 1]}[order]
    right, left = diagonal_differences(x, order)
    assert right.shape == left.shape == (2, 7 - order, 10 - order, 3)
    for i, row, column in np.ndindex(2, 7 - order, 10 - order):
        down = [row + n for n in range(order + 1)]
        expected = sum(k * x[i, y, column + n] for n, (k, y) in enumerate(zip(kernel, down, strict=True)))
        np.testing.assert_allclose(right[i, row, column], expected, atol=1e-6)
        expected = sum(k * x[i, y, column + order - n] for n, (k, y) in enumerate(zip(kernel, down, strict=True)))
        np.testing.assert_allclose(left[i, row, column], expected, atol=1e-6)


def test_diagonal_differences_of_another_order_are_refused():
    with pytest.raises(ValueError, match="`order` must be 1 or 2, got 3"):
        diagonal_differences(picture(), 3)
