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
