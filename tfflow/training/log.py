"""The log of a run: history.jsonl with the loss curve, and TensorBoard scalars and pictures."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfflow.errors import InputError
from tfflow.files import write_text
from tfflow.limits import parse_json
from tfflow.training.settings import present_column

HISTORY = "history.jsonl"


class History:
    """The loss curve as JSON lines {"step", "phase", "rate", terms..., "epe"}: means over the steps of each row.

    folder: None if another machine writes. step: lines of later steps are dropped, because the resumed run repeats
    those steps. pending: the unfinished row, [sum, count] of each value; the state of the run keeps it, so that no row
    misses a step. Columns of terms that were renamed get the present names, in both.
    """

    def __init__(self, folder: Path | None, step: int, pending: dict[str, list[float]]):
        self.path = folder / HISTORY if folder else None
        self.pending = pending
        for key in list(pending):
            pending[present_column(key)] = pending.pop(key)
        if folder:
            rows = [row for row in read_history(folder) if row["step"] <= step]
            write_text(folder / HISTORY, "".join(json.dumps(row) + "\n" for row in rows))

    def add(self, values: dict[str, float]) -> None:
        """Adds the values of one step. Values that are not finite (steps that loss scaling skips) do not count."""
        for key, value in values.items():
            if math.isfinite(value):
                total, count = self.pending.get(key, (0.0, 0))
                self.pending[key] = [total + value, count + 1]

    def close_row(self, step: int, phase: str, rate: float) -> dict:
        """Writes the means since the last row."""
        means = {key: total / count for key, (total, count) in self.pending.items()}
        self.pending.clear()
        row = {"step": step, "phase": phase, "rate": rate, **means}
        if self.path:
            with self.path.open("a", encoding="utf-8") as f:
                f.write(json.dumps(row) + "\n")
        return row


def read_history(folder: Path) -> list[dict]:
    """The rows of a run's history. A last line that a crash truncated is dropped. InputError if one is damaged."""
    path = folder / HISTORY
    if not path.is_file():
        return []
    *lines, unfinished = path.read_bytes().split(b"\n")
    rows = [_row(line, f"{str(path)!r} is damaged in line {number}") for number, line in enumerate(lines, 1)]
    with contextlib.suppress(InputError):
        rows.append(_row(unfinished, ""))
    return rows


def _row(line: bytes, where: str) -> dict:
    try:
        row = parse_json(line)
        numbers = [value for key, value in row.items() if key != "phase"]
        if not isinstance(row["phase"], str) or type(row["step"]) is not int:
            raise ValueError
        if not all(type(value) in (int, float) and math.isfinite(value) for value in numbers):
            raise ValueError
    except (ValueError, KeyError, AttributeError, OverflowError):
        raise InputError(
            f"{where}: repair it, or remove the file; the run then goes on without the curve so far"
        ) from None
    return {present_column(key): value for key, value in row.items()}


class TensorBoard:
    """Event files under <folder>/tensorboard: `tensorboard --logdir <folder>`."""

    def __init__(self, folder: Path):
        self._writer = tf.summary.create_file_writer(str(folder / "tensorboard"))

    def scalars(self, step: int, values: dict[str, float], prefix: str = "train") -> None:
        """One point on each curve."""
        with self._writer.as_default():
            for key, value in values.items():
                if isinstance(value, (int, float)):
                    tf.summary.scalar(f"{prefix}/{key}", value, step)
        self._writer.flush()

    def pictures(self, step: int, pictures: dict[str, np.ndarray]) -> None:
        """Pictures [h, w, 3] uint8 by name."""
        with self._writer.as_default():
            for key, picture in pictures.items():
                tf.summary.image(key, picture[None], step)
        self._writer.flush()
