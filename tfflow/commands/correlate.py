"""`python -m tfflow.correlate`: which measure without labels ranks networks as their endpoint error does.

Networks of different quality (pretrained weights, mixtures of them, weights with noise added, classical methods) are
measured on pairs with ground truth. The table holds, for each source of pairs and each measure, the rank correlation
(Spearman) with the endpoint error over the networks: 1 = the same order.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tfflow.commands.markdown import table
from tfflow.data.pipeline import Spread
from tfflow.data.sources import open_source
from tfflow.errors import InputError, command
from tfflow.evaluation import baselines
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.label_free import MEASURES, SINGLE, judged_pair, measure, spearman, with_combined
from tfflow.files import write_json
from tfflow.models import FlowModel, boxed, load_float
from tfflow.models.weights import assign, model_arrays
from tfflow.terminal import Parser, console
from tfflow.training.teaching import Teaching

NOISE = (0.02, 0.05, 0.1, 0.2)
MIXED = (0.25, 0.5, 0.75)
SCENES = ("scenes:seed=9", *(f"scenes:preset={name},seed=9" for name in ("night", "pan", "fog")))

Scores = dict[str, dict[str, float]]


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


def parser() -> Parser:
    p = Parser(prog="python -m tfflow.correlate", description=__doc__)
    p.add_argument(
        "--data", action="append", default=[], metavar="KIND:PATH",
        help="pairs with ground truth; repeatable, each is a row (default: built-in scenes of four kinds)",
    )  # fmt: skip
    p.add_argument("--limit", type=int, default=8, metavar="N", help="pairs of each (default: %(default)s)")
    p.add_argument("--teacher", default="pwcnet_mobile", metavar="W", help="weights of the teacher (default: %(default)s)")
    p.add_argument(
        "--weights", action="append", default=[], metavar="W", help="more weights to rank, such as checkpoints of a run"
    )
    p.add_argument("--out", type=Path, metavar="FILE", help="write all numbers as JSON")
    return p


@command
def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    if args.limit < 1:
        raise InputError(f"--limit must be at least 1, got {args.limit}")
    sources = [open_source(spec) for spec in args.data or SCENES]
    for source in sources:
        if "flow12" not in source.truth:
            raise InputError(f"measures are held against the endpoint error, and {source.name} has no ground truth")
    teacher = Teaching(load_float(args.teacher), None)
    networks = list(_networks(args.weights))
    screen, rows, scores = console(160), [], {}
    for source in sources:
        scores[source.name] = of = _scores(networks, teacher, Spread(source, min(args.limit, len(source))))
        rows.append([source.name, *_correlations(of)])
        screen.print(f"{source.name}: " + ", ".join(f"{n} {s['epe']:.2f}" for n, s in of.items()), soft_wrap=True)
    rows.append(["mean", *np.nanmean(np.array([row[1:] for row in rows], float), axis=0)])
    screen.print(table(["rank correlation with EPE", *MEASURES], rows), soft_wrap=True)
    if args.out:
        write_json(args.out, scores)
    return 0


def _correlations(scores: Scores) -> list[float]:
    errors = [s["epe"] for s in scores.values()]
    return [spearman([s[name] for s in scores.values()], errors) for name in MEASURES]


def _scores(networks: Sequence[Predictor], teacher: Teaching, source) -> Scores:
    found: dict[str, list[dict[str, float]]] = {network.name: [] for network in networks}
    for index in range(len(source)):
        sample = source.sample(index)
        pair = judged_pair(sample, teacher.compute(sample["image1"], sample["image2"]), index)
        for network in networks:
            found[network.name].append(measure(network, pair, sample))
    means = {name: {k: float(np.mean([x[k] for x in every])) for k in ("epe", *SINGLE)} for name, every in found.items()}
    return {name: {"epe": single.pop("epe"), **with_combined(single)} for name, single in means.items()}


def _networks(more: Sequence[str]) -> Iterator[Predictor]:
    """Of different quality: see the module."""
    yield from (baselines.dis("fast"), baselines.dis("medium"), baselines.farneback())
    shared: dict[str, FlowModel] = {}
    pretrained = {}
    for weights in [*boxed(), *more]:
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


if __name__ == "__main__":
    raise SystemExit(main())
