"""Measures of flow that need no ground truth. `spearman` compares their ranking of networks with that by EPE.

| name | mean of | over |
|---|---|---|
| `photometric`, `census` | difference of image1 and the warped image2 | pixels that pass the network's forward-backward check |
| `photometric_t`, `census_t` | the same; 1 if the target is outside the frame | pixels that pass the teacher's check, the same for all networks |
| `fb_residual` | flow12(x) + flow21(x + flow12(x)), px | pixels that stay inside the frame |
| `teacher` | distance from the flow of a teacher with several passes, px | pixels that pass the teacher's check |
| `rendered` | endpoint error on a pair rendered from the same frames (`data.rendered`), px | all pixels |
| `census_t*teacher`, ... | geometric mean of the two | |

A network that marks most pixels as occluded would be measured on few pixels. The measures with the teacher's check
avoid that.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from tfflow.data.records import Sample
from tfflow.data.rendered import PairFlow, Rendering, render
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.metrics import census_distance, check_occlusion, warp
from tfflow.ops import inside

SINGLE = ("photometric", "census", "photometric_t", "census_t", "fb_residual", "teacher", "rendered")
COMBINED = {
    "census_t*teacher": ("census_t", "teacher"),
    "census_t*rendered": ("census_t", "rendered"),
    "teacher*rendered": ("teacher", "rendered"),
    "census_t*teacher*rendered": ("census_t", "teacher", "rendered"),
}
MEASURES = (*SINGLE, *COMBINED)
LEAST = 1e-4  # lower bound of a measure before its logarithm


class JudgedPair(NamedTuple):
    """A pair without labels, its flow by the teacher, and a pair rendered from it with exact flow."""

    image1: np.ndarray
    image2: np.ndarray
    flow: PairFlow
    rendered: Sample


def judged_pair(sample: Sample, flow: PairFlow, seed: int, rendering: Rendering | None = None) -> JudgedPair:
    """Prepares a pair for `measure`. The same seed renders the same pair."""
    drawn = render(
        sample["image1"], sample["image2"], flow, rendering or Rendering(), np.random.default_rng([seed, 77])
    )
    return JudgedPair(sample["image1"], sample["image2"], flow, drawn)


def measure(predictor: Predictor, pair: JudgedPair, truth: Sample | None = None) -> dict[str, float]:
    """Each measure of `SINGLE` on one pair and the pair rendered from it.

    truth: a sample with ground truth adds "epe".
    """
    images1 = np.stack([pair.image1, pair.rendered["image1"]])
    images2 = np.stack([pair.image2, pair.rendered["image2"]])
    flows12, flows21 = predictor.both(images1, images2)
    flow12, flow21 = np.asarray(flows12[0]), np.asarray(flows21[0])
    seen = inside(flow12[None])[0, ..., 0].numpy() > 0.5
    warped = warp(pair.image2, flow12)
    off = np.abs(pair.image1.astype(np.float64) - warped).mean(axis=-1)
    census = census_distance(pair.image1, warped)
    patch = cv2.erode(np.pad(seen.astype(np.uint8), 3), np.ones((7, 7), np.uint8))[3:-3, 3:-3] > 0
    own = seen & ~check_occlusion(flow12, flow21)
    trusted = pair.flow.visible1[..., 0] > 0
    inner = np.zeros_like(trusted)
    inner[3:-3, 3:-3] = trusted[3:-3, 3:-3]
    exact = pair.rendered["flow12"] - np.asarray(flows12[1])
    known = {}
    if truth is not None:
        known["epe"] = _mean(np.linalg.norm(flow12 - truth["flow12"], axis=-1), truth["valid1"][..., 0] > 0)
    return known | {
        "photometric": _mean(off, own),
        "census": _mean(census, own & patch),
        "photometric_t": _mean(np.where(seen, off, 1.0), trusted),
        "census_t": _mean(np.where(patch, census, 1.0), inner),
        "fb_residual": _mean(np.linalg.norm(flow12 + warp(flow21, flow12), axis=-1), seen),
        "teacher": _mean(np.linalg.norm(flow12 - pair.flow.flow12, axis=-1), trusted),
        "rendered": float(np.linalg.norm(exact, axis=-1).mean()),
    }


def warping_error(reference: Predictor, predictors: Sequence[Predictor], samples: Sequence[Sample]) -> list[float]:
    """Of each predictor the mean difference of colours, 0..1, between image1 and image2 warped by its flow.

    It is taken over the pixels that pass the forward-backward check of `reference`, the same for all predictors; what
    is sent out of the frame counts as 1.
    """
    errors: list[list[float]] = [[] for _ in predictors]
    for sample in samples:
        image1, image2 = sample["image1"], sample["image2"]
        flow12, flow21 = (np.asarray(flow[0]) for flow in reference.both(image1[None], image2[None]))
        trusted = ~check_occlusion(flow12, flow21)
        for predictor, found in zip(predictors, errors, strict=True):
            flow = np.asarray(predictor.batch(image1[None], image2[None])[0])
            off = np.abs(image1.astype(np.float64) - warp(image2, flow)).mean(axis=-1)
            found.append(_mean(np.where(inside(flow[None])[0, ..., 0].numpy() > 0.5, off, 1.0), trusted))
    return [float(np.mean(found)) for found in errors]


def mean_measures(predictor: Predictor, pairs: Sequence[JudgedPair]) -> dict[str, float]:
    """Each of `MEASURES`: means over the pairs, and geometric means of two of these."""
    every = [measure(predictor, pair) for pair in pairs]
    return with_combined({name: float(np.mean([one[name] for one in every])) for name in SINGLE})


def with_combined(single: Mapping[str, float]) -> dict[str, float]:
    """The measures with the combined ones added."""
    logs = {name: np.log(max(value, LEAST)) for name, value in single.items()}
    combined = {name: float(np.exp(np.mean([logs[part] for part in parts]))) for name, parts in COMBINED.items()}
    return {**single, **combined}


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's rank correlation, -1 to 1. Equal values get the mean of their ranks. NaN if all of one are equal."""
    ranks = [_ranks(np.asarray(x, float)) for x in (a, b)]
    first, second = (r - r.mean() for r in ranks)
    length = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / length if length else float("nan")


def _ranks(values: np.ndarray) -> np.ndarray:
    return (values[:, None] > values).sum(1) + 0.5 * (values[:, None] == values).sum(1)


def _mean(values: np.ndarray, where: np.ndarray) -> float:
    return float(values[where].mean()) if where.any() else 1.0
