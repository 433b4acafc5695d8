"""No motion gives no flow: frames that are the same to the bit, through every door."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.fakes import noise
from tfflow.data.arrays import at_rest
from tfflow.models.warm_start import WarmStart

BLOCKS = np.kron(noise(4, 6, 9), np.ones((8, 8, 1), np.float32))
FRAMES = {"black": np.zeros((48, 72, 3), np.float32), "grey": np.full((48, 72, 3), 0.6, np.float32), "blocks": BLOCKS}


@pytest.mark.parametrize("name", ["pwcnet_mobile", "spynet_mobile"])
@pytest.mark.parametrize("kind", FRAMES)
def test_identical_frames_have_no_flow(built, name, kind):
    model, frame = built(name), FRAMES[kind]
    assert not model.flow(frame, frame.copy()).any()
    assert not model.flow((255 * frame).astype(np.uint8), (255 * frame).astype(np.uint8), channels="bgr").any()
    for flow in model.both(frame[None], frame[None]):
        assert not flow.any()
    estimate = model.estimate(frame, frame)
    assert not estimate.flow.any() and not estimate.flow21.any() and estimate.visible.all()
    start = np.full((1, 48, 72, 2), 3, np.float32)
    assert not model.batch(frame[None], frame[None], initial_flow=start).any()


def test_a_pair_at_rest_leaves_its_neighbours_in_the_batch_alone(built):
    model = built("spynet_mobile")
    first, second = np.stack([BLOCKS, noise(1, 48, 72), BLOCKS]), np.stack([BLOCKS, noise(2, 48, 72), BLOCKS])
    flow = model.batch(first, second)
    assert not flow[0].any() and not flow[2].any() and np.abs(flow[1]).max() > 0
    np.testing.assert_allclose(flow[1], model.batch(first[1:2], second[1:2])[0], atol=1e-5)


def test_one_grey_level_in_one_pixel_is_a_difference():
    images1 = np.zeros((1, 8, 9, 3), np.float32)
    images2 = images1.copy()
    images2[0, 7, 8, 2] = 1 / 255
    flow = np.ones((1, 8, 9, 2), np.float32)
    assert at_rest(flow, images1, images2).all() and not at_rest(flow, images1, images1).any()
    assert flow.all()  # what came in stays as it was


def test_a_warm_start_stops_where_the_motion_does(built):
    frames = np.stack([noise(1, 48, 72), noise(2, 48, 72), noise(2, 48, 72)])
    flow = WarmStart(built("spynet_mobile")).batch(frames[:2], frames[1:])
    assert flow[0].any() and not flow[1].any()
