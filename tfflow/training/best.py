"""The checkpoint of a run that is best by a measure, kept beside the last one."""

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
    """The best weights so far. folder: where they are kept; writes: whether this machine writes them.

    A score that is no better than the best leaves it: where nothing is better than the start, the start is the best.
    """

    folder: Path
    writes: bool
    step: int = -1
    score: float = float("inf")
    arrays: Arrays = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, writes: bool, resumed: bool) -> Best:
        """What the folder holds, where the run goes on; else nothing yet. InputError where the file is damaged."""
        best = cls(folder, writes)
        if resumed and (folder / BEST).is_file():
            best.arrays, metadata = read_arrays(folder / BEST)
            try:
                best.step, best.score = int(metadata["step"]), float(metadata["score"])
            except (KeyError, ValueError):
                raise InputError(f"{str(folder / BEST)!r} is no checkpoint that a run has kept: begin anew") from None
        return best

    def offer(self, step: int, score: float, arrays: Arrays) -> bool:
        """Keeps the arrays where the score is lower than all before; True where it was."""
        if not score < self.score:
            return False
        self.step, self.score, self.arrays = step, score, arrays
        if self.writes:
            save_arrays(self.folder / BEST, arrays, {"step": str(step), "score": repr(score)})
        return True


def kept_step(folder: Path) -> int:
    """The step of the checkpoint that a run in `folder` keeps."""
    return Best.of(folder, writes=False, resumed=True).step
