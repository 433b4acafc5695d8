"""Which pairs an export uses for what: to calibrate, to fine-tune, to select a checkpoint, and to report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tfflow.data.pipeline import EvenSubset
from tfflow.data.records import Source
from tfflow.data.scenes import Scenes
from tfflow.data.sources import open_source
from tfflow.exporting.own_frames import OwnFrames

CALIBRATION_PAIRS = 32
"""How many pairs the ranges of int8 are measured on."""
SELECTION_PAIRS = 16
"""How many pairs each checkpoint of a fine-tuning is measured on."""

REPORT_SEED = 2_000_003
CALIBRATION_SEED, TRAINING_SEED, SELECTION_SEED = (REPORT_SEED + i for i in (1, 2, 3))
"""Of the built-in scenes, one seed for each use: none of training's own, nor of its validation."""


@dataclass(frozen=True)
class ExportData:
    """The sources of one export, by their use.

    calibration: for the ranges of int8. training: for the fine-tuning of int8-qat. selection: the best checkpoint of
    int8-qat is chosen on it. report: measured for the report; the first has the limits.
    Raises ValueError where the report measures a source that the checkpoint was selected on: the score would be the
    best of several, and better than on other frames.
    """

    calibration: Source
    training: Source
    selection: Source
    report: tuple[Source, ...]

    def __post_init__(self) -> None:
        for source in self.report:
            if source.name == self.selection.name:
                raise ValueError(f"a checkpoint is not selected on what the report measures: {source.name}")


def export_data(
    size: tuple[int, int],
    limit: int,
    own: OwnFrames | None = None,
    *,
    calibration: str | Source | None = None,
    training: Source | None = None,
    data: Sequence[str | Source] = (),
) -> ExportData:
    """What an export of `size` uses: what is given, else frames of its own (`own_frames`), else the built-in scenes."""
    calibrating = own.learn if own else scenes_to_calibrate(size)
    if calibration is not None:
        calibrating = as_source(calibration)
    return ExportData(
        calibration=calibrating,
        training=scenes_to_train(size) if training is None else training,
        selection=_some(own.select, SELECTION_PAIRS) if own and own.select else scenes_to_select(size),
        report=report_sources(size, limit, own, data),
    )


def report_sources(
    size: tuple[int, int], limit: int, own: OwnFrames | None = None, data: Sequence[str | Source] = ()
) -> tuple[Source, ...]:
    """What an export is measured on: scenes, which have the limits; frames of its own; and other data."""
    others = [as_source(given) for given in data if not (own and given in own.specs)]  # those are reported on already
    return (scenes_to_report(size, limit), *([_some(own.report, limit)] if own else []), *others)


def training_source(crop: tuple[int, int], own: OwnFrames | None, exact: bool, textures: Path | None) -> Source:
    """What int8-qat learns from: frames of its own, else scenes, which are textured with those in `textures`.

    exact: whether it learns from ground truth; its own frames serve only where they have it.
    """
    if own and (not exact or "flow12" in own.learn.truth):
        return own.learn
    return scenes_to_train(crop, textures)


def as_source(given: str | Source) -> Source:
    """A source as it is, or the one that "KIND:PATH" names."""
    return open_source(given) if isinstance(given, str) else given


def _some(source: Source, count: int) -> Source:
    """At most `count` samples, evenly spread."""
    return EvenSubset(source, min(count, len(source)))


def scenes_to_report(size: tuple[int, int], count: int) -> Scenes:
    """The scenes that an export of a size is held against its limits on."""
    return Scenes(size, seed=REPORT_SEED, count=count)


def scenes_to_select(size: tuple[int, int]) -> Scenes:
    """The scenes that a checkpoint is selected on."""
    return Scenes(size, seed=SELECTION_SEED, count=SELECTION_PAIRS)


def scenes_to_calibrate(size: tuple[int, int]) -> Scenes:
    """The scenes that ranges are measured on."""
    return Scenes(size, seed=CALIBRATION_SEED, count=CALIBRATION_PAIRS)


def scenes_to_train(crop: tuple[int, int], textures: Path | None = None) -> Scenes:
    """The scenes that an export is fine-tuned on."""
    return Scenes(crop, seed=TRAINING_SEED, textures=textures)
