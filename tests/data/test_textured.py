"""Scenes that are textured with frames: their textures, noise and pans are the frames'."""

from __future__ import annotations

import numpy as np
import pytest

from tfflow.data.images import read_image
from tfflow.data.noise import grain
from tfflow.data.records import Source
from tfflow.data.scenes import Scenes
from tfflow.data.textured import FIXED, Texturing, textured_scenes
from tfflow.evaluation.metrics import warp

SIZE = (96, 128)


class Pairs(Source):
    """Pairs of red frames with stripes, which move by `shift` px to the right, with noise."""

    truth = frozenset()
    sequences = False

    def __init__(self, shift=2, noise=0.0, count=5):
        self.shift, self.noise, self.count, self.name = shift, noise, count, "stripes"

    def __len__(self):
        return self.count

    def record_name(self, index):
        return str(index)

    def sample(self, index):
        rng = np.random.default_rng(index)
        texture = rng.uniform(0.3, 0.9, (SIZE[0] // 16, (SIZE[1] + 64) // 16)).repeat(16, 0).repeat(16, 1)
        red = np.stack([texture, 0 * texture, 0 * texture], -1)
        frames = (red[:, s : s + SIZE[1]] for s in (self.shift, 0))
        noisy = (np.clip(f + rng.normal(0, self.noise, f.shape), 0, 1).astype(np.float32) for f in frames)
        return dict(zip(("image1", "image2"), noisy, strict=True))


def scenes(folder, pairs, **settings):
    return textured_scenes(pairs, Texturing(photos=1.0, **settings), SIZE, 3, folder)


def test_layers_are_cut_from_the_frames(tmp_path):
    source = scenes(tmp_path / "frames", Pairs())
    assert len(source.photos) == 5
    reds = [source.sample(k)["image1"].mean((0, 1)) for k in range(12)]
    assert sum(red[0] > 3 * max(red[1], red[2]) for red in reds) >= 8  # fog, light and single colours take a few


def test_the_flow_is_exact(tmp_path):
    source = scenes(tmp_path / "frames", Pairs())
    plain = Scenes(SIZE, seed=3, textures=tmp_path / "frames", settings=source.settings)
    errors = []
    for k in range(8):
        sample = plain.sample(k)
        seen = sample["visible1"][..., 0] > 0
        off = np.abs(sample["image1"] - warp(sample["image2"], sample["flow12"])).mean(-1)
        errors.append(np.median(off[seen]))
    assert np.median(errors) < 0.03


def test_noise_pans_and_fixed_cameras_are_those_of_the_frames(tmp_path):
    calm = scenes(tmp_path / "calm", Pairs(shift=2))
    noisy = scenes(tmp_path / "noisy", Pairs(noise=0.05))
    fast = scenes(tmp_path / "fast", Pairs(shift=8))
    assert max(calm.settings.noise, fast.settings.noise) < 0.02 < 0.1 < noisy.settings.noise < 0.3
    assert fast.settings.pan == 1.0 and max(calm.settings.pan, noisy.settings.pan) < 0.2
    assert max(calm.settings.fixed, noisy.settings.fixed, fast.settings.fixed) == 0
    assert scenes(tmp_path / "still", Pairs(shift=0, noise=0.02)).settings.fixed == FIXED
    assert grain(read_image(noisy.photos[0])) < 0.5 * grain(Pairs(noise=0.05).sample(0)["image1"])


def test_frames_are_kept_and_not_made_again(tmp_path):
    first = scenes(tmp_path / "frames", Pairs(noise=0.05))
    again = scenes(tmp_path / "frames", Pairs(noise=0.5, count=9))
    assert again.name == first.name
    assert np.array_equal(again.sample(1)["image1"], first.sample(1)["image1"])


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"noise": 0.1}', '{"noise": "x", "pans": {}}'])
def test_what_was_measured_is_measured_again_if_it_cannot_be_read(text, tmp_path):
    first = scenes(tmp_path / "frames", Pairs(noise=0.05))
    (tmp_path / "frames" / "video.json").write_text(text)
    assert scenes(tmp_path / "frames", Pairs(noise=0.05)).name == first.name


@pytest.mark.parametrize("size", [(8, 8), (15, 40)])
def test_frames_smaller_than_dis_takes_have_no_pans(size, tmp_path):
    class Tiny(Pairs):
        def sample(self, index):
            return {k: v[: size[0], : size[1]] for k, v in super().sample(index).items()}

    source = scenes(tmp_path / "frames", Tiny(shift=20))
    assert source.settings.pan < 0.2 and source.sample(0)["image1"].shape == (*SIZE, 3)
