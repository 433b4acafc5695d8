"""Every setting of a scene does something, and a bad one is refused by name."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from tfflow.data.scenes import Scenes, SceneSettings
from tfflow.errors import InputError

OTHER = {
    "shapes": (9, 9), "shape_size": (0.9, 1.0), "shape_kinds": (("grille", 1.0),), "antialias": False, "pace": (3, 4),
    "background_scales": (9.0,), "shape_scales": (0.0,), "rotation": (0, 0), "zoom": (0, 0), "shear": (0.1, 0.1),
    "parallax": 1, "nearness": (3, 4), "independent": 0, "max_displacement": 1, "texture_kinds": (("text", 1.0),),
    "detail": 0, "mixed": 0, "faint": 1, "shading": 1, "photos": 0, "motion_blur": 1, "defocus": 1, "noise": 0.2,
    "bending": 1, "drive": 1, "fast": 1, "pan": 1, "fixed": 1, "fast_speed": (0.3, 0.5), "still": 1, "plain": 1,
    "fog": 1, "shadows": 1, "highlights": 1, "path_blur": 1, "dark": 1, "jpeg": 1,
    "brightness": 0.4, "contrast": 0.5, "gamma": 0.6, "colour": 0.3, "light_change": 1,
}  # fmt: skip

NEEDS = {"fast_speed": {"fast": 1}, "plain": {"still": 1}}  # settings that show only where another one is above 0


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    cv2.imwrite(str(folder / "ramp.png"), np.dstack([np.full((90, 120), 40), *np.mgrid[0:90, 0:120]]).astype(np.uint8))
    return folder


def draw(folder, **settings):
    scenes = Scenes((40, 56), settings=SceneSettings(**settings), textures=folder)
    return [scenes.sample(i) for i in range(6)]


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(SceneSettings)])
def test_every_setting_changes_the_scenes(name, photos):
    base = NEEDS.get(name, {})
    before, after = draw(photos, **base), draw(photos, **base, **{name: OTHER[name]})
    assert any(not np.array_equal(a[k], b[k]) for a, b in zip(before, after, strict=True) for k in ("image1", "flow12"))


def test_without_shapes_motion_blur_and_light_there_is_one_affine_motion(photos):
    for s in draw(photos, shapes=(0, 0)):
        second = np.diff(s["flow12"], n=2, axis=1)
        np.testing.assert_allclose(second, 0, atol=1e-4)


def test_parallax_moves_near_shapes_like_the_camera_but_faster(photos):
    settings = {"parallax": 1, "independent": 0, "rotation": (0, 0), "zoom": (0, 0), "shear": (0, 0), "shapes": (3, 3)}
    scenes = Scenes((40, 56), settings=SceneSettings(**settings), textures=photos)
    for i in range(4):
        moves = np.array([layer.motion(0)[:, 2] for layer in scenes.layers(i)])
        speed = moves @ moves[0] / (moves[0] @ moves[0])
        np.testing.assert_allclose(moves, speed[:, None] * moves[0], atol=1e-9)  # one direction
        assert (np.diff(speed) > 0).all()  # growing towards the front


def test_light_changes_little_between_the_frames_and_much_between_scenes(photos):
    samples = draw(photos, max_displacement=0, noise=0, brightness=0.3)
    means = np.array([[s["image1"].mean(), s["image2"].mean()] for s in samples])
    assert np.abs(means[:, 0] - means[:, 1]).mean() < 0.3 * means.std()
    assert np.abs(means[:, 0] - means[:, 1]).mean() > 0.002


def test_noise_is_each_frames_own(photos):
    clean, noisy = (draw(photos, max_displacement=0, light_change=0, noise=n) for n in (0, 0.5))
    grain = [[(n[k] - c[k]).ravel() for k in ("image1", "image2")] for c, n in zip(clean, noisy, strict=True)]
    assert all(np.std(g) > 0.005 for pair in grain for g in pair)
    assert all(abs(np.corrcoef(*pair)[0, 1]) < 0.2 for pair in grain)


def test_textures_come_from_the_photographs(photos):
    scenes = Scenes((40, 56), textures=photos, settings=SceneSettings(photos=1, shapes=(1, 1)))
    for layer in scenes.layers(0):
        assert (layer.paint[..., 2] == 40).all()  # the photograph's blue is 40 everywhere


def test_damaged_photograph_is_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    with pytest.raises(InputError, match=r"cannot read the photograph '.*broken.jpg': it is damaged"):
        Scenes((40, 56), textures=tmp_path, settings=SceneSettings(photos=1)).sample(0)


def test_missing_or_empty_folder_of_textures_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no photographs below .*expected files named \.png, \.jpg"):
        Scenes(textures=tmp_path)
    with pytest.raises(InputError, match=r"textures must be a folder of photographs, .* is not a folder"):
        Scenes(textures=tmp_path / "none")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"parallax": 1.5}, "scene setting `parallax` must be a probability from 0 to 1, got 1.5"),
        ({"noise": -0.1}, "scene setting `noise` must be a number from 0 to 1, got -0.1"),
        ({"shapes": (4, 2)}, r"scene setting `shapes` must be fewest and most shapes, 0 to 32, got \(4, 2\)"),
        ({"shape_size": (0, 1)}, "scene setting `shape_size` must be smallest and largest share"),
        ({"zoom": (0.1,)}, "scene setting `zoom` must be two numbers >= 0"),
        ({"shape_scales": ()}, "scene setting `shape_scales` must be one or more numbers >= 0"),
        ({"pace": (2, 1)}, "scene setting `pace` must be two growing numbers > 0"),
        ({"nearness": (0.5, 1)}, "scene setting `nearness` must be two growing numbers >= 1"),
        ({"fast_speed": (0.1, 2)}, "scene setting `fast_speed` must be slowest and fastest share of the frame's width"),
        ({"drive": -1}, "scene setting `drive` must be a probability from 0 to 1, got -1"),
        ({"max_displacement": float("nan")}, "scene setting `max_displacement` must be px from 0 to 1000, got nan"),
        ({"texture_kinds": (("nois", 1.0),)}, "unknown texture 'nois': did you mean noise"),
        ({"shape_kinds": (("bar", 0.0),)}, "scene setting `shape_kinds` must be pairs of a kind and its weight"),
    ],
)
def test_bad_settings_are_refused(settings, text):
    with pytest.raises(InputError, match=text):
        SceneSettings(**settings)
