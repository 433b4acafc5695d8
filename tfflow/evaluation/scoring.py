"""Scores of several predictors on one source."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from tfflow.data.records import Sample, Source
from tfflow.errors import InputError
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.metrics import Averages, Measured, measure_flow, measure_frames
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


def stacked(samples: Sequence[Sample]) -> dict[str, np.ndarray]:
    """image1, image2, and image0 and image3 if the samples have them, each stacked to [b, h, w, 3]."""
    names = [name for name in ("image1", "image2", "image0", "image3") if name in samples[0]]
    return {name: np.stack([sample[name] for sample in samples]) for name in names}


def predict(predictor: Predictor, images: Mapping[str, np.ndarray], both: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """flow12 [b, h, w, 2], and flow21 if `both`, else None. InputError if memory runs out.

    images: from `stacked`. Only networks of three frames get image0 and image3.
    """
    pair = [images["image1"], images["image2"]]
    seen = [images[name] for name in ("image0", "image3") if name in images and getattr(predictor, "frames", 2) > 2]
    try:
        if not both:
            return np.asarray(predictor.batch(*pair, *seen[:1])), None
        flows12, flows21 = predictor.both(*pair, *seen)
        return np.asarray(flows12), np.asarray(flows21)
    except tf.errors.ResourceExhaustedError:
        b, h, w, _ = pair[0].shape
        advice = "use a smaller `batch`" if b > 1 else "make the frames smaller"
        raise InputError(f"not enough memory for {b} pair(s) of {w} x {h} at a time: {advice}") from None


def require_finite(label: str, image: str, *flows: np.ndarray | None) -> None:
    """Raises InputError with the predictor and the image if a flow is not finite."""
    if not all(flow is None or np.isfinite(flow).all() for flow in flows):
        raise InputError(
            f"{label} gave a flow that is not finite on {image}; "
            "the weights are damaged or their training diverged: use an earlier checkpoint"
        )


def _measure(sample: Sample, flow12: np.ndarray, flow21: np.ndarray | None, truth: bool) -> Measured:
    if truth or flow21 is None:
        return measure_flow(flow12, sample, flow21)
    return measure_frames(sample["image1"], sample["image2"], flow12, flow21)
