"""Which pixels are taken to be seen in both frames: tolerances in px, range map, and no gradient."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.losses.views import H, N, W, field
from tests.ops import oracles
from tfflow.losses import Everywhere, ForwardBackward, Inside, RangeMap

ALL = [Everywhere(), Inside(), Inside(border=0.1), ForwardBackward(), RangeMap(), RangeMap(threshold=0.75)]


def constant(u, v, n=1, h=12, w=80):
    return np.broadcast_to(np.float32([u, v]), [n, h, w, 2])


@pytest.mark.parametrize("visibility", ALL, ids=repr)
def test_a_mask_has_one_channel_lies_in_0_to_1_and_carries_no_gradient(visibility):
    flow12, flow21 = tf.constant(field()), tf.constant(field(1))
    with tf.GradientTape() as tape:
        tape.watch([flow12, flow21])
        visible = visibility(flow12, flow21)
        total = tf.reduce_sum(visible * flow12[..., :1] ** 2)
    assert visible.shape == (N, H, W, 1) and visible.dtype == tf.float32
    assert np.min(visible) >= 0 and np.max(visible) <= 1
    to12, to21 = tape.gradient(total, [flow12, flow21])
    assert to21 is None
    np.testing.assert_allclose(to12[..., 0], 2 * visible[..., 0] * flow12[..., 0], rtol=1e-6)  # through the flow alone
    assert not np.any(to12[..., 1])


@pytest.mark.parametrize("visibility", ALL, ids=repr)
def test_still_frames_are_visible_everywhere_but_for_a_border(visibility):
    visible = visibility(constant(0, 0), constant(0, 0)).numpy()
    if visibility == Inside(border=0.1):  # a tenth of 12 rows
        assert visible[:, 1:-1, 1:-1].all() and visible.sum() == 10 * 78
    else:
        assert visible.all()


@pytest.mark.parametrize(("gap", "seen"), [(2.90, 1), (2.93, 0)])
def test_tolerance_of_the_way_there_and_back_at_20_px(gap, seen):
    """0.01 * (20**2 + 20**2) + 0.5 = 8.5 = 2.92**2; across the motion, so that its length stays."""
    forward, back = constant(20, 0), constant(-np.sqrt(400 - gap**2), gap)
    along = 20 - np.sqrt(400 - gap**2)
    visible = ForwardBackward()(forward, back)[0, 4, 30, 0]
    assert (gap**2 + along**2 <= 8.5) == bool(seen)
    assert visible == seen


@pytest.mark.parametrize(("length", "seen"), [(0.70, 1), (0.72, 0), (10.0, 0)])
def test_what_leaves_the_frame_is_occluded_past_0_71_px(length, seen):
    """Beyond the frame the backward flow counts as 0: |f|**2 <= 0.01 |f|**2 + 0.5. The fading last pixel apart."""
    forward = constant(-length, 0).copy()
    visible = ForwardBackward()(forward, np.zeros_like(forward)).numpy()[0, :, :, 0]
    assert (visible == seen).all()  # zero flow back, inside and outside alike


@pytest.mark.parametrize("name", ["forward-backward"])
def test_forward_backward_is_its_inequality_pixel_by_pixel(name):
    flow12, flow21 = field(reach=1.0), field(1, reach=1.0)
    back = oracles.backward_warp(flow21, flow12)
    expected = np.zeros([N, H, W, 1])
    for i, y, x in np.ndindex(N, H, W):
        f, b = flow12[i, y, x].astype(float), back[i, y, x]
        expected[i, y, x] = sum((f + b) ** 2) <= 0.01 * (sum(f**2) + sum(b**2)) + 0.5
    assert 0.1 < expected.mean() < 0.9
    assert (ForwardBackward()(flow12, flow21).numpy() == expected).mean() > 0.998  # but for ties in float32


def test_wider_constants_see_more():
    flows = field(reach=1.0), field(1, reach=1.0)
    means = [ForwardBackward(*c)(*flows).numpy().mean() for c in [(0.0, 0.1), (0.01, 0.5), (0.3, 0.5), (0.01, 2.0)]]
    assert means[0] < means[1] < means[2] and means[1] < means[3]


def test_range_map_of_a_motion_to_the_right_hides_the_first_column():
    """Everything of the second frame came from one pixel to the left: nothing claims the first column."""
    visible = RangeMap()(None, constant(1, 0)).numpy()[0, :, :, 0]
    assert not visible[:, 0].any() and (visible[:, 1:] == 1).all()


def test_range_map_is_soft_or_hard():
    quarter = constant(0.25, 0)
    soft = RangeMap()(None, quarter).numpy()[0, 0, :, 0]
    np.testing.assert_allclose(soft[:3], [0.75, 1, 1], atol=1e-5)
    assert RangeMap(0.7)(None, quarter).numpy()[0, 0, 0, 0] == 1
    assert RangeMap(0.8)(None, quarter).numpy()[0, 0, 0, 0] == 0


def test_range_map_claimed_twice_is_one():
    flow21 = constant(0, 0, h=1, w=4).copy()
    flow21[0, 0, 0, 0] = 1  # the first and the second pixel claim the second
    np.testing.assert_array_equal(RangeMap()(None, flow21)[0, 0, :, 0], [0, 1, 1, 1])


def test_inside_keeps_targets_within_the_frame():
    flow12 = field(reach=6.0)
    np.testing.assert_array_equal(Inside()(flow12, None), oracles.inside(flow12))
    bordered = Inside(border=0.1)(flow12, None).numpy()  # a tenth of 20 rows: 2 px
    expected = oracles.inside(flow12)
    expected[:, :2] = expected[:, -2:] = expected[:, :, :2] = expected[:, :, -2:] = 0
    np.testing.assert_array_equal(bordered, expected)
