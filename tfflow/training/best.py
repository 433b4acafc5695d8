"""The best checkpoint of a run by a score, kept beside the last one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfflow.errors import InputError
from tfflow.models.weights import read_arrays, save_arrays

BEST = "best.safetensors"

Arrays = dict[str, np.ndarray]


@dataclass
class Best:
    """The best weights so far.

    folder: where they are kept. writes: whether this machine writes them. An equal score does not replace the best, so
    the initial weights are kept unless a later score is lower.
    """

    folder: Path
    writes: bool
    step: int = -1
    score: float = float("inf")
    arrays: Arrays = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, writes: bool, resumed: bool) -> Best:
        """The best of a resumed run, read from the folder; else an empty one. InputError if the file is damaged."""
        best = cls(folder, writes)
        if resumed and (folder / BEST).is_file():
            best.arrays, metadata = read_arrays(folder / BEST)
            try:
                best.step, best.score = int(metadata["step"]), float(metadata["score"])
            except (KeyError, ValueError):
                raise InputError(f"{str(folder / BEST)!r} is no checkpoint of a run: start a new run") from None
        return best

    def offer(self, step: int, score: float, arrays: Arrays) -> bool:
        """Keeps the arrays if the score is lower than all before. Returns whether it is."""
        if not score < self.score:
            return False
        self.put(step, score, arrays)
        return True

    def put(self, step: int, score: float, arrays: Arrays) -> None:
        """Keeps the arrays, whatever their score."""
        self.step, self.score, self.arrays = step, score, arrays
        if self.writes:
            save_arrays(self.folder / BEST, arrays, {"step": str(step), "score": repr(score)})


def kept_step(folder: Path) -> int:
    """The step of the best checkpoint of the run in `folder`."""
    return Best.of(folder, writes=False, resumed=True).step
