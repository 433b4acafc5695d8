"""`tfflow.evaluation.paired`: gains with their standard errors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.fakes import Constant
from tfflow.data.scenes import Scenes
from tfflow.evaluation.paired import Gain, endpoint_errors, gain_of_mean, gain_of_typical, geometric_mean


def test_one_hard_pair_rules_the_mean_but_not_what_is_typical():
    before = np.array([1.0] * 99 + [100.0])
    after = np.array([0.9] * 99 + [150.0])
    assert gain_of_mean(before, after).percent < -15 and not gain_of_mean(before, after).clear
    typical = gain_of_typical(before, after)
    assert 9 < typical.percent < 10 and typical.clear
    assert geometric_mean(np.array([0.5, 2.0])) == pytest.approx(1.0)


def test_the_standard_error_is_how_far_samples_of_one_truth_scatter():
    rng = np.random.default_rng(1)
    before = rng.lognormal(0.0, 1.0, [400, 50])
    after = before * rng.lognormal(np.log(0.95), 0.1, [400, 50])
    gains = [gain_of_typical(b, a) for b, a in zip(before, after, strict=True)]
    assert np.mean([g.percent for g in gains]) == pytest.approx(5.0, abs=0.3)
    assert np.std([g.percent for g in gains]) == pytest.approx(np.mean([g.standard_error for g in gains]), rel=0.1)
    inside = np.mean([abs(g.percent - 5.0) < 2 * g.standard_error for g in gains])
    assert 0.92 < inside < 0.98


def test_the_same_weights_gain_nothing_and_one_pair_says_nothing():
    errors = np.array([0.0, 1.0, 3.0])
    for gain in (gain_of_mean(errors, errors), gain_of_typical(errors, errors)):
        assert gain == (0.0, 0.0) and not gain.clear
    assert not gain_of_typical(np.array([2.0]), np.array([1.0])).clear
    assert Gain(5.25, 1.04).text() == "+5.2 ± 1.0 %"


def test_trainings_are_averaged_pair_by_pair():
    before = np.array([[1.0, 2.0], [1.0, 2.0]])
    after = np.array([[0.5, 2.0], [1.0, 1.0]])  # each of two trainings halves another pair
    assert gain_of_typical(before, after) == pytest.approx((100 * (1 - 0.5**0.5), 0.0))
    assert gain_of_mean(before, after).percent == pytest.approx(25.0)


def test_errors_are_those_of_each_pair():
    scenes = Scenes((32, 40), seed=3, count=3)
    found = endpoint_errors({"still": Constant(0.0, 0.0)}, scenes)["still"]
    samples = [scenes.sample(k) for k in range(3)]
    true = [np.linalg.norm(s["flow12"], axis=-1)[s["valid1"][..., 0] > 0.5].mean() for s in samples]
    np.testing.assert_allclose(found, true, rtol=1e-5)
