"""What a confidence is worth: areas by hand, errors in their bins."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.fakes import Given, noise
from tfflow.evaluation.confidence import SHARES, ConfidenceScore, area, measure_confidence


def test_the_errors_own_order_has_no_area_and_the_opposite_the_largest():
    error = np.random.default_rng(0).exponential(1, 4000)
    best, worst, chance = area(error, -error), area(error, error), area(error, np.zeros(4000))
    assert best == 0 and worst > chance > 0.4
    assert area(error, -(error**3)) == 0  # the order alone counts
    assert abs(area(error, np.random.default_rng(1).random(4000)) - chance) < 0.03


def test_an_area_by_hand():
    """20 pixels, one for each share: errors 1 to 20; the best order leaves a mean of (21 - k) / 2 after k of them."""
    error = np.arange(1.0, 21.0)
    best = (21 - 20 * SHARES) / 2
    assert area(error, np.zeros(20)) == pytest.approx(np.mean(10.5 - best) / 10.5)
    assert area(error, error) == pytest.approx(np.mean((20 + 20 * SHARES + 1) / 2 - best) / 10.5)
    halves = (np.arange(20) < 10).astype(float)  # sure of the ten small ones
    left = [(10 * 5.5 + (10 - k) * 15.5) / (20 - k) if k < 10 else 5.5 for k in range(20)]
    assert area(error, halves) == pytest.approx(np.mean(left - best) / 10.5)


class Half:
    """Right in the left half; in the right half 5 px off, and its flow back says so."""

    name = "half"

    def both(self, images1, images2):
        flow = np.zeros((*images1.shape[:3], 2), np.float32)
        flow[:, :, 30:, 0] = 5.0
        return flow, np.zeros_like(flow)


def test_errors_stand_in_the_bin_of_their_confidence():
    sample = {
        "image1": noise(1, 40, 60), "image2": noise(2, 40, 60), "flow12": np.zeros((40, 60, 2), np.float32),
        "valid1": np.ones((40, 60, 1), np.float32),
    }  # fmt: skip
    sample["valid1"][:10] = 0
    asked = []
    source = Given([sample, sample])
    found = measure_confidence("half", Half(), source, 1, lambda done, total: asked.append((done, total))).summary()
    assert asked == [(1, 1)]
    low, high = found["bins"]
    assert (low["from"], low["to"], high["from"], high["to"]) == (0.1, 0.25, 0.9, 1.0)
    assert (low["pixels_percent"], low["epe"], low["over3"]) == (50, 5, 100)
    assert (high["pixels_percent"], high["epe"], high["over3"]) == (50, 0, 0)
    assert found["area"]["confidence"] == pytest.approx(0, abs=1e-9) == found["area"]["check"]


def test_a_pair_without_ground_truth_counts_nothing():
    trust = ConfidenceScore("here", "net")
    flow = np.zeros((8, 9, 2), np.float32)
    trust.add(flow, flow, {"image1": noise(1, 8, 9), "flow12": flow, "valid1": np.zeros((8, 9, 1))})
    assert trust.summary() == {"source": "here", "predictor": "net", "bins": [], "area": {}}
