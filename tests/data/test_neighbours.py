"""The frames before and after a pair: which they are, and what stands for them at the ends."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.data import trees
from tests.ops import oracles
from tfflow.data.damage import Skipping
from tfflow.data.pipeline import ClosableSource, EvenSubset, Mixed
from tfflow.data.scenes import Scenes, SceneSettings
from tfflow.data.scenes.render import draw, later
from tfflow.data.sources import open_source

STILL_LIGHT = SceneSettings(
    shapes=(2, 3), rotation=(0.0, 0.0), zoom=(0.0, 0.0), shear=(0.0, 0.0), parallax=0.0, motion_blur=0.0, defocus=0.0,
    noise=0.0, light_change=0.0,
)  # fmt: skip


def shown(image: np.ndarray) -> np.ndarray:
    return np.rint(image * 255).astype(np.uint8)


def neighbours_of(source, index):
    """The numbers of `trees.picture` in image0, image1, image2, image3 of a sample, -1 where it is none of them."""
    sample = source.with_neighbours().sample(index)
    found = []
    for key in ("image0", "image1", "image2", "image3"):
        alike = [k for k in range(120) if np.array_equal(shown(sample[key]), trees.picture(k))]
        found.append(alike[0] if alike else -1)
    return found


@pytest.mark.parametrize("settings", [SceneSettings(), SceneSettings(defocus=1.0, motion_blur=1.0)])
def test_a_scene_is_the_same_with_its_frames_around(settings):
    plain = Scenes((40, 56), 6, seed=2, settings=settings)
    for index in range(plain.count):
        sample, wide = plain.sample(index), plain.with_neighbours().sample(index)
        assert set(wide) - set(sample) == {"image0", "image3"}
        assert all(np.array_equal(sample[key], wide[key]) for key in sample)
        assert wide["image0"].shape == wide["image1"].shape and wide["image0"].dtype == np.float32
    assert plain.with_neighbours().name == plain.name and "image0" not in plain.sample(0)


@pytest.mark.parametrize("index", range(4))
def test_the_past_frame_of_a_scene_that_only_shifts_lies_against_the_flow(index):
    """Then the flow to the past is minus that to the future, whatever the code that draws it."""
    scenes = Scenes((64, 96), 8, seed=11, settings=dataclasses.replace(STILL_LIGHT, pace=(0.5, 1.0))).with_neighbours()
    sample, layers = scenes.sample(index), scenes.layers(index)
    for near, far, flow, later_by in (
        ("image1", "image0", -sample["flow12"], -1),
        ("image2", "image3", -sample["flow21"], 1),
    ):
        warped = oracles.backward_warp(sample[far][None], flow[None])[0]
        frame = 0 if near == "image1" else 1
        other = draw(later(layers, later_by), frame, scenes.size)
        top = draw(layers, frame, scenes.size).top
        target = oracles.backward_warp(other.top[None, ..., None].astype(np.float32), flow[None])[0]
        held = oracles.backward_warp(np.ones([1, *scenes.size, 1], np.float32), flow[None])[0, ..., 0] > 0.999
        seen = held & (target[..., 0] == top)  # inside the other frame, with the same layer in front
        error, without = (np.abs(x - sample[near]).mean(-1)[seen] for x in (warped, sample[far]))
        assert seen.mean() > 0.4
        assert np.median(error) < 0.02
        assert np.abs(flow).max() < 0.5 or error.mean() < 0.5 * without.mean()


def test_motions_of_any_kind_are_repeated():
    for layer, before, after in zip(*(later(Scenes((40, 56), 3).layers(1), k) for k in (0, -1, 1)), strict=True):
        np.testing.assert_allclose(before.to_frames[1], layer.to_frames[0], atol=1e-9)
        np.testing.assert_allclose(after.to_frames[0], layer.to_frames[1], atol=1e-9)
        np.testing.assert_allclose(before.motion(0), layer.motion(0), atol=1e-9)
        np.testing.assert_allclose(after.motion(0), layer.motion(0), atol=1e-9)


def test_a_folder_of_frames_gives_neighbours_and_its_ends_stand_for_themselves(tmp_path):
    source = open_source(f"frames:{trees.frames(tmp_path, 4)}")
    assert source.sequences and "image0" not in source.sample(1)
    assert [neighbours_of(source, i) for i in range(3)] == [[0, 0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 3]]


def test_clips_do_not_see_each_other(tmp_path):
    for clip in ("a", "b"):
        trees.frames(tmp_path / clip, 2)
    source = open_source(f"frames:{tmp_path}")
    assert [neighbours_of(source, i) for i in range(2)] == [[0, 0, 1, 1]] * 2


def test_a_video_gives_neighbours(tmp_path):
    source = open_source(str(trees.video(tmp_path / "v.avi", 4)))
    greys = [float(source.with_neighbours().sample(1)[f"image{k}"][-1, -1, 0]) for k in range(4)]
    np.testing.assert_allclose(greys, [0, 20 / 255, 40 / 255, 60 / 255], atol=0.02)


def test_sintel_s_neighbours_stay_in_their_scene_and_pass(tmp_path):
    source = open_source(f"sintel-clean:{trees.sintel(tmp_path)}")
    assert [source.record_name(i) for i in range(3)] == [
        "alley_1/frame_0001",
        "alley_1/frame_0002",
        "cave_2/frame_0004",
    ]
    assert [neighbours_of(source, i) for i in range(3)] == [[1, 1, 2, 3], [1, 2, 3, 3], [4, 4, 5, 5]]


def test_kitti_s_frames_around_the_measured_pair_are_never_seen_in_training(tmp_path):
    source = open_source(f"kitti-multiview:{trees.kitti(tmp_path, frames=tuple(range(21)))}")
    records = {source.record_name(i): i for i in range(len(source))}
    assert neighbours_of(source, records["training/000000_07"]) == [6, 7, 8, 8]
    assert neighbours_of(source, records["training/000000_13"]) == [13, 13, 14, 15]
    seen = {k for i in records.values() for k in neighbours_of(source, i)}
    assert not seen & {9, 10, 11, 12, 39, 40, 41, 42}
    assert neighbours_of(open_source(f"kitti2015:{tmp_path}"), 0) == [9, 10, 11, 12]


def test_pairs_alone_are_no_sequence(tmp_path):
    source = open_source(f"chairs:{trees.chairs(tmp_path)}")
    assert not source.sequences and neighbours_of(source, 0) == [1, 1, 101, 101]


def test_sources_made_of_sources_pass_the_frames_on(tmp_path):
    frames = open_source(f"frames:{trees.frames(tmp_path / 'f', 4)}")
    chairs = open_source(f"chairs:{trees.chairs(tmp_path / 'c')}")
    for source in (EvenSubset(frames, 3), Skipping(frames), ClosableSource(frames), Mixed([frames, frames])):
        assert source.sequences and neighbours_of(source, 1) == [0, 1, 2, 3]
        assert "image0" not in source.sample(1)
    assert not Mixed([frames, chairs]).sequences


def test_a_damaged_neighbour_is_named(tmp_path):
    trees.frames(tmp_path, 4)
    (tmp_path / "f8.png").write_bytes((tmp_path / "f8.png").read_bytes()[:60])
    source = open_source(f"frames:{tmp_path}", on_error="skip").with_neighbours()
    assert source.source.record_name(1) == "f9"
    assert source.find(1)[0] == 2  # its own pair is whole, the frame before it is not
