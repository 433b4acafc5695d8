"""Numbers the frames of a video by their times, and finds missing frames."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

SHOWN = 4  # number of ranges of missing frames that a message names
KNOWN = 8  # number of intervals after which the frame rate is known
REORDERED = 32  # frames; largest reordering of codecs
JUMP = 10_000  # frames; longer gaps mean that the clock was reset


class Timeline:
    """Numbers the frames of a video from 1 on.

    A gap in time may come from a variable frame rate. It counts as missing frames if there was damage in it
    (`broken`), or if nine of ten intervals so far were regular. Missing frames leave gaps in the numbers.
    start: time of the first frame, in its time base. fps: from the header. end: time after the last frame, s. lost:
    missing numbers.
    """

    def __init__(self, start: int | None, fps: float):
        self.fps, self.number, self.end, self.broken = fps, 0, -math.inf, 0
        self.lost: list[int] = []
        self._start, self._duration = start, 0.0
        self._time: float | None = None
        self._doubt = False  # whether the last frame was damaged
        self._intervals = self._gaps = 0
        self._later: list[tuple[int, int]] = []  # (number, missing after it) of gaps that a variable rate may explain

    def place(self, pts: int | None, duration: int | None, base: Fraction | None, damaged: bool) -> int:
        """The number of the next frame; 0 if a later frame came before it, as decoders do after damage.

        duration: of the frame, in its time base; 0 = unknown.
        """
        unit = float(base or 0)
        time = None if pts is None else pts * unit
        if self._time is None and self._start is not None and not self.number:
            self._time = self._start * unit - 1 / self.fps
        if self._late(time):
            return 0
        missing = self._missing(time)
        evidence = self.broken > 0 or self._doubt or damaged
        regular = self._intervals >= KNOWN and 10 * self._gaps <= self._intervals
        if missing and (evidence or regular):
            self.lose(missing)
        elif missing and self.number:  # a recording may begin before its first key frame
            self._later.append((self.number, missing))
        elif self.broken and not damaged and time is None:
            self.lose(self.broken)
        self._gaps += missing > 0
        self._intervals += 1
        self.number += 1
        if damaged:
            self.lost.append(self.number)
        self._doubt, self.broken = damaged, 0
        self._time, self._duration = time, (duration or 0) * unit
        self.end = max(self.end, (time or 0.0) + (self._duration or 1 / self.fps))
        return self.number

    def lose(self, count: int) -> None:
        """The next `count` frames are missing."""
        self.lost += range(self.number + 1, self.number + 1 + count)
        self.number += count

    def text(self) -> str:
        """A text that names the missing frames; "" if there are none."""
        runs: list[list[int]] = []
        for number in self.lost:
            if runs and number == runs[-1][1] + 1:
                runs[-1][1] = number
            else:
                runs.append([number, number])
        named = [f"{a}" if a == b else f"{a} to {b}" for a, b in itertools.islice(runs, SHOWN)]
        if not self._varies():
            named += [f"{n} after {at}" for at, n in self._later[: SHOWN - len(named)]]
        more = len(runs) + len(self._later) * (not self._varies()) - len(named)
        if not named:
            return ""
        return f"frames {', '.join(named)}{f' and at {more} more places' * (more > 0)} of {self.number} are missing"

    def _missing(self, time: float | None) -> int:
        if time is None or self._time is None:
            return 0
        gap = (time - self._time) * self.fps
        covered = self._duration * self.fps
        missing = round(gap - max(1.0, covered))
        return missing if 0 < missing < JUMP else 0

    def _late(self, time: float | None) -> bool:
        if time is None or self._time is None or not (self.broken or self.lost):
            return False
        return -REORDERED < (time - self._time) * self.fps < 0.5

    def _varies(self) -> bool:
        return self._gaps > max(1, self._intervals // 10)
