"""Scores of several predictors on one source."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfflow.data.records import Sample, Source
from tfflow.errors import InputError
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.metrics import Averages, Measured, measure_flow, measure_frames
from tfflow.evaluation.predicting import predict, require_finite, stacked
from tfflow.evaluation.reading import read_ahead, same_size

Each = Callable[[str, str, Sample, np.ndarray], None]  # predictor, image, sample, flow12 [h, w, 2]


@dataclass
class Result:
    """The scores of one predictor on one source."""

    source: str
    predictor: str
    truth: bool
    averages: Averages = field(default_factory=Averages)
    skipped: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(
        default_factory=list
    )  # of one flow, an entry for each batch except the first of each shape

    def summary(self) -> dict[str, Any]:
        """The averages by name, their numbers of pixels, and the median time of a flow (None if no size came twice)."""
        return {
            "source": self.source,
            "predictor": self.predictor,
            "ground_truth": self.truth,
            "images": len(self.averages.images),
            "skipped": self.skipped,
            "mean_over_images": self.averages.per_image(),
            "mean_over_pixels": self.averages.per_pixel(),
            "counts": self.averages.counts(),
            "median_ms_per_flow": float(np.median(self.milliseconds)) if self.milliseconds else None,
        }


def run(
    predictors: Mapping[str, Predictor],
    source: Source,
    *,
    batch: int = 1,
    limit: int | None = None,
    each: Each | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Result]:
    """Measures every predictor on the first `limit` samples of `source`: {label of the predictor: Result}.

    It uses `measure_flow` with ground truth, else `measure_frames`. Consecutive pairs of one size form a batch of at
    most `batch`. The backward flow is computed only if it is needed: without ground truth, or with known visibility.
    each: called with every flow, for pictures and submissions. progress: called with (done, total).
    A damaged file raises InputError. In a source opened with on_error="skip" it is left out and listed in the results.
    Raises InputError if nothing is left to measure, or a flow is not finite.
    """
    if any(getattr(predictor, "frames", 2) > 2 for predictor in predictors.values()):
        source = source.with_neighbours()
    total = len(source) if limit is None else min(limit, len(source))
    truth = "flow12" in source.truth
    results = {label: Result(source.name, label, truth) for label in predictors}
    skipped: list[str] = []
    met: set[tuple] = set()
    done = 0
    for group in same_size(read_ahead(source, total, skipped), batch):
        images = stacked([sample for _, sample in group])
        images1 = images["image1"]
        both = not truth or any("visible1" in sample for _, sample in group)
        for label, predictor in predictors.items():
            started = time.perf_counter()
            flows12, flows21 = predict(predictor, images, both)
            milliseconds = 1000.0 * (time.perf_counter() - started) / (len(group) * (1 + both))
            if (images1.shape, both) in met:  # the first of a shape builds the graph
                results[label].milliseconds.append(milliseconds)
            for i, (name, sample) in enumerate(group):
                flow21 = None if flows21 is None else flows21[i]
                require_finite(label, f"{name} of {source.name}", flows12[i], flow21)
                results[label].averages.add(name, _measure(sample, flows12[i], flow21, truth))
                if each is not None:
                    each(label, name, sample, flows12[i])
        met.add((images1.shape, both))
        done += len(group)
        if progress is not None:
            progress(done + len(skipped), total)
    if not done:
        why = f"; the first said: {skipped[0]}" if skipped else ""
        raise InputError(f"{source.name}: none of its {total} pairs could be read{why}")
    for result in results.values():
        result.skipped = list(skipped)
    return results


def _measure(sample: Sample, flow12: np.ndarray, flow21: np.ndarray | None, truth: bool) -> Measured:
    if truth or flow21 is None:
        return measure_flow(flow12, sample, flow21)
    return measure_frames(sample["image1"], sample["image2"], flow12, flow21)
