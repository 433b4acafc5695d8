"""Another grid for images, flow and masks."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.ops import oracles, ways
from tfflow.ops import crop_each, halve, resize_flow, resize_image, resize_mask, resize_to_multiple

SIZES = {"larger": (9, 17), "smaller": (3, 4), "taller and narrower": (11, 4), "same": (5, 8), "one pixel": (1, 1)}


def picture(seed=0, b=2, h=5, w=8, c=3):
    return np.random.default_rng(seed).uniform(size=[b, h, w, c]).astype(np.float32)


@pytest.mark.parametrize("to", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("align_corners", [False, True])
def test_resize_weighs_pixels_by_a_tent_around_the_new_centre(to, align_corners):
    image = picture()
    resized = resize_image(image, to, align_corners)
    np.testing.assert_allclose(resized, oracles.resize(image, to, align_corners), atol=2e-6)


@pytest.mark.parametrize("to", [(9, 17), (10, 32), (15, 24), (3, 4)], ids=["larger", "double", "triple", "smaller"])
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_resize_is_the_same_whether_sizes_are_known_or_not(way, align_corners, to):
    image = picture()
    resized = way(lambda i: resize_image(i, to, align_corners), image)
    np.testing.assert_allclose(resized, oracles.resize(image, to, align_corners), atol=2e-6)


def test_halving_a_ramp_keeps_its_slope_and_averages():
    ramp = np.broadcast_to(np.arange(12, dtype=np.float32), [1, 6, 12])[..., None]
    halved = resize_image(ramp, (3, 6)).numpy()[0, :, 1:-1, 0]
    np.testing.assert_allclose(halved, np.broadcast_to(2 * np.arange(1, 5) + 0.5, [3, 4]), atol=1e-5)
    noise = resize_image(picture(b=1, h=128, w=128), (8, 8)).numpy()
    assert noise.std() < 0.05  # 256 pixels in each; point samples would keep 0.29


@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_halved_frames_are_means_of_four_pixels_where_the_size_allows(way):
    image = picture(h=8, w=12)
    means = image.reshape(2, 4, 2, 6, 2, 3).mean((2, 4))
    np.testing.assert_allclose(way(lambda i: halve(i, 2), image), means, atol=1e-6)


@pytest.mark.parametrize(("size", "half"), [((256, 448), (128, 256)), ((64, 64), (64, 64)), ((448, 1024), (256, 512))])
def test_halved_frames_are_enlarged_to_a_multiple(size, half):
    ramp = np.broadcast_to(np.arange(size[1], dtype=np.float32), [1, *size])[..., None]
    found = halve(ramp, 64).numpy()
    assert found.shape == (1, *half, 1)
    slope = size[1] / half[1]
    inside = slope * (np.arange(half[1]) + 0.5) - 0.5
    np.testing.assert_allclose(found[0, 0, 1:-1, 0], inside[1:-1], atol=1e-3)
    with pytest.raises(ValueError, match="multiple"):
        halve(ramp, 0)


def test_align_corners_keeps_the_corner_pixels():
    image = picture()
    resized = resize_image(image, (9, 17), align_corners=True).numpy()
    np.testing.assert_allclose(resized[:, [0, 0, -1, -1], [0, -1, 0, -1]], image[:, [0, 0, -1, -1], [0, -1, 0, -1]])


@pytest.mark.parametrize("to", [(188, 621), (94, 311), (760, 1300), (20, 39)], ids=str)
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("way", [ways.eager, ways.traced_any_size], ids=lambda way: way.__name__)
def test_constant_flow_changes_by_the_ratio_of_each_axis(way, align_corners, to):
    flow = np.zeros([1, 375, 1242, 2], np.float32) + np.float32([6.0, -4.0])
    resized = way(lambda f: resize_flow(f, to, align_corners), flow).numpy()
    assert resized.shape == (1, *to, 2)
    expected = np.array([6.0 * to[1] / 1242, -4.0 * to[0] / 375])
    np.testing.assert_allclose(resized, np.broadcast_to(expected, resized.shape), rtol=1e-4)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("to", [(7, 9), (6, 10), (2, 4)], ids=["larger", "double", "smaller"])
@pytest.mark.parametrize("compiled", [False, True])
def test_gradient_is_that_of_the_definition(compiled, to, align_corners):
    flow = picture(b=1, h=3, w=5, c=2)
    upstream = np.random.default_rng(1).normal(size=[1, *to, 2])
    scale = np.array([to[1] / 5, to[0] / 3])
    resize = tf.function(lambda f: resize_flow(f, to, align_corners), jit_compile=compiled)
    np.testing.assert_allclose(
        ways.gradient(resize, [flow], 0, upstream),
        oracles.gradient(lambda f: oracles.resize(f, to, align_corners) * scale, [flow], 0, upstream),
        atol=1e-5,
    )


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
@pytest.mark.parametrize("to", [(9, 17), (3, 4)], ids=["larger", "smaller"])
def test_resize_keeps_the_type(to, dtype):
    image = picture()
    for align_corners in (False, True):
        resized = resize_image(tf.cast(image, dtype), to, align_corners)
        assert resized.dtype == dtype
        expected = oracles.resize(image, to, align_corners)
        np.testing.assert_allclose(tf.cast(resized, tf.float32), expected, atol=8e-3)


@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_a_resized_mask_uses_only_what_is_made_of_used_pixels(way):
    mask = (picture(h=9, w=12, c=1) > 0.15).astype(np.float32)
    resized = way(lambda m: resize_mask(m, (4, 5)), mask)
    np.testing.assert_array_equal(resized, oracles.resize(mask, (4, 5)) > 0.999)
    assert 0 < np.mean(resized) < 1


@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
@pytest.mark.parametrize("to", [(9, 17), (5, 8), (5, 9), (7, 8)], ids=str)
def test_images_are_enlarged_alike_with_and_without_antialiasing(way, to):
    image = picture()
    enlarged = way(lambda i: resize_image(i, to, antialias=False), image)
    np.testing.assert_allclose(enlarged, oracles.resize(image, to), atol=1e-6)


@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_without_antialiasing_a_smaller_image_is_made_of_the_nearest_four_pixels(way):
    row = np.arange(9, dtype=np.float32)[None, None, :, None] ** 2
    smaller = way(lambda i: resize_image(i, (1, 3), antialias=False), row)
    np.testing.assert_allclose(smaller[0, 0, :, 0], [1, 16, 49], rtol=1e-6)
    smaller = way(lambda i: resize_image(i, (1, 2), antialias=False), row)
    np.testing.assert_allclose(smaller[0, 0, :, 0], [1 + 0.75 * 3, 36 + 0.25 * 13], rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (64, 5), (63, 65), (8, 16)], ids=str)
@pytest.mark.parametrize("multiple", [1, 8, 64])
def test_enlarged_to_the_next_multiples(shape, multiple):
    image = picture(h=shape[0], w=shape[1])
    enlarged = resize_to_multiple(image, multiple)
    height, width = enlarged.shape[1:3]
    assert height % multiple == 0 and width % multiple == 0
    assert shape[0] <= height < shape[0] + multiple and shape[1] <= width < shape[1] + multiple
    np.testing.assert_allclose(enlarged, tf.image.resize(image, (height, width)), atol=1e-6)
    if (height, width) == shape:
        np.testing.assert_array_equal(enlarged, image)


def test_refusals_say_what_was_expected_and_what_came():
    image = picture()
    with pytest.raises(ValueError, match=r"`images` must be \[b, h, w, c\], got \(5, 8, 3\)"):
        resize_image(image[0], (3, 4))
    with pytest.raises(ValueError, match="`images` must be of a floating type, got uint8"):
        resize_image(image.astype(np.uint8), (3, 4))
    with pytest.raises(ValueError, match=r"`to` must be \(height, width\) of at least one pixel each, got \(0, 4\)"):
        resize_image(image, (0, 4))
    with pytest.raises(ValueError, match=r"`flow` must be \[b, h, w, 2\] in \(u, v\) order, got \(2, 5, 8, 3\)"):
        resize_flow(image, (3, 4))
    with pytest.raises(ValueError, match=r"`mask` must be \[b, h, w, 1\], got \(2, 5, 8, 3\)"):
        resize_mask(image, (3, 4))
    with pytest.raises(ValueError, match="`multiple` must be at least 1, got 0"):
        resize_to_multiple(image, 0)
    with pytest.raises(ValueError, match="`images` must be of a floating type, got uint8"):
        resize_to_multiple(image.astype(np.uint8), 8)


@pytest.mark.parametrize("way", [ways.eager, ways.compiled], ids=lambda way: way.__name__)
def test_cut_takes_each_sample_its_own_window(way):
    image = picture(b=3)
    top, left = np.int32([0, 2, 1]), np.int32([5, 0, 3])
    windows = way(lambda i, y, x: crop_each(i, y, x, (3, 2)), image, top, left)
    for i, (y, x) in enumerate(zip(top, left, strict=True)):
        np.testing.assert_array_equal(windows[i], image[i, y : y + 3, x : x + 2])
