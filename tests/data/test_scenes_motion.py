"""Laws of bodies that bend, cameras that drive through depth, fast things, pans and still scenes, by slow oracles."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from tests.data.scene_oracles import oracle_depth, oracle_place, oracle_raster, oracle_top
from tfflow.data.scenes import Scenes, SceneSettings
from tfflow.data.scenes.bending import STEEPEST, draw_bend
from tfflow.data.scenes.drive import Camera, Plane
from tfflow.data.scenes.motion import affine
from tfflow.data.scenes.perspective import in_perspective
from tfflow.data.scenes.textures import Textures

SIZE = (60, 84)
CLEAN = SceneSettings(shapes=(4, 7), noise=0, light_change=0, defocus=0, motion_blur=0)
KINDS = {
    "bending": dataclasses.replace(CLEAN, bending=1),
    "drive": dataclasses.replace(CLEAN, drive=1),
    "fast": dataclasses.replace(CLEAN, fast=1),
    "pan": dataclasses.replace(CLEAN, pan=1, fast_speed=(0.06, 0.2)),
    "fixed": dataclasses.replace(CLEAN, fixed=1, bending=1),
    "fast things before a drive": dataclasses.replace(CLEAN, drive=1, fast=1, pan=1, fast_speed=(0.06, 0.15)),
}


def grid(size):
    return np.stack(np.meshgrid(np.arange(size[1]), np.arange(size[0])), axis=-1).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("frame", "flow", "mask"), [(0, "flow12", "visible1"), (1, "flow21", "visible2")])
def test_flow_and_visibility_equal_mapping_each_point(kind, frame, flow, mask):
    scenes = Scenes(SIZE, settings=KINDS[kind], seed=3)
    sure_pixels = occluded = 0
    for index in range(3):
        sample, layers = scenes.sample(index), scenes.layers(index)
        for y in range(index, SIZE[0], 4):
            for x in range(1, SIZE[1], 3):
                top, sure = oracle_top(layers, frame, x, y)
                if not sure:
                    continue
                tx, ty = oracle_place(layers[top], 1 - frame, oracle_raster(layers[top], frame, x, y))
                np.testing.assert_allclose(sample[flow][y, x], (tx - x, ty - y), rtol=1e-5, atol=5e-4)
                depths = [oracle_depth(layer, 1 - frame, tx, ty) for layer in layers[top + 1 :]]
                edge = min(tx, ty, SIZE[1] - 1 - tx, SIZE[0] - 1 - ty)
                if abs(edge) < 1e-3 or any(abs(depth) <= 1 for depth in depths):
                    continue
                visible = edge >= 0 and not any(depth >= 0 for depth in depths)
                assert sample[mask][y, x, 0] == visible, (index, x, y)
                sure_pixels, occluded = sure_pixels + 1, occluded + (not visible)
    assert sure_pixels > 500
    assert occluded > 5


@pytest.mark.parametrize("kind", KINDS)
def test_forward_and_backward_flow_cancel_at_visible_pixels(kind):
    scenes = Scenes((96, 128), settings=KINDS[kind])
    for index in range(5):
        s = scenes.sample(index)
        for there, back, mask in (("flow12", "flow21", "visible1"), ("flow21", "flow12", "visible2")):
            target = s[there] + grid((96, 128))
            residual = np.linalg.norm(s[there] + cv2.remap(s[back], target, None, cv2.INTER_LINEAR), axis=-1)
            inner = cv2.erode(s[mask][..., 0], np.ones((5, 5))) > 0
            assert inner.mean() > 0.15
            assert np.percentile(residual[inner], 90) < 0.05  # bilinear sampling mixes layers at their edges


@pytest.mark.parametrize("kind", KINDS)
def test_warped_second_frame_looks_like_the_first_where_visible(kind):
    scenes, errors, still = Scenes((96, 128), settings=KINDS[kind]), [], []
    for index in range(8):
        s = scenes.sample(index)
        warped = cv2.remap(s["image2"], s["flow12"] + grid((96, 128)), None, cv2.INTER_LINEAR)
        seen = s["visible1"][..., 0] > 0
        errors.append(np.abs(warped - s["image1"])[seen].mean())
        still.append(np.abs(s["image2"] - s["image1"])[seen].mean())
    assert max(errors) < 0.03
    assert np.mean(errors) < 0.4 * np.mean(still)


@pytest.mark.parametrize("kind", KINDS)
def test_frames_before_and_after_go_on_with_the_motion(kind):
    """Frame 3 shows, one step on, what frame 2 shows: pixels moved on by the same flow look alike."""
    scenes = Scenes((96, 128), settings=dataclasses.replace(KINDS[kind], max_displacement=8), neighbours=True)
    errors, still = [], []
    for index in range(6):
        s = scenes.sample(index)
        moved = s["flow12"] + cv2.remap(s["flow12"], grid((96, 128)) + s["flow12"], None, cv2.INTER_LINEAR)
        third = cv2.remap(s["image3"], grid((96, 128)) + moved, None, cv2.INTER_LINEAR)
        seen = cv2.erode(s["visible1"][..., 0], np.ones((9, 9))) > 0
        seen &= np.linalg.norm(s["flow12"], axis=-1) > 0.25
        if seen.mean() > 0.03:
            errors.append(np.median(np.abs(third - s["image1"])[seen]))
            still.append(np.median(np.abs(s["image3"] - s["image1"])[seen]))
    assert np.mean(errors) < 0.5 * np.mean(still)


def test_bend_found_backwards_is_exact_and_no_sheet_folds():
    rng = np.random.default_rng(0)
    for _ in range(20):
        size = tuple(rng.integers(20, 200, 2).tolist())
        bend = draw_bend(rng, size, most=9.0)
        steepness = np.hypot(*bend.waves[:, :2].T) @ np.hypot(*bend.waves[:, 3:].T)
        assert steepness <= STEEPEST + 1e-9
        assert bend.reach <= 9 + 1e-9
        place = affine(rng.uniform(-30, 30), 1.2)
        for here, there in ((0, 1), (1, 0)):
            shift = bend.shift(place, (12, 16), here, there).reshape(2, -1).T
            flat = (grid((12, 16)).reshape(-1, 2) @ place[:, :2].T + place[:, 2]).astype(np.float64)
            np.testing.assert_allclose(bend.raster(flat + shift, there), bend.raster(flat, here), atol=1e-3)


def test_homography_of_a_plane_equals_projecting_its_points():
    rng = np.random.default_rng(1)
    for _ in range(10):
        camera = Camera(90.0, (40.0, 30.0), rng.normal(0, 0.3, 3), rng.normal(0, 0.1, 3))
        own, normal = rng.normal(0, 0.1, 3), rng.normal((0, 0, 0.2), 0.1)
        points = np.c_[rng.uniform(-1, 1, (9, 2)), np.ones(9)]
        points /= (points @ normal)[:, None]  # on the plane: normal . X = 1
        for time in (-1, 0, 0.3, 1, 2):
            turn = cv2.Rodrigues(camera.turn * (time - 0.5))[0]  # columns: the camera's axes
            seen = (points + own * (time - 0.5) - camera.velocity * (time - 0.5)) @ turn
            expected = seen[:, :2] / seen[:, 2:] * 90 + (40, 30)
            at = np.c_[camera.project(points), np.ones(9)] @ camera.homography(Plane(normal, own=tuple(own)), time).T
            np.testing.assert_allclose(at[:, :2] / at[:, 2:], expected, atol=1e-8)


def test_a_texture_that_recedes_holds_no_finer_detail_far_away_than_near():
    textures = Textures(SceneSettings(texture_kinds=(("noise", 1.0),), shading=0, mixed=0, detail=0), seed=0)
    rays = np.linalg.inv(np.array([[128.0, 0, 64], [0, 128, 0], [0, 0, 1]]))  # the horizon is the first row
    steps = []
    for seed in range(6):
        seen = in_perspective(np.random.default_rng(seed), textures, rays, np.array([0, 1.0, 0]), (96, 128))
        steps.append(np.abs(np.diff(seen.astype(float), axis=1)).mean(axis=(1, 2)))
    near, far, horizon = (np.mean(steps, axis=0)[part].mean() for part in (slice(60, 90), slice(12, 30), slice(0, 3)))
    assert 0.4 < far / near < 1.6
    assert horizon < 0.5 * near


def test_driving_ahead_makes_the_picture_expand_within_the_limit():
    settings = dataclasses.replace(CLEAN, drive=1, independent=0)
    outward, longest = [], []
    for index in range(24):
        flow = Scenes((96, 128), settings=settings).sample(index)["flow12"]
        away = grid((96, 128)) - (63.5, 47.5)
        away /= np.linalg.norm(away, axis=-1, keepdims=True)
        outward.append((flow * away).sum(axis=-1)[-20:].mean())
        longest.append(np.linalg.norm(flow, axis=-1).max())
    assert max(longest) <= 24.5  # 48 px of a frame of twice the size, found on a grid of points
    assert np.percentile(longest, 75) > 15
    assert np.median(outward) > 2


def test_a_camera_that_may_not_move_stands_still():
    for index in range(4):
        settings = dataclasses.replace(CLEAN, drive=1, max_displacement=0)
        np.testing.assert_allclose(Scenes(SIZE, settings=settings).sample(index)["flow12"], 0, atol=1e-4)


def test_fast_objects_cross_a_third_of_the_frame_and_are_small():
    longest, area = [], []
    for index in range(40):
        s = Scenes((96, 128), settings=dataclasses.replace(CLEAN, fast=1, max_displacement=2)).sample(index)
        length = np.linalg.norm(s["flow12"], axis=-1)
        longest.append(length.max() / 128)
        area.append((length > 2).mean())
    assert 0.2 < np.percentile(longest, 90) <= max(longest) <= 0.351
    assert 0.001 < np.mean(area) < 0.1


def test_before_a_fixed_camera_small_objects_move_alone():
    """Whatever else is asked of the camera; and other scenes do not depend on it."""
    asked = dataclasses.replace(CLEAN, fixed=1, drive=1, pan=1, bending=1, parallax=1)
    shares = []
    for index in range(8):
        flow = Scenes((96, 128), settings=asked).sample(index)["flow12"]
        shares.append(np.mean(np.abs(flow).max(-1) > 1e-4))
    assert 0.02 < min(shares) < max(shares) < 0.9 and np.median(shares) < 0.6
    seldom, never = (Scenes(SIZE, settings=dataclasses.replace(CLEAN, fixed=share)) for share in (1e-9, 0))
    np.testing.assert_array_equal(seldom.sample(1)["image2"], never.sample(1)["image2"])


def test_a_pan_moves_all_of_the_frame_far():
    for index in range(8):
        flow = Scenes((96, 128), settings=dataclasses.replace(CLEAN, pan=1, max_displacement=3)).sample(index)["flow12"]
        assert np.percentile(np.linalg.norm(flow, axis=-1), 5) > 0.04 * 128
        assert np.linalg.norm(flow, axis=-1).max() <= 0.351 * 128


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_moves_in_a_still_scene(kind):
    scenes = Scenes(SIZE, settings=dataclasses.replace(KINDS[kind], still=1, noise=0.3, light_change=1))
    same = 0
    for index in range(8):
        s = scenes.sample(index)
        assert not s["flow12"].any()
        assert not s["flow21"].any()
        assert s["visible1"].all()
        assert s["visible2"].all()
        same += np.array_equal(s["image1"], s["image2"])
    assert 0 < same < 8


def test_other_kinds_leave_the_draws_of_the_rest_as_they_are():
    """A scene that happens to have none of the kinds is the scene that it is without them."""
    mixed = Scenes(SIZE, settings=SceneSettings(bending=0.4, drive=0.4, fast=0.4, pan=0.4, still=0.4))
    plain, alike = Scenes(SIZE), 0
    for index in range(30):
        alike += np.array_equal(mixed.sample(index)["image1"], plain.sample(index)["image1"])
    assert 0 < alike < 15
