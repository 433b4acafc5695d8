"""An exported network held against the float network that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tf_keras as keras

from tfflow.data.records import Sample, Source
from tfflow.evaluation import scoring
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.pictures import contact_sheet, flow_to_colour, robust_scale, with_legend
from tfflow.exporting.compiled import compiled_outputs
from tfflow.exporting.facts import Facts, violations
from tfflow.exporting.graph import INPUTS, SIGNATURE, Interface
from tfflow.exporting.limits import beyond_limits
from tfflow.exporting.precisions import SIMULATED
from tfflow.models import FlowModel
from tfflow.models.tflite import TFLiteModel, flow_resized

FLOAT, EXPORTED = "float", "exported"

SIMULATED_PAIRS = 4
"""On how many pairs a file is held against the graph that simulates it."""


class Reference:
    """The float network on the numbers that the exported file gets (`Interface.as_input`); flow is resized back."""

    def __init__(self, model: FlowModel, interface: Interface):
        self.name, self._model, self._interface = model.name, model, interface

    def batch(self, images1: np.ndarray, images2: np.ndarray) -> np.ndarray:
        frames = [np.stack([self._interface.as_input(x) for x in images]) for images in (images1, images2)]
        flows = self._model.batch(*frames)
        return np.stack([flow_resized(flow, self._interface.size, images1.shape[1:3]) for flow in flows])

    def both(self, images1: np.ndarray, images2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.batch(images1, images2), self.batch(images2, images1)


@dataclass
class Comparison:
    """Float against exported, on one source.

    epe: {"float" or "exported": {metric: mean over pairs}}; empty without ground truth.
    drift: length of the difference of both flows, px: mean, p95, p99 over pixels, and the largest.
    """

    source: str
    pairs: int
    epe: dict[str, dict[str, float]]
    drift: dict[str, float]
    examples: list[tuple[Sample, np.ndarray, np.ndarray]] = field(repr=False, default_factory=list)

    @property
    def epe_change(self) -> float:
        """Relative: 0.02 = the exported network errs by 2 % more. NaN without ground truth."""
        if "epe" not in self.epe.get(FLOAT, {}):
            return float("nan")
        return self.epe[EXPORTED]["epe"] / self.epe[FLOAT]["epe"] - 1.0

    @property
    def epe_rise(self) -> float:
        """By how many px the exported network errs more. NaN without ground truth."""
        if "epe" not in self.epe.get(FLOAT, {}):
            return float("nan")
        return self.epe[EXPORTED]["epe"] - self.epe[FLOAT]["epe"]


def compare(
    reference: Reference,
    exported: TFLiteModel,
    source: Source,
    *,
    limit: int | None = None,
    keep: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Runs both on the first `limit` pairs of a source; keeps the first `keep` with their flows for a picture."""
    flows: dict[str, np.ndarray] = {}
    lengths: list[np.ndarray] = []
    examples: list[tuple[Sample, np.ndarray, np.ndarray]] = []

    def each(label: str, name: str, sample: Sample, flow12: np.ndarray) -> None:
        flows[label] = flow12
        if label == EXPORTED:
            difference = np.linalg.norm(flow12 - flows[FLOAT], axis=-1)
            lengths.append(difference.ravel())
            if len(examples) < keep:
                examples.append((sample, flows[FLOAT], flow12))

    predictors: dict[str, Predictor] = {FLOAT: reference, EXPORTED: exported}
    results = scoring.run(predictors, source, limit=limit, each=each, progress=progress)
    drift = np.concatenate(lengths)
    p95, p99 = np.percentile(drift, [95, 99])
    summaries = {label: result.summary() for label, result in results.items()}
    epe = {label: {k: float(v) for k, v in s["mean_over_images"].items()} for label, s in summaries.items()}
    return Comparison(
        source.name,
        summaries[FLOAT]["images"],
        epe if "flow12" in source.truth else {},
        {"mean": float(drift.mean()), "p95": float(p95), "p99": float(p99), "largest": float(drift.max())},
        examples,
    )


def selection_score(reference: Reference, exported: TFLiteModel, source: Source) -> float:
    """The score that selects a checkpoint of a fine-tuning, px; lower is better.

    It is the EPE where the source has ground truth, else the mean distance to the float network's flow.
    """
    if "flow12" not in source.truth:
        return compare(reference, exported, source).drift["mean"]
    result = scoring.run({EXPORTED: exported}, source)[EXPORTED]
    return float(result.summary()["mean_over_images"]["epe"])


def runtimes_gap(exported: TFLiteModel, interface: Interface, sample: Sample) -> float:
    """The largest difference, px, between the flow of LiteRT's Interpreter and of its CompiledModel, on one pair.

    It is infinite where CompiledModel fails, or an output is not finite or has another name.
    """
    frames = {name: interface.as_input(sample[name]) for name in INPUTS}
    expected = exported.raw(*frames.values())
    numbers = {name: interface.as_numbers(frame)[None] for name, frame in frames.items()}
    flows = compiled_outputs(exported.path, SIGNATURE, numbers)
    if flows is None or flows.keys() != expected.keys():
        return float("inf")
    gaps = [np.abs(flows[name][0] - flow).max() for name, flow in expected.items()]
    return float(np.nan_to_num(np.max(gaps), nan=np.inf))


def simulation_gap(exported: TFLiteModel, simulation: keras.Model, interface: Interface, source: Source) -> float:
    """Mean distance, px, between the flow of the graph that simulates eight bits and of the file that has them, over
    the first `SIMULATED_PAIRS` of a source."""
    gaps = []
    for place in range(min(SIMULATED_PAIRS, len(source))):
        sample = source.sample(place)
        first, second = (interface.as_input(sample[name]) for name in INPUTS)
        flows = simulation([first[None], second[None]], training=False)
        expected = (flows[0] if isinstance(flows, list) else flows).numpy()[0]
        gaps.append(np.linalg.norm(exported.raw(first, second)["flow12"] - expected, axis=-1).mean())
    return float(np.mean(gaps))


def measured(comparison: Comparison, found: Facts, others: dict[str, float]) -> dict[str, float]:
    """The numbers that LIMITS knows, of the built-in scenes. others: numbers that these two do not give."""
    return {
        "largest_px": comparison.drift["largest"],
        "drift_mean_px": comparison.drift["mean"],
        "epe_change": comparison.epe_change,
        "epe_rise_px": comparison.epe_rise,
        "int8_share": found.int8_share,
        **others,
    }


def failures(precision: str, values: dict[str, float], found: Facts) -> list[str]:
    """What keeps an export from being accepted, a line each: operators, and numbers beyond their limits."""
    return violations(found, eight_bits=precision in SIMULATED) + beyond_limits(precision, values)


def picture(comparisons: Sequence[Comparison]) -> np.ndarray:
    """Frames, float flow, exported flow, and their difference five times as bright, a row each: uint8 RGB."""
    rows = []
    for comparison in comparisons:
        for sample, float_flow, exported_flow in comparison.examples:
            scale = robust_scale([float_flow])
            rows.append(
                [
                    (f"{comparison.source}", sample["image1"]),
                    ("second frame", sample["image2"]),
                    (f"float, full colour = {scale:.2g} px", flow_to_colour(float_flow, scale)),
                    ("exported", with_legend(flow_to_colour(exported_flow, scale), scale)),
                    (
                        f"difference, full colour = {scale / 5:.2g} px",
                        flow_to_colour(exported_flow - float_flow, scale / 5),
                    ),
                ]
            )
    return contact_sheet(rows)


def as_dict(comparison: Comparison) -> dict[str, Any]:
    """For JSON."""
    change = comparison.epe_change
    return {
        "source": comparison.source,
        "pairs": comparison.pairs,
        "mean_over_images": comparison.epe,
        "epe_change": None if np.isnan(change) else change,
        "drift_px": comparison.drift,
    }
