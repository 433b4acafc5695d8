"""What a training was worth: errors of two networks on the same pairs, compared pair by pair.

The mean endpoint error of a set rests on its few hardest pairs. Where one of them changes by many pixels, the mean says
little about the others. The geometric mean gives every pair the same weight: it changes by the same factor, whether a
pair falls from 10 to 9 px or from 1 to 0.9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfflow.data.records import Source
from tfflow.evaluation import scoring
from tfflow.evaluation.baselines import Predictor

LEAST = 1e-2
"""px. A smaller error counts as this one: eight bits of colour tell no less."""
CLEAR = 2.0
"""Standard errors. A gain that is farther from 0 is clear."""


class Gain(NamedTuple):
    """How much lower an error is, %, and the standard error of that number, in percent points."""

    percent: float
    standard_error: float

    @property
    def clear(self) -> bool:
        """Whether it is more than the choice of the pairs explains."""
        return abs(self.percent) > CLEAR * self.standard_error

    def text(self) -> str:
        return f"{self.percent:+.1f} ± {self.standard_error:.1f} %"


def endpoint_errors(predictors: Mapping[str, Predictor], source: Source, batch: int = 1) -> dict[str, np.ndarray]:
    """The endpoint error of each predictor on each pair of `source`, [pairs], px."""
    return {label: errors_of(result) for label, result in scoring.run(predictors, source, batch=batch).items()}


def errors_of(result: scoring.Result) -> np.ndarray:
    """The endpoint error on each pair that has ground truth, [pairs], px."""
    return np.array(result.averages.of_images("epe"))


def gains_over_first(results: Sequence[scoring.Result]) -> dict[str, tuple[Gain, Gain]]:
    """Of every later result over the first one on the same pairs: of the mean, and of a typical pair.

    Empty with one result alone, and with less than two pairs that have ground truth.
    """
    before, *others = map(errors_of, results)
    labels = [result.predictor for result in results[1:]]
    if len(before) < 2:
        return {}
    gains = [(gain_of_mean(before, after), gain_of_typical(before, after)) for after in others]
    return dict(zip(labels, gains, strict=True))


def geometric_mean(errors: np.ndarray) -> float:
    """exp of the mean logarithm of errors, px: the error of a typical pair."""
    return float(np.exp(_logarithms(errors).mean()))


def gain_of_mean(before: np.ndarray, after: np.ndarray) -> Gain:
    """Of the mean over pairs: errors [pairs] or [trainings, pairs], px."""
    before, after = np.atleast_2d(before).mean(0), np.atleast_2d(after).mean(0)
    whole = max(LEAST, float(before.mean()))
    return Gain(*(100.0 * x / whole for x in _mean_and_error(before - after)))


def gain_of_typical(before: np.ndarray, after: np.ndarray) -> Gain:
    """Of the geometric mean over pairs: errors [pairs] or [trainings, pairs], px."""
    change = np.atleast_2d(_logarithms(after) - _logarithms(before)).mean(0)
    mean, error = _mean_and_error(change)
    return Gain(100.0 * (1.0 - float(np.exp(mean))), 100.0 * float(np.exp(mean)) * error)


def _logarithms(errors: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(errors, LEAST))


def _mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """The mean, and its standard error: infinite for one value."""
    error = float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else float("inf")
    return float(values.mean()), error
