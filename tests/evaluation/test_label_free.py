"""Measures without labels: known values, order of networks, and rank correlation against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.fakes import Constant
from tfflow.data.scenes import Scenes
from tfflow.evaluation.baselines import Baseline
from tfflow.evaluation.label_free import OF_PAIRS, Taught, measure, spearman, warping_error, with_combined

SAMPLE = Scenes((64, 96), 2, seed=8).sample(1)
TRUTH = Taught(SAMPLE["flow12"], SAMPLE["visible1"][..., 0] > 0)


class Off:
    """The true flow of the pair, plus so many px to the right."""

    name, frames = "off", 2

    def __init__(self, px: float):
        self.px = np.float32([px, 0])

    def both(self, images1, images2):
        return SAMPLE["flow12"][None] + self.px, SAMPLE["flow21"][None] - self.px


@pytest.mark.parametrize("px", [0.0, 1.5])
def test_distances_to_teacher_and_to_the_truth_are_what_was_added(px):
    found = measure(Off(px), SAMPLE, TRUTH)
    assert found["teacher"] == pytest.approx(px, abs=1e-5) and found["epe"] == pytest.approx(px, abs=1e-5)


@pytest.mark.parametrize("name", ["photometric_t", "census_t", "teacher"])
def test_flow_that_is_farther_off_scores_worse(name):
    scores = [measure(Off(px), SAMPLE, TRUTH)[name] for px in (0.0, 0.5, 2.0)]
    assert scores == sorted(scores) and len(set(scores)) == 3


def test_a_network_that_sends_all_out_of_the_frame_gains_nothing():
    """Its own visible pixels are few, and those that the teacher sees count fully."""
    away = Baseline("away", lambda a, b: np.full((*a.shape, 2), 1_000, np.float32))
    found = measure(away, SAMPLE, TRUTH)
    assert found["census_t"] == 1 and found["photometric_t"] == 1


def test_combined_measures_are_geometric_means():
    single = {**dict.fromkeys(OF_PAIRS, 1.0), "census_t": 4.0, "teacher": 9.0}
    found = with_combined(single)
    assert found["census_t*teacher"] == pytest.approx(6.0)
    assert with_combined({**single, "teacher": 0.0})["census_t*teacher"] == pytest.approx(0.02)  # 0 counts as 0.0001
    assert single.items() <= found.items()


def test_rank_correlation_by_its_definition():
    rng = np.random.default_rng(4)
    a, b = rng.random(9), rng.random(9)
    ranks = [np.argsort(np.argsort(x)) for x in (a, b)]
    expected = 1 - 6 * np.sum((ranks[0] - ranks[1]) ** 2) / (9 * 80)
    assert spearman(a, b) == pytest.approx(expected)
    assert spearman(a, np.exp(5 * a)) == pytest.approx(1) and spearman(a, -a) == pytest.approx(-1)
    assert spearman([1, 1, 2], [1, 2, 3]) == pytest.approx(0.8660254) and np.isnan(spearman([1, 1], [1, 2]))


class Checked(Constant):
    """Zero flow, whose flow back agrees in the columns of `where` alone."""

    def __init__(self, where):
        super().__init__()
        self.where = where

    def both(self, images1, images2):
        forward, back = super().both(images1, images2)
        back = np.full_like(forward, 20.0)
        back[:, :, self.where] = 0.0
        return forward, back


def test_colours_are_compared_where_one_of_the_checked_agrees_in_both_directions():
    image1 = np.full((16, 20, 3), 0.25, np.float32)
    image2 = image1.copy()
    image2[:, 10:] += 0.5
    left, right = Checked(slice(0, 10)), Checked(slice(10, 20))
    still, lost = Constant(0.0, 0.0), Constant(100.0, 0.0)  # what leaves the frame counts as 1

    def errors(*checked):
        return warping_error(checked, [still, lost], [{"image1": image1, "image2": image2}])

    assert errors(left) == pytest.approx([0.0, 1.0]) and errors(right) == pytest.approx([0.5, 1.0])
    assert errors(left, right) == errors(right, left) == pytest.approx([0.25, 1.0])
