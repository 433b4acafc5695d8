"""Which pairs an export uses for what: to calibrate, to fine-tune, to select a checkpoint, and to report."""

from __future__ import annotations

from dataclasses import dataclass

from tfflow.data.records import Source
from tfflow.data.scenes import Scenes

CALIBRATION_PAIRS = 32
"""How many pairs the ranges of int8 are measured on."""
SELECTION_PAIRS = 16
"""How many pairs each checkpoint of a fine-tuning is measured on."""

REPORT_SEED = 2_000_003
CALIBRATION_SEED, TRAINING_SEED, SELECTION_SEED = (REPORT_SEED + i for i in (1, 2, 3))
"""Of the built-in scenes, one seed for each use: none of training's own, nor of its validation."""


@dataclass(frozen=True)
class ExportData:
    """The sources of one export.

    calibration: ranges of int8 are measured on it. training: int8-qat is fine-tuned on it. selection: the checkpoint
    of int8-qat is the one that does best on it. report: what the export is reported on; the first has the limits.
    Raises ValueError where a source of the report is the one that the checkpoint is selected on: such a score would
    be the best of several and not what the export reaches on other frames.
    """

    calibration: Source
    training: Source
    selection: Source
    report: tuple[Source, ...]

    def __post_init__(self) -> None:
        for source in self.report:
            if source.name == self.selection.name:
                raise ValueError(f"a checkpoint is not selected on what the report measures: {source.name}")


def scenes_to_report(size: tuple[int, int], count: int) -> Scenes:
    """The scenes that an export of a size is held against its limits on."""
    return Scenes(size, seed=REPORT_SEED, count=count)


def scenes_to_select(size: tuple[int, int]) -> Scenes:
    """The scenes that a checkpoint is selected on."""
    return Scenes(size, seed=SELECTION_SEED, count=SELECTION_PAIRS)


def scenes_to_calibrate(size: tuple[int, int]) -> Scenes:
    """The scenes that ranges are measured on."""
    return Scenes(size, seed=CALIBRATION_SEED, count=CALIBRATION_PAIRS)


def scenes_to_train(crop: tuple[int, int]) -> Scenes:
    """The scenes that an export is fine-tuned on."""
    return Scenes(crop, seed=TRAINING_SEED)
