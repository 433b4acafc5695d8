"""Damaged files: a source that warns and skips them. Without it, readers raise InputError."""

from __future__ import annotations

import itertools
import threading

from tfflow.data.records import Sample, Source
from tfflow.errors import InputError
from tfflow.messages import warn

ON_ERROR = ("stop", "skip")


class Skipping(Source):
    """A source that replaces a damaged sample by the next good one, and warns once for each damaged file.

    A sample depends on its index alone. The source is thread-safe. `find` also gives the index of the sample in use, so
    that a measurement counts none twice. Raises InputError if no sample is left.
    """

    def __init__(self, source: Source):
        self.source = source
        self.name = source.name
        self.truth = source.truth
        self.sequences = getattr(source, "sequences", False)
        self._bad: set[int] = set()
        self._warned: set[str] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.source)

    def record_name(self, index: int) -> str:
        return self.source.record_name(index)

    def sample(self, index: int) -> Sample:
        return self.find(index)[1]

    def with_neighbours(self) -> Skipping:
        return Skipping(self.source.with_neighbours())

    def find(self, index: int) -> tuple[int, Sample]:
        """The next good sample from `index` on, and its index. The first sample follows the last one."""
        for candidate in itertools.chain(range(index, len(self)), range(index)):
            if candidate in self._bad:
                continue
            try:
                return candidate, self.source.sample(candidate)
            except InputError as error:
                self._warn(candidate, str(error))
        raise InputError(f"{self.name}: no sample is left, all {len(self)} are damaged; check the files")

    def _warn(self, index: int, text: str) -> None:
        with self._lock:
            new = text not in self._warned
            self._warned.add(text)
            self._bad.add(index)
        if new:
            warn(f"skipped: {text}")
