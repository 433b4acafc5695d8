"""Laws of fog, shadows, highlights, blur along paths, darkness and JPEG: the picture changes, the truth does not."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from tfflow.data.scenes import Scenes, SceneSettings
from tfflow.data.scenes.effects import draw_effects
from tfflow.data.scenes.layer import Layer
from tfflow.data.scenes.light import Highlight, Shadow
from tfflow.data.scenes.motion import affine
from tfflow.data.scenes.render import blur, paint

SIZE = (60, 84)
MANY = SceneSettings(shapes=(3, 6), drive=0.4, bending=0.4, fast=0.4, noise=0, light_change=0, defocus=0, motion_blur=0)


def square(at, shift=(0, 0), side=12, value=90, **rest):
    """A grey square whose upper left corner is at `at` in frame 1 and moves by `shift`."""
    alpha = np.zeros((side + 6, side + 6), np.uint8)
    alpha[3:-3, 3:-3] = 255
    places = [affine(translation=(at[0] + t * shift[0] - 3, at[1] + t * shift[1] - 3)) for t in (0, 1)]
    return Layer(np.full((*alpha.shape, 3), value, np.uint8), alpha, (places[0], places[1]), **rest)


def wall(value=200, **rest):
    return Layer(np.full((90, 90, 3), value, np.uint8), None, (affine(), affine()), **rest)


@pytest.mark.parametrize("name", ["fog", "shadows", "highlights", "path_blur", "dark", "jpeg"])
def test_light_and_air_change_the_picture_and_leave_the_truth(name):
    with_it, without = (Scenes(SIZE, settings=dataclasses.replace(MANY, **{name: p}), seed=4) for p in (1, 0))
    changed = 0
    for index in range(8):
        a, b = with_it.sample(index), without.sample(index)
        changed += not np.array_equal(a["image1"], b["image1"])
        for key in Scenes.truth:
            np.testing.assert_array_equal(a[key], b[key], err_msg=key)
        assert 0 <= a["image1"].min() <= a["image1"].max() <= 1
        assert a["image1"].dtype == np.float32
    assert changed >= 5


@pytest.mark.parametrize("name", ["fog", "shadows", "jpeg"])
def test_second_frame_warped_by_the_flow_still_looks_like_the_first(name):
    errors, still = [], []
    y, x = np.mgrid[0:96, 0:128].astype(np.float32)
    for index in range(8):
        s = Scenes((96, 128), settings=dataclasses.replace(MANY, **{name: 1})).sample(index)
        warped = cv2.remap(s["image2"], s["flow12"] + np.dstack([x, y]), None, cv2.INTER_LINEAR)
        seen = s["visible1"][..., 0] > 0
        errors.append(np.abs(warped - s["image1"])[seen].mean())
        still.append(np.abs(s["image2"] - s["image1"])[seen].mean())
    assert np.mean(errors) < 0.5 * np.mean(still)


def test_fog_takes_more_from_what_is_farther():
    clear = dataclasses.replace(MANY, drive=0, bending=0, fast=0, faint=0)
    for index in range(4):
        before, after = (Scenes(SIZE, settings=dataclasses.replace(clear, fog=p)).layers(index) for p in (0, 1))
        left = [a.paint.std(axis=(0, 1)).sum() / b.paint.std(axis=(0, 1)).sum()
                for a, b in zip(after, before, strict=True)]  # fmt: skip
        assert left[0] < 0.85
        assert left[0] < left[-1] < 1.02


def test_fog_over_a_plane_grows_with_its_depth():
    drive = dataclasses.replace(MANY, drive=1, fast=0, shapes=(0, 0))
    checked = 0
    for index in range(6):
        before, after = (Scenes(SIZE, settings=dataclasses.replace(drive, fog=p)).layers(index) for p in (0, 1))
        for a, b in zip(after, before, strict=True):
            y, x = np.mgrid[0 : a.paint.shape[0], 0 : a.paint.shape[1]]
            near = a.nearness[0] * x + a.nearness[1] * y + a.nearness[2]
            inside = np.ones(near.shape, bool) if a.alpha is None else a.alpha == 255
            moved = np.abs(a.paint.astype(float) - b.paint).mean(axis=-1)
            nearest, farthest = (np.quantile(near[inside], q) for q in (0.95, 0.05))
            if nearest > 3 * max(farthest, 1e-3):
                checked += 1
                assert moved[inside & (near >= nearest)].mean() < moved[inside & (near <= farthest)].mean() + 12
    assert checked >= 3


def test_shadow_only_darkens_and_moves_with_what_casts_it():
    shadow = Shadow((9, 5), 0.5, 1.0)
    first, second = (paint([wall(), square((20, 15), (7, 4), shadow=shadow)], f, SIZE, True) for f in (0, 1))
    np.testing.assert_array_equal(second[4:, 7:], first[:-4, :-7])
    assert first[27, 36].tolist() == [100, 100, 100]  # half of the wall's light
    assert first[5, 5].tolist() == [200, 200, 200]
    assert first.max() == 200


def test_shadow_falls_into_the_frame_from_outside_as_if_the_frame_were_larger():
    shadow = Shadow((15, 0), 0.5, 2.0)
    small = paint([wall(), square((-14, 20), shadow=shadow)], 0, SIZE, True)
    large = paint([wall(), square((6, 20), shadow=shadow)], 0, (SIZE[0], SIZE[1] + 20), True)
    assert small.min() < 150
    np.testing.assert_array_equal(small, large[:, 20:])


def test_highlight_brightens_its_own_layer_alone_and_moves_by_itself():
    highlight = Highlight((30.0, 20.0), (3.0, 0.0), (4.0, 4.0), 0.4)
    layers = [wall(), square((20, 14), (8, 0), side=16, highlight=highlight)]
    plain = [wall(), square((20, 14), (8, 0), side=16)]
    for frame, x in ((0, 30), (1, 33)):
        added = paint(layers, frame, SIZE, True).astype(int) - paint(plain, frame, SIZE, True)
        assert added.min() == 0
        assert np.unravel_index(added[..., 0].argmax(), SIZE) == (20, x)
        assert added.max() == 102
        assert not added[:, :19].any()


def test_blur_spreads_a_body_along_its_path_around_where_it_is():
    layers = [wall(0), square((20, 20), (16, 8), side=4, value=240)]
    sharp, blurred = paint(layers, 0, SIZE, True), blur(layers, 0, SIZE, True, shutter=0.5, instants=16)
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    for image, spread in ((sharp, 0.0), (blurred, 1.0)):
        weight = image[..., 0] / image[..., 0].sum()
        centre = (weight * x).sum(), (weight * y).sum()
        np.testing.assert_allclose(centre, (21.5, 21.5), atol=0.15)
        deviation = np.sqrt((weight * (x - centre[0]) ** 2).sum()), np.sqrt((weight * (y - centre[1]) ** 2).sum())
        along = np.array([16, 8]) * 0.5 / np.sqrt(12) * spread  # of an even spread over half of the step
        np.testing.assert_allclose(deviation, np.sqrt(15 / 12 + along**2), rtol=0.1)


def test_between_the_frames_layers_are_on_their_paths():
    for kind in ({"drive": 1}, {"drive": 0, "bending": 1}):
        for layer in Scenes(SIZE, settings=dataclasses.replace(MANY, **kind)).layers(0):
            for time in (0, 1):
                np.testing.assert_allclose(layer.at(time).to_frames[0], layer.to_frames[time], atol=1e-9)
                assert layer.at(time).time == time
            if layer.path is not None:
                np.testing.assert_allclose(layer.at(0.3).to_frames[0], layer.path(0.3))


def test_dark_scenes_have_little_light_and_noise_of_each_frame():
    dark = dataclasses.replace(MANY, dark=1, still=1, plain=0)
    for index in range(6):
        s, lit = (Scenes(SIZE, settings=dataclasses.replace(dark, dark=p)).sample(index) for p in (1, 0))
        assert s["image1"].mean() < 0.6 * lit["image1"].mean()
        assert np.array_equal(s["image1"], s["image2"]) == draw_effects(0, index, dark, SIZE).same


def test_jpeg_keeps_what_the_coder_keeps_of_each_frame():
    jpeg = dataclasses.replace(MANY, jpeg=1)
    for index in range(4):
        s, raw = (Scenes(SIZE, settings=dataclasses.replace(jpeg, jpeg=p)).sample(index) for p in (1, 0))
        quality = draw_effects(0, index, jpeg, SIZE).quality
        assert 25 <= quality <= 90
        for key in ("image1", "image2"):
            levels = np.floor(raw[key] * 255 + 0.5).astype(np.uint8)
            _, coded = cv2.imencode(".jpg", levels[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))
            expected = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]
            np.testing.assert_allclose(s[key] * 255, expected, atol=1e-3)


def test_plain_scenes_are_of_one_colour_and_often_black():
    plain = SceneSettings(still=1, plain=1, noise=0, light_change=0, brightness=0, contrast=0, gamma=0, colour=0)
    colours = []
    for index in range(20):
        s = Scenes(SIZE, settings=plain).sample(index)
        assert np.ptp(s["image1"], axis=(0, 1)).max() == 0
        np.testing.assert_array_equal(s["image1"], s["image2"])
        assert not s["flow12"].any()
        colours.append(s["image1"][0, 0])
    assert 3 <= (np.array(colours) == 0).all(axis=1).sum() <= 14
