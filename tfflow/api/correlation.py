"""Which measures without labels rank networks as their endpoint error does: rank correlation over networks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfflow.api.markdown import table
from tfflow.data.pipeline import EvenSubset
from tfflow.data.sources import open_sources
from tfflow.data.textured import Texturing, textured_scenes
from tfflow.defaults import WEIGHTS
from tfflow.errors import InputError
from tfflow.evaluation import baselines, scoring
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.label_free import MEASURES, OF_PAIRS, Taught, measure, spearman, with_combined
from tfflow.models import FlowModel, load_float, pretrained_names
from tfflow.models.confidence import visible_by_check
from tfflow.models.variational import pair_by_pair
from tfflow.models.weights import assign, model_arrays

NOISE = (0.02, 0.05, 0.1, 0.2)
PASSES = (0.5, 1.0, 2.0)
"""Of the teacher: the shares of the frames' size at which it makes a pass each."""
MIXED = (0.25, 0.5, 0.75)
SCENES = ("scenes:seed=9", *(f"scenes:preset={name},seed=9" for name in ("night", "pan", "fog")))

TEXTURED_SCENES, SIZE = 24, (192, 256)
"""Of the measure that runs are selected by: scenes textured with a source's frames, and their size."""

Scores = dict[str, dict[str, float]]
"""By network "epe" and each of `MEASURES`, means over pairs or scenes."""


@dataclass(frozen=True)
class Correlation:
    """scores: of the networks on each source."""

    scores: dict[str, Scores]

    def rows(self) -> list[list[Any]]:
        """Of each source its name and the rank correlation of each measure with the endpoint error; then the mean."""
        rows: list[list[Any]] = [[name, *_correlations(scores)] for name, scores in self.scores.items()]
        return [*rows, ["mean", *map(float, np.nanmean(np.array([row[1:] for row in rows], float), axis=0))]]

    def table(self) -> str:
        """The rows in Markdown."""
        return table(["rank correlation with EPE", *MEASURES], self.rows())


def correlate(
    data: Any = None,
    *,
    limit: int = 8,
    teacher: str = WEIGHTS,
    weights: Sequence[str] = (),
    say: Callable[[str], None] = lambda text: None,
) -> Correlation:
    """Networks of different quality, measured with and without labels on pairs with ground truth.

    data: each source is a row; default: built-in scenes of four kinds. limit: pairs of each. teacher: its weights.
    weights: more weights to rank. say: called with the endpoint errors of each source.
    Raises InputError where a source has no ground truth.
    """
    if limit < 1:
        raise InputError(f"`limit` must be at least 1, got {limit}")
    sources = open_sources(data or list(SCENES), "stop")
    for source in sources:
        if "flow12" not in source.truth:
            raise InputError(f"measures are held against the endpoint error, and {source.name} has no ground truth")
    one_pass = load_float(teacher)
    several = FlowModel(one_pass.name, network=one_pass.network, scales=PASSES)
    networks, found = list(_networks(weights)), {}
    for source in sources:
        some = EvenSubset(source, min(limit, len(source)))
        found[source.name] = of = _scores(networks, several, some)
        say(f"{source.name}: " + ", ".join(f"{name} {scores['epe']:.2f}" for name, scores in of.items()))
    return Correlation(found)


class Weighted:
    """A predictor that gives a shared network its own weights before each use: one graph serves all of them."""

    frames = 2

    def __init__(self, name: str, model: FlowModel, arrays: dict[str, np.ndarray]):
        self.name, self._model, self._arrays = name, model, arrays

    def batch(self, images1: np.ndarray, images2: np.ndarray) -> np.ndarray:
        assign(self._model.both_ways, self._arrays, self.name)
        return self._model.batch(images1, images2)

    def both(self, images1: np.ndarray, images2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assign(self._model.both_ways, self._arrays, self.name)
        return self._model.both(images1, images2)


def _correlations(scores: Scores) -> list[float]:
    errors = [s["epe"] for s in scores.values()]
    return [spearman([s[name] for s in scores.values()], errors) for name in MEASURES]


def _scores(networks: Sequence[Predictor], teacher: FlowModel, source: EvenSubset) -> Scores:
    found: dict[str, list[dict[str, float]]] = {network.name: [] for network in networks}
    for index in range(len(source)):
        sample = source.sample(index)
        taught = _taught(teacher, sample["image1"], sample["image2"])
        for network in networks:
            found[network.name].append(measure(network, sample, taught))
    textured = _textured(networks, source)
    return {
        name: with_combined(
            {k: float(np.mean([x[k] for x in every])) for k in ("epe", *OF_PAIRS)} | {"textured": textured[name]}
        )
        for name, every in found.items()
    }


def _taught(teacher: FlowModel, image1: np.ndarray, image2: np.ndarray) -> Taught:
    """The teacher's flow of a pair, refined, and where the forward-backward check holds."""
    both = np.concatenate(teacher.both(image1[None], image2[None]))
    both = pair_by_pair(np.stack([image1, image2]), np.stack([image2, image1]), both)
    return Taught(both[0], visible_by_check(both[0], both[1]))


def _textured(networks: Sequence[Predictor], source: EvenSubset) -> dict[str, float]:
    """EPE of each network on scenes that are textured with the frames of a source."""
    with tempfile.TemporaryDirectory() as folder:
        scenes = EvenSubset(textured_scenes(source, Texturing(), SIZE, 1, Path(folder)), TEXTURED_SCENES)
        results = scoring.run({network.name: network for network in networks}, scenes)
    return {name: float(result.summary()["mean_over_images"]["epe"]) for name, result in results.items()}


def _networks(more: Sequence[str]) -> Iterator[Predictor]:
    """Of different quality: see the module."""
    yield from (baselines.dis("fast"), baselines.dis("medium"), baselines.farneback())
    shared: dict[str, FlowModel] = {}
    pretrained = {}
    for weights in [*pretrained_names(), *more]:
        model = load_float(weights)
        pretrained[weights] = model.name, model_arrays(model.both_ways)
        yield Weighted(weights, shared.setdefault(model.name, model), pretrained[weights][1])
    name, best = pretrained["pwcnet_mobile"]
    _, other = pretrained["pwcnet_mobile_unsupervised"]
    for share in MIXED:
        mixed = {k: (1 - share) * best[k] + share * other[k] for k in best}
        yield Weighted(f"mixed {share:g}", shared[name], mixed)
    rng = np.random.default_rng(5)
    for noise in NOISE:
        noisy = {k: (v + noise * v.std() * rng.standard_normal(v.shape)).astype(v.dtype) for k, v in best.items()}
        yield Weighted(f"noise {noise:g}", shared[name], noisy)
