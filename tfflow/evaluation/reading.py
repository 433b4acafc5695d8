"""Reads the samples of a source in advance, in order, and collects batches of one frame size."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from tfflow.data.damage import Skipping
from tfflow.data.records import Sample, Source
from tfflow.errors import InputError
from tfflow.messages import warn


def read_ahead(source: Source, count: int, skipped: list[str], ahead: int = 4) -> Iterator[tuple[str, Sample]]:
    """(record name, sample) of the first `count` records. Two threads read the next ones in advance.

    A damaged record raises InputError. If `source` is Skipping, it is left out instead, with a warning, and its error
    is added to `skipped`. It is not replaced by the next one, which would be measured twice.
    """
    skip = isinstance(source, Skipping)
    source = source.source if isinstance(source, Skipping) else source
    with ThreadPoolExecutor(max_workers=2) as pool:
        waiting: deque = deque()
        indices = iter(range(count))
        try:
            while True:
                for index in itertools.islice(indices, ahead - len(waiting)):
                    waiting.append((source.record_name(index), pool.submit(source.sample, index)))
                if not waiting:
                    return
                name, future = waiting.popleft()
                try:
                    sample = future.result()
                except InputError as error:
                    if not skip:
                        raise
                    skipped.append(str(error))
                    warn(f"skipped {name}: {error}")
                    continue
                yield name, sample
        finally:
            for _, future in waiting:
                future.cancel()


def same_size(samples: Iterable[tuple[str, Sample]], batch: int) -> Iterator[list[tuple[str, Sample]]]:
    """Groups consecutive samples of one size, at most `batch` of them. Another size starts a new group.

    If reading raises an InputError, the group before it comes first.
    """
    group: list[tuple[str, Sample]] = []
    try:
        for name, sample in samples:
            if group and (len(group) == batch or group[0][1]["image1"].shape != sample["image1"].shape):
                yield group
                group = []
            group.append((name, sample))
    except InputError:
        if group:
            yield group
        raise
    if group:
        yield group
