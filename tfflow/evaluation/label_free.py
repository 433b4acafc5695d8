"""Measures of flow that need no ground truth. `spearman` compares their ranking of networks with that by EPE.

| name | mean of | over |
|---|---|---|
| `photometric`, `census` | difference of image1 and the warped image2 | pixels that pass the network's forward-backward check |
| `photometric_t`, `census_t` | the same; 1 if the target is outside the frame | pixels that pass the teacher's check, the same for all networks |
| `fb_residual` | flow12(x) + flow21(x + flow12(x)), px | pixels that stay inside the frame |
| `teacher` | distance from the flow of a teacher with several passes, px | pixels that pass the teacher's check |
| `textured` | endpoint error on scenes that are textured with the frames (`data.textured`), px | all pixels |
| `census_t*teacher` | geometric mean of the two | |

A network that marks most pixels as occluded would be measured on few pixels. The measures with the teacher's check
avoid that.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from tfflow.data.records import Sample
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.metrics import census_distance, check_occlusion, warp
from tfflow.ops import inside

OF_PAIRS = ("photometric", "census", "photometric_t", "census_t", "fb_residual", "teacher")
COMBINED = {"census_t*teacher": ("census_t", "teacher")}
MEASURES = ("textured", *OF_PAIRS, *COMBINED)
LEAST = 1e-4  # lower bound of a measure before its logarithm


class Taught(NamedTuple):
    """The flow of a pair by a teacher, [h, w, 2] px, and where it passes the forward-backward check, bool [h, w]."""

    flow12: np.ndarray
    trusted: np.ndarray


def measure(predictor: Predictor, sample: Sample, teacher: Taught) -> dict[str, float]:
    """Each measure of `OF_PAIRS` on a pair, and "epe" by its ground truth."""
    image1, image2 = sample["image1"], sample["image2"]
    flow12, flow21 = (np.asarray(flows[0]) for flows in predictor.both(image1[None], image2[None]))
    seen = inside(flow12[None])[0, ..., 0].numpy() > 0.5
    warped = warp(image2, flow12)
    off = np.abs(image1.astype(np.float64) - warped).mean(axis=-1)
    census = census_distance(image1, warped)
    patch = cv2.erode(np.pad(seen.astype(np.uint8), 3), np.ones((7, 7), np.uint8))[3:-3, 3:-3] > 0
    own = seen & ~check_occlusion(flow12, flow21)
    inner = np.zeros_like(teacher.trusted)
    inner[3:-3, 3:-3] = teacher.trusted[3:-3, 3:-3]
    return {
        "epe": _mean(np.linalg.norm(flow12 - sample["flow12"], axis=-1), sample["valid1"][..., 0] > 0),
        "photometric": _mean(off, own),
        "census": _mean(census, own & patch),
        "photometric_t": _mean(np.where(seen, off, 1.0), teacher.trusted),
        "census_t": _mean(np.where(patch, census, 1.0), inner),
        "fb_residual": _mean(np.linalg.norm(flow12 + warp(flow21, flow12), axis=-1), seen),
        "teacher": _mean(np.linalg.norm(flow12 - teacher.flow12, axis=-1), teacher.trusted),
    }


def warping_error(
    checked: Sequence[Predictor], predictors: Sequence[Predictor], samples: Sequence[Sample]
) -> list[float]:
    """Of each predictor the mean difference of colours, 0..1, between image1 and image2 warped by its flow.

    It is taken over the pixels that pass the forward-backward check of one of `checked`, the same for all predictors;
    what is sent out of the frame counts as 1.
    """
    errors: list[list[float]] = [[] for _ in predictors]
    for sample in samples:
        image1, image2 = sample["image1"], sample["image2"]
        trusted = np.zeros(image1.shape[:2], bool)
        for predictor in checked:
            flow12, flow21 = (np.asarray(flow[0]) for flow in predictor.both(image1[None], image2[None]))
            trusted |= ~check_occlusion(flow12, flow21)
        for predictor, found in zip(predictors, errors, strict=True):
            flow = np.asarray(predictor.batch(image1[None], image2[None])[0])
            off = np.abs(image1.astype(np.float64) - warp(image2, flow)).mean(axis=-1)
            found.append(_mean(np.where(inside(flow[None])[0, ..., 0].numpy() > 0.5, off, 1.0), trusted))
    return [float(np.mean(found)) for found in errors]


def with_combined(single: Mapping[str, float]) -> dict[str, float]:
    """Measures with the combined ones added: geometric means."""
    combined = {
        name: float(np.exp(np.mean([np.log(max(single[part], LEAST)) for part in parts])))
        for name, parts in COMBINED.items()
    }
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
