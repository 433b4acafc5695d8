"""From trained weights to the bytes of a .tflite, one method a precision.

network -> `phone_graph`: a copy of one size, of layers that phones run well
        -> `quantized` (int8-ptq, int8-qat): a copy of that, which simulates eight bits in calibrated ranges
        -> `FineTuning` (int8-qat): a third, of both directions, trained; its weights go into the second
        -> `convert`: the bytes
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tfflow.data.records import Source
from tfflow.errors import InputError
from tfflow.exporting import convert
from tfflow.exporting.graph import INPUTS, Interface, phone_graph
from tfflow.exporting.precisions import require_libraries
from tfflow.exporting.sources import CALIBRATION_PAIRS
from tfflow.exporting.validation import Reference, selection_score
from tfflow.models import FlowModel, Network
from tfflow.models.tflite import TFLiteModel
from tfflow.recipes import Recipe

if TYPE_CHECKING:
    from tfflow.exporting.quantize import Ranges  # its library is optional, and slow to import

Pair = tuple[np.ndarray, np.ndarray]  # images [1, h, w, 3] in [0, 1]

CHECKS = 4
"""How often a fine-tuning is converted and measured, so that the best is kept."""


@dataclass(frozen=True)
class Made:
    """A .tflite. For int8-ptq and int8-qat also the graph that simulates its eight bits. score: for int8-qat, px, on
    `Tuning.selection`.
    """

    contents: bytes
    simulation: keras.Model | None = None
    score: float | None = None


@dataclass(frozen=True)
class Tuning:
    """The fine-tuning of int8-qat: the last phase of `recipe` on `training`. The checkpoint with the best score on
    `selection` is kept; no report measures these pairs (`ExportData`).
    """

    recipe: Recipe
    training: Source
    selection: Source
    steps: int
    strategy: tf.distribute.Strategy
    seed: int = 0


class Exporter:
    """Makes any precision for one network and one interface. What precisions share is made once.

    calibration: pairs that ranges are measured on. tuning: for int8-qat. say: called with a line at each long task.
    """

    def __init__(
        self,
        model: FlowModel,
        interface: Interface,
        calibration: Source,
        *,
        tuning: Tuning | None = None,
        say: Callable[[str], None] = lambda text: None,
    ):
        interface.check(model.stride)
        self.model, self.interface, self.calibration = model, interface, calibration
        self.tuning, self.say = tuning, say

    def make(self, precision: str) -> Made:
        """The .tflite of one of `PRECISIONS`. Raises InputError where a library is missing that it needs."""
        require_libraries([precision])
        return MAKERS[precision](self)

    @property
    def network(self) -> Network:
        """The network that is exported, with the levels that it has for frames of this size."""
        return self.model.network_at(self.interface.size)

    @functools.cached_property
    def graph(self) -> keras.Model:
        return phone_graph(self.network, self.interface)

    @functools.cached_property
    def ranges(self) -> Ranges:
        from tfflow.exporting.quantize import calibrate

        return calibrate(self.graph, self._calibrating())

    def pairs(self) -> Iterator[Pair]:
        """The images to calibrate with: `CALIBRATION_PAIRS`, evenly spaced over the source, rounded as for the file."""
        count = min(CALIBRATION_PAIRS, len(self.calibration))
        for i in range(count):
            sample = self.calibration.sample(i * len(self.calibration) // count)
            first, second = (self.interface.as_input(sample[name])[None] for name in INPUTS)
            yield first, second

    def _calibrating(self) -> Iterator[Pair]:
        """The same, and a line that says so."""
        count = min(CALIBRATION_PAIRS, len(self.calibration))
        self.say(f"calibrating on {count} of the {len(self.calibration):,} pairs of {self.calibration.name}")
        return self.pairs()

    @functools.cached_property
    def fp32(self) -> bytes:
        self.say("converting")
        return convert.fp32(self.graph, self.interface)

    def fp16(self) -> Made:
        return Made(convert.fp16(self.graph, self.interface))

    def int8_weights(self) -> Made:
        """Weights in eight bits, arithmetic in float: a quarter of the size, and almost the same flow."""
        return Made(convert.weights_in_eight_bits(self.fp32))

    def int8_dynamic(self) -> Made:
        return Made(convert.int8_dynamic(self.graph, self.interface))

    def int8_ptq(self) -> Made:
        """The precision map with calibrated ranges, and no training."""
        from tfflow.exporting.quantize import quantized

        simulation = quantized(self.graph, self.ranges)
        return Made(convert.int8_trained(simulation, self.interface), simulation)

    def int8_qat(self) -> Made:
        """The precision map after fine-tuning. Of the networks converted on the way, the best on `Tuning.selection`."""
        from tfflow.exporting.finetune import FineTuning, assign_weights_and_ranges
        from tfflow.exporting.quantize import quantized

        if self.tuning is None:
            raise InputError(
                "int8-qat fine-tunes by the recipe of the weights, and these name none: choose one with `recipe`"
            )
        tuning, steps, selection = self.tuning, self.tuning.steps, self.tuning.selection
        training = FineTuning(
            self.network, self.ranges, tuning.recipe, tuning.training, tuning.strategy, seed=tuning.seed
        )
        simulation = quantized(self.graph, self.ranges)
        reference = Reference(self.model, self.interface)
        what = "EPE" if "flow12" in selection.truth else "distance to the float flow"
        self.say(f"fine-tuning on {tuning.training.name}; selecting on {selection.name}")
        best_score, best_contents, best_weights = float("inf"), b"", training.weights()

        def check(step: int, loss: float) -> None:
            nonlocal best_score, best_contents, best_weights
            if step and step % max(1, steps // CHECKS) and step != steps:
                return
            weights = training.weights()
            assign_weights_and_ranges(simulation, weights, self.ranges)
            contents = convert.int8_trained(simulation, self.interface)
            with opened(contents) as exported:
                score = selection_score(reference, exported, selection)
            self.say(f"int8-qat, step {step} of {steps}: {what} of the converted network {score:.4f} px")
            if score < best_score:
                best_score, best_contents, best_weights = score, contents, weights

        check(0, 0.0)
        training.run(steps, check)
        assign_weights_and_ranges(simulation, best_weights, self.ranges)
        return Made(best_contents, simulation, best_score)

    def int16x8(self) -> Made:
        pairs = ((self.interface.as_numbers(a), self.interface.as_numbers(b)) for a, b in self._calibrating())
        return Made(convert.int16x8(self.fp32, pairs))


MAKERS: dict[str, Callable[[Exporter], Made]] = {
    "fp32": lambda exporter: Made(exporter.fp32),
    "fp16": Exporter.fp16,
    "int8-weights": Exporter.int8_weights,
    "int8-dynamic": Exporter.int8_dynamic,
    "int8-ptq": Exporter.int8_ptq,
    "int8-qat": Exporter.int8_qat,
    "int16x8": Exporter.int16x8,
}


@contextlib.contextmanager
def opened(contents: bytes, threads: int = 2) -> Iterator[TFLiteModel]:
    """The bytes of a .tflite as a network that runs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(contents)
        yield TFLiteModel(path, threads)
