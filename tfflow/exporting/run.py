"""`export(model, out, settings)`: trained weights to .tflite files that keep their limits.

For each precision:

    make    network -> bytes of a .tflite                                      `exporter.Exporter`
    check   its flow beside the float network's, on frames of the report       `check.check`
    save    model.tflite with model.json, or over a limit model.rejected.tflite    `Export.save`
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfflow.data.records import Source
from tfflow.errors import InputError
from tfflow.exporting.check import Bars, check, no_bars
from tfflow.exporting.exporter import Exporter, Tuning, opened
from tfflow.exporting.graph import Interface
from tfflow.exporting.own_frames import own_frames, textures_of_run
from tfflow.exporting.precisions import CALIBRATED, chosen, require_libraries
from tfflow.exporting.report import Report, ladder, spread
from tfflow.exporting.sources import as_source, export_data, training_source
from tfflow.exporting.timing import networks_in_turn
from tfflow.exporting.validation import Reference, simulation_gap
from tfflow.files import check_writable, write_text, write_whole
from tfflow.models import FlowModel, load_float
from tfflow.recipes import Recipe, get_recipe
from tfflow.training.feed import check_truth
from tfflow.training.fitting import fitted
from tfflow.training.strategy import choose_strategy

FILE, REJECTED, MANIFEST, LADDER = "model.tflite", "model.rejected.tflite", "model.json", "ladder.md"
THREADS, TIMED = (1, 2), 20
"""With how many threads the files of several precisions are timed, and how often."""


@dataclass(frozen=True)
class Export:
    """One file: its bytes, its manifest, and the report that says whether it keeps its limits.

    seed, score: of int8-qat: of the fine-tuning, and what its checkpoint was selected by (`selection_score`), px.
    """

    contents: bytes = field(repr=False)
    manifest: Mapping[str, Any] = field(repr=False)
    report: Report
    seed: int = 0
    score: float = 0.0

    @property
    def precision(self) -> str:
        return self.report.precision

    @property
    def accepted(self) -> bool:
        return not self.report.failures

    def save(self, folder: str | os.PathLike) -> Path:
        """Writes report.json, report.png and the file; returns its path.

        Over a limit the file does not get the name that apps look for, and no manifest.
        """
        from tfflow.exporting.manifest import write_manifest

        folder = Path(folder)
        self.report.save(folder)
        for old in (MANIFEST, FILE, REJECTED):
            (folder / old).unlink(missing_ok=True)
        path = folder / (FILE if self.accepted else REJECTED)
        with write_whole(path) as part:
            part.write_bytes(self.contents)
        if self.accepted:
            write_manifest(folder / MANIFEST, dict(self.manifest))
        return path


@dataclass(frozen=True)
class ExportResult:
    """What `export` made, a file for each precision. milliseconds: {precision: {threads: ms}} of several.

    seeds: the fine-tunings of int8-qat, where there were several; the file is the one with the best score.
    """

    exports: tuple[Export, ...]
    milliseconds: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    seeds: tuple[Export, ...] = ()

    @property
    def reports(self) -> tuple[Report, ...]:
        return tuple(export.report for export in self.exports)

    @property
    def accepted(self) -> bool:
        """Whether all files keep their limits."""
        return all(export.accepted for export in self.exports)

    def table(self) -> str:
        """Markdown: a row for each precision; below, of several seeds, a row for each, their mean and deviation."""
        rungs = ladder(self.reports, self.milliseconds)
        return f"{rungs}\n{spread([(e.seed, e.score, e.report) for e in self.seeds])}" if self.seeds else rungs

    def save(self, out: str | os.PathLike) -> None:
        """Writes one export into `out`; several into a folder each, and beside them ladder.md, the table."""
        for export in self.exports:
            export.save(_folder(Path(out), export.precision, len(self.exports)))
        self._save_ladder(Path(out))

    def _save_ladder(self, out: Path) -> None:
        if len(self.exports) > 1 or self.seeds:
            write_text(out / LADDER, self.table())


@dataclass(frozen=True)
class ExportSettings:
    """How a network is exported; the fields are the parameters of `tfflow.export`, which says what they mean.

    data, calibration, train: sources, or "KIND:PATH".
    """

    size: tuple[int, int]
    precision: str | Sequence[str] = "fp32"
    both: bool = False
    quarter: bool = False
    uint8: bool = False
    data: Sequence[str | Source] = ()
    limit: int = 32
    calibration: str | Source | None = None
    train: str | Source | None = None
    recipe: str | os.PathLike | Recipe | None = None
    steps: int = 400
    seeds: int = 1
    devices: str = "auto"
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name in ("limit", "steps", "seeds"):
            if getattr(self, name) < 1:
                raise InputError(f"`{name}` must be at least 1, got {getattr(self, name)}")


def export(
    model: FlowModel | str | os.PathLike,
    out: str | os.PathLike | None,
    settings: ExportSettings,
    say: Callable[[str], None] = lambda text: None,
    bars: Bars = no_bars,
) -> ExportResult:
    """Exports a network in each precision of the settings, and compares each file with the float network.

    Where calibration, train and recipe are not set, the frames and the recipe are those of the run, see `own_frames`.
    No frame is for two uses. say, bars: for lines and progress on the way. Raises InputError as `tfflow.export`.
    """
    precisions, size, limit = chosen(settings.precision), settings.size, settings.limit
    require_libraries(precisions)
    weights = model
    model = model if isinstance(model, FlowModel) else load_float(model)
    interface = Interface(size, settings.both, settings.quarter, settings.uint8)
    interface.check(model.stride)
    learns = _recipe(settings.recipe, model) if "int8-qat" in precisions else None
    calibrates = settings.calibration is None and not set(precisions).isdisjoint(CALIBRATED)
    own = own_frames(weights, calibrates or (settings.train is None and bool(learns)), say)
    training = None if settings.train is None else as_source(settings.train)
    if learns and training is None:
        training = training_source(learns.crop, own, learns.needs_truth, textures_of_run(weights))
    used = export_data(size, limit, own, calibration=settings.calibration, training=training, data=settings.data)
    tuning = None
    if learns:
        check_truth(learns, used.training)
        learns = _fitted(learns, used.training, model)
        tuning = Tuning(learns, used.training, used.selection, settings.steps, choose_strategy(settings.devices))
    folders = [_folder(Path(out), p, len(precisions)) for p in precisions] if out is not None else []
    for folder in folders:
        _check_folder(folder, settings.overwrite)

    exporter = Exporter(model, interface, used.calibration, tuning=tuning, say=say)
    exports: list[Export] = []
    of_seeds: tuple[Export, ...] = ()
    for i, name in enumerate(precisions):
        say(f"{name}: {model.name} at {size[0]}x{size[1]}")
        seeds = range(settings.seeds if name == "int8-qat" else 1)
        made = tuple(_export(exporter, name, used.report, limit, bars, seed) for seed in seeds)
        of_seeds = made if len(made) > 1 else of_seeds
        exports.append(min(made, key=lambda export: export.score))
        if folders:
            exports[i].save(folders[i])
    result = ExportResult(tuple(exports), _timed(exports) if len(exports) > 1 else {}, of_seeds)
    if out is not None:
        result._save_ladder(Path(out))
    return result


def _export(
    exporter: Exporter, precision: str, sources: Sequence[Source], limit: int, bars: Bars, seed: int = 0
) -> Export:
    """One precision: made and checked. seed: of the fine-tuning of int8-qat."""
    from tfflow.exporting.manifest import manifest

    model, interface = exporter.model, exporter.interface
    if exporter.tuning:
        exporter.tuning = dataclasses.replace(exporter.tuning, seed=seed)
    made = exporter.make(precision)
    size, of_floats = len(made.contents), len(exporter.fp32)
    saved = (of_floats - size) / exporter.graph.count_params()
    others = {"size_to_fp32": size / of_floats, "bytes_a_weight": 4 - saved}
    with opened(made.contents) as exported:
        if made.simulation is not None:
            others["fake_quantized_mean_px"] = simulation_gap(exported, made.simulation, interface, sources[0])
        reference = Reference(model, interface)
        report = check(exported, reference, interface, precision, sources, limit=limit, others=others, bars=bars)
        numbers = {name: float(x) for name, x in report.values.items() if math.isfinite(x)}
        described = manifest(model, interface, precision, FILE, made.contents, exported.order, numbers)
    return Export(made.contents, described, report, seed, made.score or 0.0)


def _recipe(recipe: str | os.PathLike | Recipe | None, model: FlowModel) -> Recipe:
    """What int8-qat fine-tunes by."""
    recipe = recipe or model.metadata.get("recipe")
    if not recipe:
        raise InputError("int8-qat fine-tunes by the recipe of the weights, and these name none: choose with `recipe`")
    found = get_recipe(recipe)
    return dataclasses.replace(found, labels=None)  # what it learned from is exact flow, which scenes have


def _fitted(recipe: Recipe, source: Source, model: FlowModel) -> Recipe:
    """The recipe with a crop that fits into the frames, and terms at levels that the network has."""
    (height, width), stride = recipe.crop, model.stride
    for part in getattr(source, "sources", [source]):
        frame = part.sample(0)["image1"].shape
        height, width = min(height, frame[0]), min(width, frame[1])
    crop = max(stride, height // stride * stride), max(stride, width // stride * stride)
    return fitted(dataclasses.replace(recipe, crop=crop), model)[0]


def _timed(exports: Sequence[Export]) -> dict[str, dict[int, float]]:
    """Milliseconds of each file, in turn with the others, when all else is done."""
    times: dict[str, dict[int, float]] = {export.precision: {} for export in exports}
    for threads in THREADS:
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(opened(export.contents, threads)) for export in exports]
            for export, (median, _) in zip(exports, networks_in_turn(files, TIMED), strict=True):
                times[export.precision][threads] = median
    return times


def _folder(out: Path, precision: str, of: int) -> Path:
    return out / precision if of > 1 else out


def _check_folder(folder: Path, overwrite: bool) -> None:
    if (folder / MANIFEST).exists() and not overwrite:
        raise InputError(f"{folder} holds an export already: choose another `out`, or add `overwrite=True`")
    check_writable(folder)  # refused now, not after minutes of work
