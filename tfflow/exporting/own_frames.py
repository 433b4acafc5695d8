"""The frames of a training run, shared out so that an export learns, selects and reports on different ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfflow.data.pipeline import Mixed
from tfflow.data.records import Sample, Source
from tfflow.data.sources import KINDS, PLAIN, SCENES, open_source
from tfflow.data.textured import TEXTURES
from tfflow.errors import InputError
from tfflow.limits import parse_json

RUN = "run.json"
"""In the folder of a run of `tfflow.train`: its settings, the data among them."""

PERIOD = 16
LEARN, SELECT, REPORT = tuple(range(1, 12)), (13,), (15,)
"""Of each PERIOD consecutive pairs those for each use. Neighbouring pairs have a frame in common, so that the pairs
between two uses are left out."""


def frames_of_run(weights: str | os.PathLike) -> list[str]:
    """What the run whose folder `weights` is learned from, of frames without ground truth: "video:holiday.mp4".

    Empty where `weights` is no such folder, or where the run learned from other data alone.
    """
    try:
        data = parse_json((Path(weights) / RUN).read_bytes())["data"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    specs = data.split(" + ") if isinstance(data, str) else []
    return [spec for spec in specs if _kind(spec) in (*PLAIN, None)]


def textures_of_run(weights: object) -> Path | None:
    """The folder of frames that textured the scenes of the run that `weights` names; None where there is none."""
    folder = Path(weights) / TEXTURES if isinstance(weights, str | os.PathLike) else None
    return folder if folder and folder.is_dir() else None


def _kind(spec: str) -> str | None:
    """The kind that a spec names; None of a bare folder or video."""
    kind, colon, _ = spec.partition(":")
    return kind if kind == SCENES or (colon and kind in KINDS) else None


@dataclass(frozen=True)
class OwnFrames:
    """The frames that a run learned from, as a source for each use.

    With too few pairs, `select` is None, and `report` and `learn` share theirs.
    """

    specs: tuple[str, ...]
    learn: Source
    select: Source | None
    report: Source


def open_own(specs: Sequence[str]) -> OwnFrames:
    """The frames of a run, shared out: of each `PERIOD` consecutive pairs some are for each use, and share no frame.

    Raises InputError where one cannot be opened.
    """
    sources = [open_source(spec) for spec in specs]
    long = [source for source in sources if len(source) >= PERIOD]
    if not long:
        whole = _joined(sources)
        return OwnFrames(tuple(specs), whole, None, whole)
    learn = [Share(source, LEARN, "to learn from") if source in long else source for source in sources]
    select = [Share(source, SELECT, "to select by") for source in long]
    report = [Share(source, REPORT, "to report") for source in long]
    return OwnFrames(tuple(specs), _joined(learn), _joined(select), _joined(report))


def _joined(sources: Sequence[Source]) -> Source:
    return sources[0] if len(sources) == 1 else Mixed(sources)


class Share(Source):
    """The pairs of a source whose number, modulo PERIOD, is among `places`. what: what for, part of its name."""

    def __init__(self, source: Source, places: Sequence[int], what: str):
        self.source, self.places, self.what = source, tuple(places), what
        self.name, self.truth, self.sequences = f"{source.name} ({what})", source.truth, source.sequences
        self.indices = [i for i in range(len(source)) if i % PERIOD in self.places]

    def __len__(self) -> int:
        return len(self.indices)

    def record_name(self, index: int) -> str:
        return self.source.record_name(self.indices[index])

    def sample(self, index: int) -> Sample:
        return self.source.sample(self.indices[index])

    def with_neighbours(self) -> Share:
        return Share(self.source.with_neighbours(), self.places, self.what)


def own_frames(weights: object, needed: bool, say: Callable[[str], None]) -> OwnFrames | None:
    """The frames of the run that `weights` names, or None where it names none.

    needed: whether the export learns from them. Missing frames then raise InputError; otherwise a line says so.
    """
    specs = frames_of_run(weights) if isinstance(weights, str | os.PathLike) else []
    if not specs:
        return None
    try:
        own = open_own(specs)
    except InputError as error:
        if needed:
            raise InputError(
                f"the run {str(weights)!r} learned from {specs[0]}, which cannot be read: name frames to learn from "
                f"with `calibration` and `train`, such as scenes ({_short(str(error))})"
            ) from None
        say(f"not reported on the frames of the run, which cannot be read: {error}")
        return None
    if own.select is None:
        say(f"{own.report.name} has {len(own.report)} pairs, too few to keep some back: the report is on them, too")
    return own


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:97]}..."
