"""Rendered pairs: their flow is exact, the nearest surface wins, and what nobody saw is taken from the real frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tensorflow as tf

from tfflow import ops
from tfflow.data.rendered import PairFlow, Rendering, changed, light_and_noise, render
from tfflow.data.scenes import Scenes, preset
from tfflow.data.surfaces import Arrivals, invert, sampled, spread_into

SCENES = Scenes((96, 128), 6, seed=4, settings=preset("mixed"))


def pair_of(index: int) -> tuple[dict, PairFlow]:
    x = SCENES.sample(index)
    return x, PairFlow(x["flow12"], x["flow21"], x["visible1"], x["visible2"])


def constant(u: float, v: float, h: int = 40, w: int = 56) -> np.ndarray:
    return np.broadcast_to(np.float32([u, v]), (h, w, 2)).copy()


def texture(seed: int, h: int = 40, w: int = 56) -> np.ndarray:
    noise = np.random.default_rng(seed).random((h, w, 3), np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return (smooth - smooth.min()) / np.ptp(smooth)


@pytest.mark.parametrize("index", range(6))
def test_the_new_frame_warped_by_its_flow_is_the_first_where_visible(index):
    sample, flow = pair_of(index)
    new = render(sample["image1"], sample["image2"], flow, Rendering(), np.random.default_rng(index))
    _, noise = light_and_noise(sample["image1"], sample["image2"], flow)
    warped = ops.backward_warp(tf.constant(new["image2"][None]), tf.constant(new["flow12"][None]))[0].numpy()
    off = np.abs(warped - new["image1"]).mean(-1)
    visible = new["visible1"][..., 0] > 0
    light = np.abs(light_and_noise(sample["image1"], sample["image2"], flow)[0]).mean()
    assert visible.mean() > 0.6
    assert np.median(off[visible]) < 0.012 + noise + light
    assert np.percentile(off[visible], 95) < 0.06 + 2 * noise + light


@pytest.mark.parametrize("index", range(3))
def test_both_flows_of_a_rendered_pair_undo_each_other_where_visible(index):
    sample, flow = pair_of(index)
    new = render(sample["image1"], sample["image2"], flow, Rendering(), np.random.default_rng(index))
    back = sampled(new["flow12"], new["flow21"], cv2.INTER_LINEAR)
    gap = np.linalg.norm(new["flow21"] + back, axis=-1)
    exact = new["valid2"][..., 0] > 0
    assert exact.mean() > 0.6 and gap[exact].max() < 0.1


def test_an_integer_shift_shifts_the_pixels():
    image, flow = texture(1), constant(3, -2)
    back, exact = invert(flow, Arrivals(flow, np.zeros((40, 56), np.float32)))
    np.testing.assert_allclose(sampled(image, back)[:37, 4:], image[2:39, 1:53], atol=1e-5)
    assert exact[:38, 3:].all() and not exact[38:].any() and not exact[:, :3].any()


def test_the_nearest_surface_wins():
    """Left half moves onto the right one: where both arrive, the nearer one is seen, whichever it is."""
    flow = constant(0, 0)
    flow[:, :28] = (10, 0)
    for near_is_left in (True, False):
        near = np.zeros((40, 56), np.float32)
        near[:, :28] = near_is_left
        near[:, 28:] = not near_is_left
        back, _ = invert(flow, Arrivals(flow, near))
        expected = (-10, 0) if near_is_left else (0, 0)
        np.testing.assert_allclose(back[20, 31:36], np.broadcast_to(expected, (5, 2)), atol=1e-4)


def test_what_arrives_is_what_splatting_drops_there():
    rng = np.random.default_rng(3)
    flow = rng.normal(0, 3, (20, 30, 2)).astype(np.float32)
    values = rng.random((20, 30, 1), np.float32)
    arrivals = Arrivals(flow, np.zeros((20, 30), np.float32))
    landed = ops.splat(tf.constant(values[None]), tf.constant(flow[None]))[0].numpy()
    weights = ops.splat(tf.ones([1, 20, 30, 1]), tf.constant(flow[None]))[0].numpy()
    known = arrivals.reached > 0
    np.testing.assert_allclose(arrivals.mean(values)[known], (landed / np.maximum(weights, 1e-6))[known], atol=0.02)


def test_holes_show_what_the_real_second_frame_shows_there():
    """A square moves aside by another amount than it really did; what it uncovers is background of the real frame."""
    background, square = texture(5), 0.1 * texture(6)
    image1, image2 = background.copy(), background.copy()
    image1[10:26, 10:26] = image2[10:26, 30:46] = square[:16, :16]
    flow = constant(0, 0)
    flow[10:26, 10:26] = (20, 0)
    back = constant(0, 0)
    back[10:26, 30:46] = (-20, 0)
    visible = np.ones((40, 56, 1), np.float32)
    half = Rendering(scale=(1.2, 1.2 + 1e-6), shift=0, rotation=0, zoom=0, shear=0)
    new = render(image1, image2, PairFlow(flow, back, visible, visible), half, np.random.default_rng(0))
    np.testing.assert_allclose(new["image2"][14:22, 12:24], background[14:22, 12:24], atol=0.02)
    np.testing.assert_allclose(new["image2"][14:22, 36:48], square[4:12, 2:14], atol=0.02)


def test_noise_is_added_as_between_the_real_frames():
    image = texture(2)
    rng = np.random.default_rng(1)
    noisy = np.clip(image + rng.normal(0, 0.03, image.shape), 0, 1).astype(np.float32)
    ones = np.ones((40, 56, 1), np.float32)
    flow = PairFlow(constant(0, 0), constant(0, 0), ones, ones)
    _, deviation = light_and_noise(image, noisy, flow)
    assert 0.02 < deviation < 0.04
    assert light_and_noise(image, image, flow)[1] == 0


def test_no_change_of_the_flow_leaves_it():
    flow = np.random.default_rng(0).normal(0, 2, (12, 16, 2)).astype(np.float32)
    nothing = Rendering(scale=(1, 1), shift=0, rotation=0, zoom=0, shear=0)
    np.testing.assert_allclose(changed(flow, nothing, np.random.default_rng(1)), flow, atol=1e-6)


def test_holes_take_what_lies_farthest_back():
    values = np.zeros((30, 40, 1), np.float32)
    values[:, 20:] = 1
    near = np.zeros((30, 40), np.float32)
    near[:, 20:] = 1
    arrivals = Arrivals(constant(0, 0, 30, 40), near)
    arrivals.reached[:, 15:25] = 0
    filled = spread_into(values, arrivals)
    assert filled[:, 15:24].max() < 0.35 and filled[15, 19, 0] < 0.05


def test_noise_does_not_move_with_its_surface():
    """Each frame of a rendered pair has noise of its own, as strong as the real frame's: nothing to match by."""
    rng = np.random.default_rng(5)
    image = 0.3 + 0.4 * texture(6, 80, 112)
    first, second = (image + rng.normal(0, 0.04, image.shape).astype(np.float32) for _ in range(2))
    flow = PairFlow(constant(0, 0, 80, 112), constant(0, 0, 80, 112), *[np.ones((80, 112, 1), np.float32)] * 2)
    whole = Rendering(scale=(1, 1), shift=0, rotation=0, zoom=0, shear=0)
    new = render(first, second, flow, whole, rng)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    fine1, fine2, source = (cv2.filter2D(x, -1, kernel).ravel() for x in (new["image1"], new["image2"], first))
    assert abs(np.corrcoef(fine1, fine2)[0, 1]) < 0.25 and abs(np.corrcoef(fine1, source)[0, 1]) < 0.5
    assert fine1.std() == pytest.approx(0.04, rel=0.25) and fine2.std() == pytest.approx(0.04, rel=0.25)
