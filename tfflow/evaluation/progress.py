"""How far a long piece of work is: a bar on a terminal, in a pipe or a file a line every few seconds."""

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
    """Tells the time that is left from the median time of the last pieces.

    The first piece, which builds graphs and caches, is none of them, nor does a later one that does so spoil it. Where
    the count goes back, another piece of work has begun.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._last: tuple[int, float] | None = None
        self._seconds: deque[float] = deque(maxlen=32)  # a piece

    def left(self, done: int, total: int) -> str:
        """ "1:05 left" after `done` of `total` pieces; "" where it cannot be known: too early, or without a total."""
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
    """Yields report(done, total), which shows how far it is; a total of 0 is an unknown one.

    On a terminal a bar that goes at the end; else lines on stderr, none where all is done in `EVERY` seconds. Nothing
    on a quiet console.
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
