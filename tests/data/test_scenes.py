"""Laws of the built-in scenes: exact flow, exact visibility, frames that agree with both, the same on any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from tests.data.scene_oracles import oracle_depth, oracle_top
from tfflow.data.scenes import Scenes, SceneSettings
from tfflow.errors import InputError

SIZE = (60, 84)
CLEAN = SceneSettings(noise=0, light_change=0, defocus=0, motion_blur=0)
LIVELY = SceneSettings(shapes=(5, 8), pace=(1, 2), noise=0, light_change=0, defocus=0)


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize(("frame", "flow", "mask"), [(0, "flow12", "visible1"), (1, "flow21", "visible2")])
def test_flow_and_visibility_equal_mapping_each_point(index, frame, flow, mask):
    scenes = Scenes(SIZE, settings=LIVELY, seed=3)
    sample, layers = scenes.sample(index), scenes.layers(index)
    sure_pixels = occluded = 0
    for y in range(0, SIZE[0], 2):
        for x in range(1, SIZE[1], 2):
            top, sure = oracle_top(layers, frame, x, y)
            if not sure:
                continue
            here, there = (np.vstack([layers[top].to_frames[f], [0, 0, 1]]) for f in (frame, 1 - frame))
            tx, ty, _ = there @ np.linalg.inv(here) @ (x, y, 1)
            np.testing.assert_allclose(sample[flow][y, x], (tx - x, ty - y), rtol=1e-5, atol=1e-5)
            depths = [oracle_depth(layer, 1 - frame, tx, ty) for layer in layers[top + 1 :]]
            if any(abs(depth) <= 1 for depth in depths):
                continue
            inside = 0 <= tx <= SIZE[1] - 1 and 0 <= ty <= SIZE[0] - 1
            visible = inside and not any(depth >= 0 for depth in depths)
            assert sample[mask][y, x, 0] == visible, (x, y)
            sure_pixels, occluded = sure_pixels + 1, occluded + (not visible)
    assert sure_pixels > 1000
    assert occluded > 10


def test_forward_and_backward_flow_cancel_at_visible_pixels():
    scenes = Scenes(SIZE, settings=LIVELY)
    for index in range(6):
        s = scenes.sample(index)
        for there, back, mask in (("flow12", "flow21", "visible1"), ("flow21", "flow12", "visible2")):
            target = s[there] + np.stack(np.meshgrid(np.arange(84.0), np.arange(60.0)), axis=-1).astype(np.float32)
            residual = np.linalg.norm(s[there] + cv2.remap(s[back], target, None, cv2.INTER_LINEAR), axis=-1)
            inner = cv2.erode(s[mask][..., 0], np.ones((5, 5))) > 0
            assert inner.mean() > 0.3
            assert np.percentile(residual[inner], 95) < 0.05  # bilinear sampling mixes layers at their edges
            assert np.percentile(residual[s[mask][..., 0] == 0], 50) > 0.3  # and where occluded they do not cancel


def test_warped_second_frame_looks_like_the_first_where_visible():
    scenes, errors, still = Scenes((96, 128), settings=CLEAN), [], []
    for index in range(8):
        s = scenes.sample(index)
        target = s["flow12"] + np.stack(np.meshgrid(np.arange(128.0), np.arange(96.0)), axis=-1).astype(np.float32)
        warped = cv2.remap(s["image2"], target, None, cv2.INTER_LINEAR)
        seen = s["visible1"][..., 0] > 0
        errors.append(np.abs(warped - s["image1"])[seen].mean())
        still.append(np.abs(s["image2"] - s["image1"])[seen].mean())
    assert max(errors) < 0.02
    assert np.mean(errors) < 0.25 * np.mean(still)


def test_nothing_moves_at_zero_motion():
    still = SceneSettings(max_displacement=0, noise=0, light_change=0, defocus=0)
    s = Scenes(SIZE, settings=still).sample(0)
    np.testing.assert_allclose(s["flow12"], 0, atol=1e-5)
    np.testing.assert_allclose(s["image1"], s["image2"], atol=2 / 255)
    assert s["visible1"].mean() > 0.95  # rounding may put the frame's last row and column outside


@pytest.mark.parametrize("limit", [2.0, 11.0])
def test_no_displacement_exceeds_the_limit_scaled_with_the_frame(limit):
    settings = SceneSettings(max_displacement=limit, pace=(2, 4))
    s = [Scenes((96, 128), settings=settings).sample(i) for i in range(5)]
    longest = max(np.linalg.norm(sample[flow], axis=-1).max() for sample in s for flow in ("flow12", "flow21"))
    assert 0.7 * limit / 2 < longest <= limit / 2 + 1e-4  # the frame is half of 192x256


def test_samples_have_the_promised_shapes_types_and_range():
    for size in [(16, 16), (61, 43), (33, 190)]:
        s = Scenes(size).sample(1)
        assert set(s) == {"image1", "image2", *Scenes.truth}
        for key, value in s.items():
            channels = {"image": 3, "flow1": 2, "flow2": 2}.get(key[:5], 1)
            assert (value.shape, value.dtype) == ((*size, channels), np.float32), key
        assert 0 <= s["image1"].min() <= s["image1"].max() <= 1
        assert set(np.unique(s["visible1"])) <= {0.0, 1.0}
        assert s["valid1"].min() == s["valid2"].min() == 1


def test_frames_larger_than_a_pattern_are_filled():
    s = Scenes((540, 700)).sample(0)
    assert s["image1"].shape == (540, 700, 3)
    assert cv2.blur(s["image1"], (9, 9))[-40:, -40:].std() > 0


def test_sample_depends_on_seed_and_index_alone():
    indices = [5, 0, 3, 0, 7, 5, 1, 2]
    alone = {i: Scenes(SIZE, seed=2).sample(i) for i in reversed(range(8))}
    with ThreadPoolExecutor(4) as pool:
        scenes = Scenes(SIZE, seed=2, count=8)
        for index, sample in zip(indices, pool.map(scenes.sample, indices), strict=True):
            for key, value in sample.items():
                np.testing.assert_array_equal(value, alone[index][key], err_msg=f"{key} of {index}")
    assert np.abs(Scenes(SIZE, seed=2).sample(0)["flow12"] - Scenes(SIZE, seed=4).sample(0)["flow12"]).max() > 0.1
    assert np.abs(alone[0]["image1"] - alone[1]["image1"]).mean() > 0.02


def test_motion_is_heavy_tailed_and_scales_with_the_frame():
    motion = []
    for size in [(48, 64), (96, 128)]:
        flows = [Scenes(size).sample(i)["flow12"] for i in range(150)]
        motion.append(np.concatenate([np.linalg.norm(f, axis=-1).ravel() for f in flows]))
    small, large = (m.mean() for m in motion)
    assert 1.6 < large / small < 2.4
    assert 2.3 < 2 * large < 4.5  # px at 192x256
    assert np.percentile(motion[1], 99) > 4 * large


def test_most_areas_have_texture_and_a_few_percent_are_occluded():
    samples = [Scenes((96, 128)).sample(i) for i in range(60)]
    occluded = 1 - np.mean([s["visible1"].mean() for s in samples])
    assert 0.02 < occluded < 0.15
    grey = [cv2.cvtColor(s["image1"], cv2.COLOR_RGB2GRAY) for s in samples]
    spread = np.sqrt(np.clip([cv2.blur(g * g, (9, 9)) - cv2.blur(g, (9, 9)) ** 2 for g in grey], 0, None))
    assert (spread > 0.02).mean() > 0.55


def test_source_names_itself_and_its_records():
    scenes = Scenes((32, 48), count=7, seed=5, settings=SceneSettings(noise=0.1))
    assert (scenes.name, len(scenes)) == ("scenes:seed=5,size=32x48,noise=0.1", 7)
    assert scenes.record_name(3) == "scene_00003"
    with pytest.raises(IndexError, match="scene 7 of 7"):
        scenes.sample(7)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"size": (15, 64)}, r"size of scenes must be height x width, 16 to 8192 each, got \(15, 64\)"),
        ({"size": (64,)}, "size of scenes must be height x width"),
        ({"count": 0}, "count of scenes must be a whole number >= 1, got 0"),
        ({"seed": -1}, "seed of scenes must be a whole number >= 0, got -1"),
    ],
)
def test_bad_arguments_are_refused(arguments, text):
    with pytest.raises(InputError, match=text):
        Scenes(**arguments)
