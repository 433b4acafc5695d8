"""What a run reports: a line of history per step range, TensorBoard scalars and pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfflow.files import write_text

HISTORY = "history.jsonl"


class History:
    """The loss curve as JSON lines {"step", "phase", "rate", terms..., "epe"}: means over the steps since the last.

    Opened at `step`, it drops the lines of later steps, which an interrupted run did and the continued run does again.
    """

    def __init__(self, folder: Path, step: int):
        self.path = folder / HISTORY
        self.rows = [row for row in _rows(self.path) if row["step"] <= step]
        write_text(self.path, "".join(json.dumps(row) + "\n" for row in self.rows))
        self._sums: dict[str, float] = {}
        self._count = 0

    def add(self, values: dict[str, float]) -> None:
        """One step's values."""
        for key, value in values.items():
            self._sums[key] = self._sums.get(key, 0.0) + value
        self._count += 1

    def close_row(self, step: int, phase: str, rate: float) -> dict:
        """Writes the means since the last row."""
        means = {key: total / self._count for key, total in self._sums.items()}
        row = {"step": step, "phase": phase, "rate": rate, **means}
        self.rows.append(row)
        with self.path.open("a", encoding="utf-8") as f:
            f.write(json.dumps(row) + "\n")
        self._sums, self._count = {}, 0
        return row


def _rows(path: Path) -> list[dict]:
    """Whole lines of a history; a last line that a crash cut short is dropped."""
    rows = []
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
    return rows


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
