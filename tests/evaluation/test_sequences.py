"""Consecutive pairs: flicker and tracked points of flows whose every number is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.test_cuts import scene
from tests.evaluation.fakes import Given
from tfflow.evaluation.sequences import LUCAS_KANADE, lucas_kanade, measure_sequences, sequences_table
from tfflow.terminal import as_text


def samples(count, u=3, truth=True):
    """A window that moves over a picture by u px a frame: the picture moves by -u."""
    wide = scene(3, 64, 96 + u * count).astype(np.float32) / 255
    frames = [wide[:, u * n : u * n + 96] for n in range(count + 1)]
    flow = np.broadcast_to(np.float32([-u, 0]), (64, 96, 2))
    known = {"flow12": flow, "valid1": np.ones((64, 96, 1), np.float32)} if truth else {}
    return [{"image1": frames[n], "image2": frames[n + 1], **known} for n in range(count)]


class Turns:
    """(-3, 0) and (-3, 2) by turns: its v changes by 2 px from pair to pair."""

    name = "turns"

    def __init__(self, swing=2.0):
        self.calls, self.swing = 0, swing

    def both(self, images1, images2):
        v = self.swing * (self.calls % 2)
        self.calls += 1
        flow = np.broadcast_to(np.float32([-3, v]), (*images1.shape[:3], 2))
        return flow, -flow


def scores(source, predictors):
    return {score.predictor: score.summary() for score in measure_sequences(predictors, source)}


def test_flicker_is_how_a_point_s_motion_changes():
    found = scores(Given(samples(4)), {"turns": Turns(), "steady": Turns(0.0)})
    assert found["turns"]["flicker"] == pytest.approx(2.0, abs=1e-5)
    assert found["steady"]["flicker"] == pytest.approx(0.0, abs=1e-5)
    assert found["turns"]["epe"] == pytest.approx(4 / 3)  # of the pairs that follow one: 2, 0, 2
    assert list(found) == ["turns", "steady", LUCAS_KANADE]  # none of them takes a start


def test_points_end_where_the_steps_add_up():
    found = scores(Given(samples(4)), {"turns": Turns(), "steady": Turns(0.0)})
    assert found["steady"]["distance"] == pytest.approx(0, abs=1e-4)
    assert found["turns"]["distance"] == pytest.approx(4.0, abs=1e-4)  # twice 2 px
    assert found["steady"]["kept_percent"] == 100 and found["steady"]["false_percent"] == 0
    assert found[LUCAS_KANADE]["distance"] < 0.3 and found[LUCAS_KANADE]["kept_percent"] > 80


def test_a_sequence_ends_where_the_frames_do_not_follow():
    one, other = samples(2), samples(2)
    for sample in other:
        sample["image1"], sample["image2"] = (1 - sample[name] for name in ("image1", "image2"))
    predictor = Turns()
    joined = scores(Given(one + other), {"turns": predictor})["turns"]
    assert joined["flicker"] == pytest.approx(2.0, abs=1e-5)
    assert joined["epe"] == pytest.approx(2.0)  # the second pair of each
    assert joined["distance"] == pytest.approx(2.0, abs=1e-4)


def test_without_ground_truth_there_is_flicker_alone():
    source = Given(samples(3, truth=False), truth=())
    found = scores(source, {"turns": Turns()})["turns"]
    assert found["flicker"] == pytest.approx(2.0, abs=1e-5)
    assert found["epe"] is None is found["distance"]
    text = as_text(sequences_table(measure_sequences({"turns": Turns()}, source)))
    assert "flicker px" in text and "EPE" not in text and "turns" in text


def test_lucas_kanade_follows_texture_and_knows_what_left():
    sample = samples(1, u=6)[0]
    points = np.array([(50.0, 30.0), (30.5, 20.25), (3.0, 30.0)])
    there, visible = lucas_kanade(sample["image1"], sample["image2"], points)
    np.testing.assert_allclose(there[:2], points[:2] - (6, 0), atol=0.2)
    assert list(visible) == [True, True, False]


def test_a_network_has_a_row_with_a_warm_start():
    from tfflow.models import untrained

    found = scores(Given(samples(2)), {"net": untrained("spynet_mobile")})
    assert list(found) == ["net", "net, warm start", LUCAS_KANADE]
    assert found["net"]["epe"] is not None and found["net, warm start"]["epe"] != found["net"]["epe"]
