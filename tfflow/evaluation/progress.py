"""Progress of long work: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import contextlib
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

EVERY = 5.0  # seconds between two lines


class Pace:
    """Estimates the time that is left from the median time of the last items.

    The first item, which builds graphs and caches, does not count. If `done` decreases, new work has begun.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._last: tuple[int, float] | None = None
        self._seconds: deque[float] = deque(maxlen=32)  # for each item

    def left(self, done: int, total: int) -> str:
        """ "1:05 left" after `done` of `total` items; "" if it is unknown: too early, or without a total."""
        now = self._clock()
        if self._last is None or done < self._last[0]:
            self._seconds.clear()
        elif done > self._last[0]:
            self._seconds.append((now - self._last[1]) / (done - self._last[0]))
        if done and (self._last is None or done != self._last[0]):
            self._last = done, now
        if not self._seconds or total < done:
            return ""
        minutes, seconds = divmod(round(statistics.median(self._seconds) * (total - done)), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left"


@contextlib.contextmanager
def progress_bar(console: Console, title: str) -> Iterator[Callable[[int, int], None]]:
    """Yields report(done, total), which shows the progress. A total of 0 means unknown.

    On a terminal it shows a bar, which disappears at the end. Else it prints a line on stderr every `EVERY` seconds. A
    quiet console shows nothing.
    """
    if console.quiet:
        yield lambda done, total: None
        return
    pace = Pace()
    if not console.is_terminal:
        yield _lines(title, pace)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None, left="")
        yield lambda done, total: progress.update(
            task, completed=done, total=total or None, left=pace.left(done, total)
        )


def _lines(title: str, pace: Pace) -> Callable[[int, int], None]:
    said = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal said
        left = pace.left(done, total)
        if time.monotonic() - said < EVERY:
            return
        said = time.monotonic()
        print(f"{title}: {done}{f' of {total}' * bool(total)}{', ' * bool(left)}{left}", file=sys.stderr, flush=True)

    return report
