"""What a data set is to the rest: a `Source` of samples, and records that name the files of each sample."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

Sample = dict[str, np.ndarray]


class Source(Protocol):
    """A finite list of samples, each a pure function of its index (so that any step of training can be redone).

    name: as on the command line, "sintel-final:/data/sintel".
    truth: ground-truth keys that its samples carry besides image1 and image2; empty for plain frames.
    """

    name: str
    truth: frozenset[str]

    def __len__(self) -> int: ...

    def record_name(self, index: int) -> str:
        """A name unique within the source and usable as a relative file stem: "alley_1/frame_0001"."""
        ...

    def sample(self, index: int) -> Sample:
        """image1, image2 [h, w, 3] float32 RGB in [0, 1], and the arrays that `truth` names. Thread-safe.

        Raises InputError that names the file where one is missing, damaged or of another size.
        """
        ...


@dataclass(frozen=True)
class Record:
    """The files of one sample; None where the set has no such file."""

    name: str
    image1: Path
    image2: Path
    flow: Path | None = None
    flow_noc: Path | None = None
    occluded: Path | None = None
    invalid: Path | None = None
    flow21: Path | None = None
    occluded2: Path | None = None
