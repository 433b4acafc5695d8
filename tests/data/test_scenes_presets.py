"""Laws of the named settings of scenes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tfflow.data.scenes import PRESETS, Scenes, SceneSettings, preset
from tfflow.data.sources import open_source
from tfflow.errors import InputError


@pytest.mark.parametrize("name", PRESETS)
def test_a_source_of_a_preset_has_its_settings(name):
    source = open_source(f"scenes:preset={name},size=32x48,count=3")
    expected = Scenes((32, 48), 3, settings=preset(name)).sample(1)
    for key, value in source.sample(1).items():
        np.testing.assert_array_equal(value, expected[key])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("size", [(16, 16), (33, 130), (90, 17)])
def test_presets_draw_frames_of_any_shape_with_those_around_them(name, size):
    source = Scenes(size, settings=preset(name), neighbours=True)
    for index in range(5):
        sample = source.sample(index)
        assert set(sample) == {"image0", "image1", "image2", "image3", *Scenes.truth}
        for key, value in sample.items():
            channels = {"image": 3, "flow1": 2, "flow2": 2}.get(key[:5], 1)
            assert (value.shape, value.dtype) == ((*size, channels), np.float32), key
            assert np.isfinite(value).all()
            if channels != 2:
                assert 0 <= value.min() <= value.max() <= 1


def test_domains_differ_in_light_motion_and_texture():
    def mean(name, of):
        return np.mean([of(open_source(f"scenes:preset={name},size=48x64").sample(i)) for i in range(24)])

    def light(s):
        return s["image1"].mean()

    def motion(s):
        return np.linalg.norm(s["flow12"], axis=-1).mean()

    def texture(s):
        return np.abs(np.diff(s["image1"], axis=1)).mean() / s["image1"].mean()

    assert mean("night", light) < 0.4 * mean("default", light)
    assert mean("pan", motion) > 3 * mean("default", motion)
    assert mean("fog", texture) < 0.6 * mean("default", texture)


def test_what_else_is_given_replaces_the_presets_settings():
    source = open_source("scenes:drive=1,preset=mixed,noise=0.5")
    assert source.settings == dataclasses.replace(preset("mixed"), drive=1.0, noise=0.5)


def test_default_preset_is_what_scenes_are_without_one():
    assert open_source("scenes:preset=default").settings == open_source("scenes").settings == SceneSettings()


def test_unknown_preset_is_refused_and_the_nearest_offered():
    with pytest.raises(InputError, match=r"'scenes:preset=mixt': unknown preset of scenes 'mixt': did you mean mixed"):
        open_source("scenes:preset=mixt")


def test_mixed_scenes_have_small_and_large_motion_and_still_ones():
    scenes = open_source("scenes:preset=mixed,size=96x128,count=120")
    longest = np.array([np.linalg.norm(scenes.sample(i)["flow12"], axis=-1).max() for i in range(120)])
    assert 1 <= (longest == 0).sum() <= 15
    assert (longest < 8).mean() > 0.2
    assert (longest > 24).mean() > 0.05  # beyond what default scenes reach
