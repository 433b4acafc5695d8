"""Flow of what people hold: arrays and pictures of any kind and size."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tfflow
from tfflow.errors import InputError
from tfflow.models import as_image
from tfflow.models.tflite import TFLiteModel

NAME = "spynet_mobile"  # the smallest


@pytest.fixture(scope="module")
def model(built):
    return built(NAME)


def picture(h=37, w=53, seed=0):
    """uint8 RGB, smooth, no channel like another."""
    noise = tf.random.stateless_uniform([h // 6 + 2, w // 6 + 2, 3], [seed, 5])
    return np.clip(255 * tf.image.resize(noise, [h, w], "bicubic").numpy(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (57, 91), (64, 64), (65, 1)], ids=str)
def test_flow_has_the_size_of_the_frames(model, size):
    flow = model.flow(picture(*size), picture(*size, seed=1))
    assert flow.shape == (*size, 2) and flow.dtype == np.float32 and np.isfinite(flow).all()


@pytest.mark.parametrize("name", ["pwcnet_mobile", "flownets"])
def test_frames_of_odd_sizes_through_levels_of_halves(built, name):
    for size in [(1, 1), (57, 91)]:
        assert built(name).flow(picture(*size), picture(*size, seed=1)).shape == (*size, 2)


def test_frames_enlarged_by_hand_have_the_same_flow(model):
    """To multiples of the stride; their flow comes back in pixels of the frames as they were."""
    a, b = (as_image("x", picture(seed=i)) for i in range(2))
    enlarged = model.flow(*(tf.image.resize(x, (64, 64)).numpy() for x in (a, b)))
    expected = tf.image.resize(enlarged, (37, 53)).numpy() * np.float32([53 / 64, 37 / 64])
    np.testing.assert_allclose(model.flow(a, b), expected, atol=1e-5)


def test_motion_is_the_same_on_frames_of_any_size():
    """A pan by (3, 2) px, seen on frames that are and are not multiples of the stride."""
    model, wide = tfflow.load(), picture(140, 240)
    for size in [(128, 192), (101, 150), (130, 195)]:
        flow = model.flow(wide[2 : 2 + size[0], 3 : 3 + size[1]], wide[: size[0], : size[1]])
        inner = flow[24:-24, 24:-24]
        np.testing.assert_allclose(inner.mean((0, 1)), [3, 2], atol=0.1)


def test_batch_and_both_are_flow_of_each_pair(model):
    frames = [as_image("x", picture(seed=i)) for i in range(4)]
    first, second = np.stack(frames[:2]), np.stack(frames[2:])
    flow = model.batch(first, second)
    assert flow.shape == (2, 37, 53, 2)
    for i in range(2):
        np.testing.assert_allclose(flow[i], model.flow(frames[i], frames[i + 2]), atol=1e-5)
    flow12, flow21 = model.both(first, second)
    np.testing.assert_allclose(flow12, flow, atol=1e-5)
    np.testing.assert_allclose(flow21, model.batch(second, first), atol=1e-5)
    assert np.abs(flow12 - flow21).max() > 1e-3


def test_what_batch_refuses(model):
    image = np.zeros([1, 8, 9, 3], np.float32)
    with pytest.raises(ValueError, match=r"images must be two float32 \[b, h, w, 3\] of one shape, got \(1, 8, 9, 3\) "
                                         r"float32 and \(1, 8, 8, 3\) float32"):  # fmt: skip
        model.batch(image, image[:, :, :8])
    with pytest.raises(ValueError, match=r"got \(1, 8, 9, 3\) uint8 and \(1, 8, 9, 3\) uint8"):
        model.both(image.astype(np.uint8), image.astype(np.uint8))
    with pytest.raises(ValueError, match=r"got \(8, 9, 3\) float32"):
        model.batch(image[0], image[0])


@pytest.mark.parametrize("scale", [255.0, 2.0, np.nan, -1.0])
def test_batch_and_both_refuse_what_flow_refuses(model, scale):
    """Floats of 0 to 255 give a flow of a hundred pixels, and nothing that shows it."""
    good, bad = np.full((1, 8, 9, 3), 0.5, np.float32), np.full((1, 8, 9, 3), scale, np.float32)
    for images in ((bad, good), (good, bad)):
        name = f"images{1 + (images[1] is bad)}"
        for door in (model.batch, model.both):
            with pytest.raises(
                InputError, match=rf"`{name}` is float and must be in \[0, 1\], got .*: divide by 255\?"
            ):
                door(*images)
        with pytest.raises(InputError, match="is float and must be in"):
            model.flow(*(image[0] for image in images))


def test_the_model_in_a_tflite_file_passes_the_same_check():
    exported = TFLiteModel.__new__(TFLiteModel)  # refused before anything of a file is needed
    exported._directions = 2
    bad = np.full((1, 8, 9, 3), 255, np.float32)
    for door in (exported.batch, exported.both):
        with pytest.raises(InputError, match="`images1` is float and must be in"):
            door(bad, bad)
    with pytest.raises(InputError, match="`image1` is float and must be in"):
        exported.flow(bad[0], bad[0])


def test_a_batch_of_nothing_is_refused(model):
    for shape in ((0, 8, 9, 3), (1, 0, 9, 3)):
        with pytest.raises(InputError, match=r"images must hold a pixel or more, got"):
            model.batch(np.zeros(shape, np.float32), np.zeros(shape, np.float32))


def test_frames_above_the_limit_are_refused_before_anything_is_made_of_them(model):
    huge = np.broadcast_to(np.uint8(3), (6000, 6000))
    with pytest.raises(InputError, match="`image1` must have at most 33,554,432 pixels, got 6000x6000: shrink it"):
        model.flow(huge, huge)
    with pytest.raises(InputError, match="`images1` must have at most 33,554,432 pixels"):
        model.batch(*[np.broadcast_to(np.float32(0.1), (1, 6000, 6000, 3))] * 2)
    pil = pytest.importorskip("PIL.Image")
    with pytest.raises(InputError, match="`image1` must have at most 33,554,432 pixels, got 6000x6000"):
        model.flow(pil.new("1", (6000, 6000)), huge)


def test_a_picture_of_pil_is_turned_as_its_camera_says(tmp_path):
    pil = pytest.importorskip("PIL.Image")
    exif = pil.Exif()
    exif[0x0112] = 6
    pil.fromarray(picture()).save(tmp_path / "a.png", exif=exif)
    with pil.open(tmp_path / "a.png") as image:
        np.testing.assert_allclose(as_image("image1", image), np.rot90(picture(), -1) / 255, atol=1e-6)


KINDS = {
    "uint8": lambda x: x,
    "uint16": lambda x: x.astype(np.uint16) * 257,
    "float32": lambda x: (x / 255).astype(np.float32),
    "float64": lambda x: x / 255,
    "alpha": lambda x: np.dstack([x, np.full(x.shape[:2], 7, np.uint8)]),
    "not contiguous": lambda x: np.asfortranarray(x),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_of_array_is_the_same_picture(kind):
    image = as_image("image1", kind(picture()))
    assert image.dtype == np.float32 and image.shape == (37, 53, 3) and image.flags.c_contiguous
    np.testing.assert_allclose(image, picture() / 255, atol=1e-6)


def test_grey_becomes_three_equal_channels():
    grey = picture()[..., 0]
    for image in (as_image("image1", grey), as_image("image1", grey[..., None])):
        np.testing.assert_allclose(image, np.repeat(grey[..., None] / 255, 3, -1), atol=1e-6)


def test_bgr_is_turned_and_its_alpha_dropped():
    np.testing.assert_allclose(as_image("image1", picture(), "bgr"), picture()[..., ::-1] / 255, atol=1e-6)
    bgra = np.dstack([picture()[..., ::-1], np.full((37, 53), 7, np.uint8)])
    np.testing.assert_allclose(as_image("image1", bgra, "bgr"), picture() / 255, atol=1e-6)


def test_bgr_frames_have_the_flow_of_rgb_frames(model):
    a, b = picture(), picture(seed=1)
    as_bgr = model.flow(a[..., ::-1], b[..., ::-1], channels="bgr")
    np.testing.assert_allclose(as_bgr, model.flow(a, b), atol=1e-6)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK", "L", "LA", "1", "I;16"])
def test_pictures_of_every_pil_mode(mode):
    """A palette holds indices, CMYK ink: their numbers are no brightness."""
    pil = pytest.importorskip("PIL.Image")
    if mode == "I;16":
        image = pil.fromarray(picture()[..., 0].astype(np.uint16) * 257)
    else:
        image = pil.fromarray(picture()).convert(mode)
    expected = (picture()[..., :1] if mode == "I;16" else np.asarray(image.convert("RGB"))) / 255
    np.testing.assert_allclose(as_image("image1", image), np.broadcast_to(expected, [37, 53, 3]), atol=1e-6)


FLOAT = np.zeros([4, 6, 3], np.float32)
REFUSED = {
    "channels": (
        FLOAT[..., :2],
        r"`image1` must be \[h, w\], \[h, w, 1\], \[h, w, 3\] or \[h, w, 4\], got \(4, 6, 2\)",
    ),
    "channels first": (np.zeros([3, 8, 9], np.uint8), r"got \(3, 8, 9\)"),
    "batch": (FLOAT[None], r"got \(1, 4, 6, 3\)"),
    "empty": (FLOAT[:0], r"got \(0, 6, 3\)"),
    "a number": (np.float32(1), r"got \(\)"),
    "int32": (FLOAT.astype(np.int32), "`image1` must be uint8, uint16 or float, got int32"),
    "bool": (FLOAT > 0, "`image1` must be uint8, uint16 or float, got bool"),
    "0 to 255": (
        np.linspace(0, 255, 72).reshape(4, 6, 3),
        r"`image1` is float and must be in \[0, 1\], got 0 to 255: divide by 255\?",
    ),
    "negative": (FLOAT - 0.5, r"got -0.5 to -0.5"),
    "NaN": (FLOAT + np.nan, r"`image1` is float and must be in \[0, 1\], got nan"),
    "infinite": (FLOAT + np.inf, r"got inf"),
    "a path to nothing": ("frame.png", r"no such file: 'frame\.png'; check the path"),
}


@pytest.mark.parametrize(("image", "text"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_says_what_was_expected_and_what_came(image, text):
    with pytest.raises(InputError, match=text):
        as_image("image1", image)


def test_other_refusals_of_flow(model):
    with pytest.raises(InputError, match=r'`channels` must be "rgb" or "bgr", got \'gbr\''):
        model.flow(FLOAT, FLOAT, channels="gbr")
    with pytest.raises(InputError, match=r"image1 and image2 must be of one size, got 6x4 and 6x3 \(width x height\)"):
        model.flow(FLOAT, FLOAT[:3])
    with pytest.raises(InputError, match=r"`image2` must be uint8"):
        model.flow(FLOAT, FLOAT > 0)
