"""`tfflow.export`: trained weights to .tflite files that keep their limits (`tfflow.exporting.run`)."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfflow.data.records import Source
from tfflow.data.sources import open_sources
from tfflow.evaluation.report import progress_bar
from tfflow.exporting.check import validate as check_export
from tfflow.exporting.precisions import chosen, require_libraries
from tfflow.exporting.report import Report
from tfflow.exporting.run import ExportResult, ExportSettings
from tfflow.exporting.run import export as make_export
from tfflow.models import FlowModel
from tfflow.recipes import Recipe
from tfflow.terminal import wide_console


def export(
    model: FlowModel | str | os.PathLike,
    out: str | os.PathLike | None = None,
    *,
    size: tuple[int, int],
    precision: str | Sequence[str] = "fp32",
    both: bool = False,
    quarter: bool = False,
    uint8: bool = False,
    data: Any = None,
    limit: int = 32,
    calibration: str | os.PathLike | Source | None = None,
    train: str | os.PathLike | Source | None = None,
    recipe: str | os.PathLike | Recipe | None = None,
    steps: int = 400,
    seeds: int = 1,
    devices: str = "auto",
    overwrite: bool = False,
    progress: bool = False,
) -> ExportResult:
    """Exports a network for phones and compares each file with the float network.

        result = tfflow.export("pwcnet_mobile", "out", size=(256, 448), precision="int8-ptq")
        print(result.table())

    model: a network, or weights as `tfflow.load` takes them, but not an exported file.
    out: the folder; each file is written as soon as it is made. None: `result.save(folder)` writes later.
    size: (height, width) of the images in px, multiples of the network's stride.
    precision: of `tfflow.exporting.precisions.PRECISIONS`; several as a list or with commas; or "all".
    both: compute flow 2->1, too. quarter: give the flow of every fourth pixel. uint8: take images of 0 to 255, as a
        camera gives them.
    data: what to report on beside the built-in scenes. limit: pairs of each source.
    calibration: frames that the ranges of int8 are measured on. train, recipe, steps, seeds, devices: of int8-qat.
        Default: where `model` is the folder of a run on frames or a video, these frames and its recipe; else the
        built-in scenes and the recipe of the weights.
    seeds: how many fine-tunings; the best of them, on frames that no report measures, is the file. `result.table()` has
        a row for each, their mean and their deviation.
    overwrite: replace an export that is in `out`. progress: print what goes on.
    Raises InputError where an argument, the data or a library is missing or does not fit.
    """
    require_libraries(chosen(precision))
    console = wide_console(quiet=not progress)
    settings = ExportSettings(
        size=size,
        precision=precision,
        both=both,
        quarter=quarter,
        uint8=uint8,
        data=_given(data),
        limit=limit,
        calibration=_one(calibration),
        train=_one(train),
        recipe=recipe,
        steps=steps,
        seeds=seeds,
        devices=devices,
        overwrite=overwrite,
    )
    return make_export(model, out, settings, console.print, functools.partial(progress_bar, console))


def validate(
    folder: str | os.PathLike,
    weights: str | os.PathLike,
    *,
    data: Any = None,
    limit: int = 32,
    progress: bool = False,
) -> Report:
    """Compares an exported network with the float weights that it was made from, on the built-in scenes and `data`.

    folder: the `out` of an export. weights: as of `tfflow.load`. data, limit, progress: as of `tfflow.export`.
    Returns the report. Its `failures` name the limits that are exceeded; it is empty where there are none.
    Raises InputError where the folder holds no export, or one of other weights.
    """
    require_libraries([])
    console = wide_console(quiet=not progress)
    return check_export(
        Path(folder),
        weights,
        data=_given(data),
        limit=limit,
        say=console.print,
        bars=functools.partial(progress_bar, console),
    )


def _given(data: Any) -> list[str | Source]:
    items = list(data) if isinstance(data, list | tuple) else [] if data is None else [data]
    return [found for one in items if (found := _one(one)) is not None]


def _one(data: Any) -> str | Source | None:
    """What `tfflow.exporting` takes: text, which says what a run learned from, or a source."""
    if data is None or isinstance(data, str | os.PathLike):
        return None if data is None else os.fspath(data)
    return open_sources(data)[0]
