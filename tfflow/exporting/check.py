"""One .tflite held against the float network and its limits: after an export, or later from its folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tfflow.data.records import Source
from tfflow.errors import InputError
from tfflow.exporting.facts import facts
from tfflow.exporting.graph import Interface
from tfflow.exporting.own_frames import own_frames
from tfflow.exporting.precisions import require_libraries
from tfflow.exporting.report import Report
from tfflow.exporting.sources import report_sources
from tfflow.exporting.validation import Comparison, Reference, compare, measured, runtimes_gap
from tfflow.models import FlowModel, load_float
from tfflow.models.tflite import TFLiteModel

Bars = Callable[[str], contextlib.AbstractContextManager[Callable[[int, int], None] | None]]
"""Called with the name of a source: a context that gives progress(done, total)."""

KEPT = 2
"""Pairs of each source in the picture of a report."""


def no_bars(title: str) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


def check(
    exported: TFLiteModel,
    reference: Reference,
    interface: Interface,
    precision: str,
    sources: Sequence[Source],
    *,
    limit: int,
    others: dict[str, float],
    bars: Bars = no_bars,
) -> Report:
    """The report on one file, on the first `limit` pairs of each source. The first source has the limits.

    others: numbers with limits that the file alone does not give (`validation.measured`).
    """
    found = facts(exported.path.read_bytes())
    comparisons: list[Comparison] = []
    for source in sources:
        with bars(source.name) as progress:
            comparisons.append(compare(reference, exported, source, limit=limit, keep=KEPT, progress=progress))
    others = {"runtimes_px": runtimes_gap(exported, interface, sources[0].sample(0)), **others}
    return Report(precision, found, comparisons, measured(comparisons[0], found, others))


def validate(
    folder: str | os.PathLike,
    weights: str | os.PathLike | FlowModel,
    *,
    data: Sequence[str | Source] = (),
    limit: int = 32,
    say: Callable[[str], None] = lambda text: None,
    bars: Bars = no_bars,
) -> Report:
    """The report on the export in `folder`: compared with its float weights, on the built-in scenes and on `data`.

    Where `weights` is the folder of a run on frames or a video, some of these are reported on, too.
    Raises InputError where the folder holds no export, or one of another network.
    """
    require_libraries([])
    from tfflow.exporting.manifest import read_manifest

    folder = Path(folder)
    described = read_manifest(folder / "model.json")
    model = weights if isinstance(weights, FlowModel) else load_float(weights)
    if model.name != described["network"]:
        given = model.name if isinstance(weights, FlowModel) else weights
        raise InputError(f"{folder} holds a {described['network']}, and {given} are weights of {model.name}")
    exported = TFLiteModel(folder / described["file"])
    interface = Interface.of_manifest(described)
    own = own_frames(weights, needed=False, say=say)
    sources = report_sources(interface.size, limit, own, data)
    reference = Reference(model, interface)
    return check(exported, reference, interface, described["precision"], sources, limit=limit, others={}, bars=bars)
