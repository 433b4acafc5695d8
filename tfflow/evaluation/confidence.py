"""How well the confidence ranks errors, against ground truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from tfflow.data.records import Source
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.predicting import predict, stacked
from tfflow.evaluation.reading import read_ahead
from tfflow.models.confidence import confidence, visible_by_check

BINS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
SHARES = np.arange(20) / 20  # of the pixels that are removed, those of least confidence first
MEASURES = ("confidence", "check", "speed")
"""Measures that rank pixels: `tfflow.models.confidence`, the result of the forward-backward check, and low speed."""


@dataclass
class ConfidenceScore:
    """How well one predictor's confidence ranks its errors on one source.

    pixels, errors, wrong: for each of the `BINS`, the number of pixels, the sum of their endpoint errors, px, and the
    number of errors above 3 px. areas: for each measure, the `area` of each image.
    """

    source: str
    predictor: str
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(len(BINS) - 1))
    errors: np.ndarray = field(default_factory=lambda: np.zeros(len(BINS) - 1))
    wrong: np.ndarray = field(default_factory=lambda: np.zeros(len(BINS) - 1))
    areas: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURES})

    def add(self, flow12: np.ndarray, flow21: np.ndarray, sample: Mapping[str, np.ndarray]) -> None:
        """Adds one pair. sample: ground truth, flow12 and valid1."""
        valid = sample["valid1"][..., 0] > 0.5
        if not valid.any():
            return
        error = np.linalg.norm(flow12.astype(np.float64) - sample["flow12"], axis=-1)[valid]
        sure = confidence(flow12, flow21, sample["image1"])[valid]
        place = np.clip(np.searchsorted(BINS, sure, side="right") - 1, 0, len(BINS) - 2)
        self.pixels += np.bincount(place, minlength=len(BINS) - 1)
        self.errors += np.bincount(place, error, minlength=len(BINS) - 1)
        self.wrong += np.bincount(place, error > 3, minlength=len(BINS) - 1)
        speed = np.linalg.norm(flow12, axis=-1)[valid]
        ranks = {"confidence": sure, "check": visible_by_check(flow12, flow21)[valid].astype(float), "speed": -speed}
        for name, rank in ranks.items():
            self.areas[name].append(area(error, rank))

    def summary(self) -> dict[str, Any]:
        """The scores for JSON: a row for each bin, and the mean area of each measure."""
        rows = [
            {"from": low, "to": high, "pixels_percent": 100 * n / self.pixels.sum(), "epe": e / n, "over3": 100 * w / n}
            for low, high, n, e, w in zip(BINS, BINS[1:], self.pixels, self.errors, self.wrong, strict=False)
            if n
        ]
        areas = {name: float(np.mean(found)) for name, found in self.areas.items() if found}
        return {"source": self.source, "predictor": self.predictor, "bins": rows, "area": areas}

    def __rich__(self) -> Group:
        found = self.summary()
        table = Table()
        for head in ("confidence", "pixels %", "EPE", "over 3 px %"):
            table.add_column(head, justify="right")
        for row in found["bins"]:
            table.add_row(
                f"{row['from']:g} to {row['to']:g}",
                f"{row['pixels_percent']:.1f}",
                f"{row['epe']:.2f}",
                f"{row['over3']:.1f}",
            )
        areas = ", ".join(f"by {name} {value:.3f}" for name, value in found["area"].items())
        title = Text(f"{self.predictor} on {self.source}: error against confidence", "bold")
        return Group(
            title, table, Text(f"area under the sparsification curve minus that of the best order (0 = best): {areas}")
        )


def area(error: np.ndarray, rank: np.ndarray) -> float:
    """The area between the sparsification curve of a ranking and that of the best ranking, which is by error.

    error, rank: [n]; a high rank means high confidence. The curve is the mean error after a share of the pixels with
    the lowest ranks is removed, relative to the mean error of all. Pixels of equal rank count with their mean. 0 is
    best. Source: Ilg et al. 2018 (Uncertainty Estimates for Optical Flow), AUSE.
    """
    whole = error.mean()
    if whole <= 0:
        return 0.0
    return float(np.mean(_curve(error, rank) - _curve(error, -error)) / whole)


def measure_confidence(
    label: str,
    predictor: Predictor,
    source: Source,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ConfidenceScore:
    """Measures a predictor's confidence on the first `limit` pairs of a source with ground truth."""
    trust = ConfidenceScore(source.name, label)
    source = source.with_neighbours() if getattr(predictor, "frames", 2) > 2 else source
    total = len(source) if limit is None else min(limit, len(source))
    for done, (_, sample) in enumerate(read_ahead(source, total, []), 1):
        flows12, flows21 = predict(predictor, stacked([sample]), both=True)
        assert flows21 is not None
        trust.add(flows12[0], flows21[0], sample)
        if progress:
            progress(done, total)
    return trust


def _curve(error: np.ndarray, rank: np.ndarray) -> np.ndarray:
    order = np.argsort(rank, kind="stable")
    _, first, count = np.unique(rank[order], return_index=True, return_counts=True)
    means = np.add.reduceat(error[order], first) / count
    ranked = np.repeat(means, count)
    left = np.cumsum(ranked[::-1])[::-1]  # the sum of the remaining errors
    places = np.minimum((SHARES * len(error)).astype(int), len(error) - 1)
    return left[places] / (len(error) - places)
