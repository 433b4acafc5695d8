"""Measures of flow on consecutive pairs: flicker, with and without a warm start, and the accuracy of tracked points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from tfflow.data.records import Sample, Source
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.predicting import predict, stacked
from tfflow.evaluation.reading import read_ahead
from tfflow.models.confidence import visible_by_check
from tfflow.models.points import follow, sampled
from tfflow.models.variational import grey
from tfflow.models.warm_start import WarmStart
from tfflow.ops.arrays import warp

LUCAS_KANADE = "Lucas-Kanade (OpenCV)"
STEP = 16  # px between the tracked points


@dataclass
class SequenceScore:
    """The scores of one method on the consecutive pairs of one source.

    epe: [sum of endpoint errors, px; number of pixels], over pairs that follow another pair. flicker: the same for the
    change of a point's motion from one pair to the next, px, if the point is visible in both.
    A grid of points is tracked through each sequence. points, lost: the number that are truly visible at its end, and
    that are not. kept: visible points that are classified as visible; distance: sum of their errors, px. false: points
    classified as visible that are not.
    """

    source: str
    predictor: str
    epe: np.ndarray = field(default_factory=lambda: np.zeros(2))
    flicker: np.ndarray = field(default_factory=lambda: np.zeros(2))
    kept: int = 0
    false: int = 0
    points: int = 0
    lost: int = 0
    distance: float = 0.0

    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = {"source": self.source, "predictor": self.predictor}
        for name, (total, count) in (("epe", self.epe), ("flicker", self.flicker)):
            found[name] = total / count if count else None
        found["distance"] = self.distance / self.kept if self.kept else None
        found["kept_percent"] = 100 * self.kept / self.points if self.points else None
        found["false_percent"] = 100 * self.false / self.lost if self.lost else None
        return found


class _Run:
    """One method on one sequence: its last flow, its points, and the true points."""

    def __init__(self, score: SequenceScore, predictor: Predictor | None):
        self.score, self.predictor = score, predictor
        self._last: tuple[np.ndarray, np.ndarray] | None = None  # flow of the pair before, and its visibility
        self._points: np.ndarray | None = None
        self._seen = self._true_seen = np.zeros(0, bool)
        self._true = np.zeros((0, 2))

    def begin(self, shape: tuple[int, ...]) -> None:
        """Begins a sequence of frames of this shape."""
        self.end()
        y, x = np.mgrid[STEP // 2 : shape[0] : STEP, STEP // 2 : shape[1] : STEP]
        self._points = np.stack([x.ravel(), y.ravel()], -1).astype(np.float64)
        self._true, self._last = self._points.copy(), None
        self._seen = self._true_seen = np.ones(len(self._points), bool)

    def pair(self, sample: Sample) -> None:
        assert self._points is not None
        if self.predictor is None:
            place, visible = lucas_kanade(sample["image1"], sample["image2"], self._points)
        else:
            flows12, flows21 = predict(self.predictor, stacked([sample]), both=True)
            assert flows21 is not None
            self._measure(flows12[0], flows21[0], sample)
            place, visible = follow(self._points, flows12[0], flows21[0])
        self._points = np.where(self._seen[:, None], place, self._points)
        self._seen = self._seen & visible
        if "flow12" in sample:
            self._true, alive = _true_place(self._true, sample)
            self._true_seen = self._true_seen & alive
        else:
            self._true_seen = np.zeros(0, bool)

    def end(self) -> None:
        """Ends a sequence and scores its points, if the true positions are known."""
        if self._points is None or len(self._true_seen) != len(self._seen):
            return
        kept, score = self._seen & self._true_seen, self.score
        score.points += int(self._true_seen.sum())
        score.lost += int((~self._true_seen).sum())
        score.kept += int(kept.sum())
        score.false += int((self._seen & ~self._true_seen).sum())
        score.distance += float(np.linalg.norm(self._points - self._true, axis=-1)[kept].sum())
        self._points = None

    def _measure(self, flow12: np.ndarray, flow21: np.ndarray, sample: Mapping[str, np.ndarray]) -> None:
        visible = visible_by_check(flow12, flow21)
        if self._last is not None:
            if "flow12" in sample:
                valid = sample["valid1"][..., 0] > 0.5
                error = np.linalg.norm(flow12.astype(np.float64) - sample["flow12"], axis=-1)
                self.score.epe += (error[valid].sum(), valid.sum())
            before, seen = self._last
            next_seen = warp(visible[..., None].astype(np.float32), before)[..., 0] > 0.99
            change = np.linalg.norm(warp(flow12, before) - before, axis=-1)
            both = seen & next_seen
            self.score.flicker += (change[both].sum(), both.sum())
        self._last = flow12, visible


def measure_sequences(
    predictors: Mapping[str, Predictor],
    source: Source,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[SequenceScore]:
    """Measures each network without and with a warm start, and Lucas-Kanade for points, on consecutive pairs.

    A sequence ends if a pair does not begin with the last frame of the pair before. Networks of three frames and
    exported ones have no warm start.
    """
    ways: dict[str, Predictor | None] = {}
    for label, predictor in predictors.items():
        ways[label] = predictor
        if hasattr(predictor, "continued") and getattr(predictor, "frames", 2) == 2:
            ways[f"{label}, warm start"] = WarmStart(predictor)  # type: ignore[arg-type]
    ways[LUCAS_KANADE] = None
    runs = [_Run(SequenceScore(source.name, label), predictor) for label, predictor in ways.items()]
    total = len(source) if limit is None else min(limit, len(source))
    last: np.ndarray | None = None
    three = any(getattr(predictor, "frames", 2) > 2 for predictor in predictors.values())
    for done, (_, sample) in enumerate(read_ahead(source.with_neighbours() if three else source, total, []), 1):
        new = last is None or not np.array_equal(last, sample["image1"])
        for run in runs:
            if new:
                run.begin(sample["image1"].shape)
            run.pair(sample)
        last = sample["image2"]
        if progress:
            progress(done, total)
    for run in runs:
        run.end()
    return [run.score for run in runs]


def sequences_table(scores: list[SequenceScore]) -> Group:
    """A row for each method, on one source."""
    heads = {
        "epe": "EPE",
        "flicker": "flicker px",
        "distance": "points: off by px",
        "kept_percent": "kept %",
        "false_percent": "lost, but kept %",
    }
    rows = [score.summary() for score in scores]
    shown = [name for name in heads if any(row[name] is not None for row in rows)]
    table = Table()
    table.add_column("", no_wrap=True)
    for name in shown:
        table.add_column(heads[name], justify="right")
    for row in rows:
        table.add_row(row["predictor"], *("-" if row[name] is None else f"{row[name]:.3f}" for name in shown))
    return Group(Text(f"{scores[0].source}: consecutive pairs", "bold"), table)


def lucas_kanade(image1: np.ndarray, image2: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `follow`, by OpenCV's pyramidal Lucas-Kanade. Points are visible if the backward track ends within 1 px."""
    grey1, grey2 = grey(image1), grey(image2)
    start = np.ascontiguousarray(points, np.float32)[:, None]
    there, found, _ = cv2.calcOpticalFlowPyrLK(grey1, grey2, start, None, winSize=(21, 21), maxLevel=4)  # type: ignore[call-overload]
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(grey2, grey1, there, None, winSize=(21, 21), maxLevel=4)  # type: ignore[call-overload]
    there, back = there[:, 0].astype(np.float64), back[:, 0].astype(np.float64)
    close = np.linalg.norm(back - points, axis=-1) < 1
    inside = ((there >= 0) & (there <= (grey1.shape[1] - 1, grey1.shape[0] - 1))).all(-1)
    return there, close & inside & (found[:, 0] > 0) & (found_back[:, 0] > 0)


def _true_place(points: np.ndarray, sample: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of points by the true flow, and whether they are truly visible."""
    there = points + sampled(sample["flow12"], points)
    height, width = sample["flow12"].shape[:2]
    alive = ((there >= 0) & (there <= (width - 1, height - 1))).all(-1)
    for mask in ("valid1", "visible1"):
        if mask in sample:
            alive &= sampled(sample[mask], points)[:, 0] > 0.99
    return there, alive
