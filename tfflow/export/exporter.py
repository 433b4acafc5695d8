"""The precision ladder: from trained weights to the bytes of a .tflite, one method a rung."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tf_keras as keras

from tfflow.data.records import Source
from tfflow.data.scenes import Scenes
from tfflow.errors import InputError
from tfflow.evaluation import benchmark
from tfflow.export import convert
from tfflow.export.finetune import FineTuning, take
from tfflow.export.graph import Interface, phone_graph
from tfflow.export.quantize import Ranges, calibrate, quantized
from tfflow.models import FlowModel
from tfflow.models.tflite import TFLiteModel, resized
from tfflow.recipes import Recipe

CALIBRATION_PAIRS = 32
CHECKS = 4
"""How often a fine-tuning is converted and measured, so that the best is kept."""
SCENES_SEED = 2_000_003
"""Of the built-in scenes that an export is measured on: none of training's, nor of its validation."""


class Exporter:
    """Makes any rung for one network and one interface; what rungs share is made once.

    calibration: pairs that ranges are measured on. recipe, train_on, strategy, steps: of the fine-tuning of int8-qat.
    say: told in a line what is being done.
    """

    def __init__(
        self,
        model: FlowModel,
        interface: Interface,
        calibration: Source,
        *,
        recipe: Recipe | None = None,
        train_on: Source | None = None,
        strategy=None,
        steps: int = 0,
        say: Callable[[str], None] = lambda text: None,
    ):
        interface.check(model.stride)
        self.model, self.interface, self.calibration = model, interface, calibration
        self.recipe, self.train_on, self.strategy, self.steps, self.say = recipe, train_on, strategy, steps, say
        self.fake_quantized: dict[str, keras.Model] = {}

    def make(self, precision: str) -> bytes:
        """The .tflite of one of PRECISIONS."""
        return PRECISIONS[precision](self)

    @functools.cached_property
    def graph(self) -> keras.Model:
        return phone_graph(self.model.network_at(self.interface.size), self.interface)

    @functools.cached_property
    def ranges(self) -> Ranges:
        self.say(f"calibrating on {self.calibration.name}")
        return calibrate(self.graph, self.pairs(as_given=False))

    def pairs(self, as_given: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Frames to calibrate with, [1, h, w, 3] at the export's size, in [0, 1], or as the interface takes them."""
        for i in range(min(CALIBRATION_PAIRS, len(self.calibration))):
            sample = self.calibration.sample(i * len(self.calibration) // min(CALIBRATION_PAIRS, len(self.calibration)))
            frames = [resized(sample[k], self.interface.size)[None] for k in ("image1", "image2")]
            if as_given and self.interface.uint8:
                frames = [np.rint(255 * x).astype(np.uint8) for x in frames]
            yield frames[0], frames[1]

    @functools.cached_property
    def fp32(self) -> bytes:
        self.say("converting")
        return convert.fp32(self.graph, self.interface)

    def fp16(self) -> bytes:
        return convert.fp16(self.graph, self.interface)

    def int8_weights(self) -> bytes:
        """Weights in eight bits, arithmetic in float: a quarter of the size, and almost the same flow."""
        return convert.weights_in_eight_bits(self.fp32)

    def int8_dynamic(self) -> bytes:
        return convert.int8_dynamic(self.graph, self.interface)

    def int8_ptq(self) -> bytes:
        """The precision map with calibrated ranges, and no training."""
        self.fake_quantized["int8-ptq"] = quantized(self.graph, self.ranges)
        return convert.int8_trained(self.fake_quantized["int8-ptq"], self.interface)

    def int8_qat(self) -> bytes:
        """The precision map, fine-tuned; of the converted networks on the way, the one of the least EPE."""
        if self.recipe is None or self.train_on is None:
            raise InputError(
                "int8-qat fine-tunes by the recipe of the weights, and these name none: choose one with --recipe"
            )
        tuning = FineTuning(
            self.model.network_at(self.interface.size), self.ranges, self.recipe, self.train_on, self.strategy
        )
        graph = quantized(self.graph, self.ranges)
        best: list = [float("inf"), b"", {}]

        def check(step: int, loss: float) -> None:
            if step and step % max(1, self.steps // CHECKS) and step != self.steps:
                return
            take(graph, tuning.weights(), self.ranges)
            contents = convert.int8_trained(graph, self.interface)
            epe = epe_on_scenes(contents, self.interface.size)
            self.say(f"int8-qat, step {step} of {self.steps}: EPE of the converted network {epe:.4f} px")
            if epe < best[0]:
                best[:] = epe, contents, tuning.weights()

        check(0, 0.0)
        tuning.run(self.steps, check)
        take(graph, best[2], self.ranges)
        self.fake_quantized["int8-qat"] = graph
        return best[1]

    def int16x8(self) -> bytes:
        return convert.int16x8(self.fp32, self.pairs(as_given=True))


PRECISIONS: dict[str, Callable[[Exporter], bytes]] = {
    "fp32": lambda e: e.fp32,
    "fp16": Exporter.fp16,
    "int8-weights": Exporter.int8_weights,
    "int8-dynamic": Exporter.int8_dynamic,
    "int8-ptq": Exporter.int8_ptq,
    "int8-qat": Exporter.int8_qat,
    "int16x8": Exporter.int16x8,
}


def epe_on_scenes(contents: bytes, size: tuple[int, int], count: int = 16) -> float:
    """EPE, px, of an exported network on built-in scenes of its own size."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(contents)
        result = benchmark.run({"": TFLiteModel(path)}, Scenes(size, seed=SCENES_SEED, count=count))[""]
    return float(result.summary()["mean_over_images"]["epe"])
