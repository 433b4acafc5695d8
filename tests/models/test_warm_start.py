"""Temporal consistency: where the last flow leads, the next one starts, until a cut."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.fakes import Constant, noise
from tfflow.errors import InputError
from tfflow.models.warm_start import WarmStart, forward_warp

NAME = "spynet_mobile"


@pytest.fixture(scope="module")
def model(built):
    return built(NAME)


def test_constant_motion_stays_what_it_is():
    flow = np.broadcast_to(np.float32([5, -3]), (40, 60, 2))
    np.testing.assert_allclose(forward_warp(flow, flow), flow, atol=1e-4)


def test_a_moving_square_carries_its_motion_along_and_meets_the_ground_halfway():
    """Where two arrive, their mean; where none does, what is beside it."""
    flow = np.zeros((40, 60, 2), np.float32)
    flow[10:20, 10:20] = (7, 4)
    carried = forward_warp(flow, flow)
    np.testing.assert_allclose(carried[14:20, 17:20], np.broadcast_to([7, 4], (6, 3, 2)), atol=1e-5)  # it left there
    np.testing.assert_allclose(carried[20:24, 20:27], np.broadcast_to([3.5, 2], (4, 7, 2)), atol=1e-5)
    assert np.abs(carried[11:13, 11:15]).max() < 2
    assert np.abs(carried[:9]).max() == 0 and np.abs(carried[30:]).max() == 0


def test_what_comes_into_the_frame_is_filled_from_beside_it():
    flow = np.broadcast_to(np.float32([20, 0]), (40, 60, 2))
    carried = forward_warp(flow, flow)
    assert np.isfinite(carried).all()
    np.testing.assert_allclose(carried[:, :20, 0], 20, atol=1e-3)


def test_an_initial_flow_that_is_right_leaves_nothing_to_find(model):
    """An untrained network finds about nothing, so that the flow is that of the start."""
    images = noise(1, 64, 96)[None], noise(2, 64, 96)[None]
    start = np.broadcast_to(np.float32([4, -2]), (1, 64, 96, 2))
    alone, continued = model.batch(*images), model.batch(*images, initial_flow=start)
    assert np.abs(continued - start).mean() < np.abs(alone).mean() + 0.5
    assert np.abs(continued - alone).mean() > 1
    np.testing.assert_allclose(model.flow(images[0][0], images[1][0], initial_flow=start[0]), continued[0], atol=1e-5)
    zero = model.batch(*images, initial_flow=0 * start)
    np.testing.assert_allclose(zero, alone, atol=1e-3)


def test_both_start_from_both(model):
    images = noise(1, 64, 96)[None], noise(2, 64, 96)[None]
    start = np.broadcast_to(np.float32([4, -2]), (1, 64, 96, 2))
    flow12, flow21 = model.both(*images, initial_flows=(start, -2 * start))
    np.testing.assert_allclose(flow12, model.batch(*images, initial_flow=start), atol=1e-4)
    np.testing.assert_allclose(flow21, model.batch(*images[::-1], initial_flow=-2 * start), atol=1e-4)


@pytest.mark.parametrize("start", [np.zeros((1, 64, 95, 2)), np.full((1, 64, 96, 2), np.nan), np.zeros((64, 96, 2))])
def test_an_initial_flow_of_other_frames_is_refused(model, start):
    images = noise(1, 64, 96)[None], noise(2, 64, 96)[None]
    with pytest.raises(InputError, match=r"`initial_flow` must be finite, \(64, 96, 2\), got"):
        model.batch(*images, initial_flow=start)


def test_each_pair_starts_from_the_last_until_one_does_not_follow(model, monkeypatch):
    frames = np.stack([noise(n, 40, 56) for n in range(5)])
    starts = []
    batch = model.batch

    def seen(images1, images2, images0=None, initial_flow=None):
        starts.append(initial_flow)
        return batch(images1, images2)

    monkeypatch.setattr(model, "batch", seen)
    warm = WarmStart(model)
    assert warm.name == "spynet_mobile, warm start"
    flows = warm.batch(frames[[0, 1, 3]], frames[[1, 2, 4]])
    assert [start is None for start in starts] == [True, False, True]
    np.testing.assert_allclose(starts[1][0], forward_warp(flows[0], flows[0]), atol=1e-5)
    warm.batch(frames[4:], frames[:1])
    assert starts[3] is not None  # also over the border of two batches


def test_the_flow_back_is_carried_the_same_way(model, monkeypatch):
    frames = np.stack([noise(n, 40, 56) for n in range(3)])
    starts = []
    forward, backward = np.float32([3, 1]), np.float32([-3, -1])

    def both(images1, images2, initial_flows=None):
        starts.append(initial_flows)
        return tuple(np.broadcast_to(flow, (*images1.shape[:3], 2)) for flow in (forward, backward))

    monkeypatch.setattr(model, "both", both)
    WarmStart(model).both(frames[:2], frames[1:])
    assert starts[0] is None
    for start, flow in zip(starts[1], (forward, backward), strict=True):
        np.testing.assert_allclose(start[0], np.broadcast_to(flow, (40, 56, 2)), atol=1e-4)


def test_what_takes_no_start_is_refused():
    with pytest.raises(InputError, match=r"constant cannot start from a flow: that takes a network of two frames"):
        WarmStart(Constant())
