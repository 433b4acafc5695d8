"""A video shared out in whole stretches: to learn from, to select by, and to report on."""

from __future__ import annotations

from typing import NamedTuple

PARTS = 8  # stretches that a long video is cut into
HELD = {3: "select", 5: "report", 7: "select"}  # of them, by number from 0 on; the others are for learning
SHORT = 24  # pairs; shorter videos keep back their end alone, to select by and to report on alike
GAP = 4  # pairs between two stretches of different use, so that none shares a frame with another at any distance


class Stretches(NamedTuple):
    """Numbers of pairs for each use, as ranges of neighbours. shared: whether a pair serves two uses."""

    learn: list[range]
    select: list[range]
    report: list[range]
    shared: bool


def stretches(count: int) -> Stretches:
    """Divides pairs among the uses in whole stretches, because consecutive frames are alike."""
    if count < 3:  # every other pair shares a frame with each
        return Stretches([range(count)], [range(count)], [range(count)], True)
    if count < SHORT:
        held = max(1, count // 5)
        gap = min(GAP, max(1, count // 8))
        end = [range(count - held, count)]
        return Stretches([range(count - held - gap)], end, end, True)
    ends = [count * part // PARTS for part in range(PARTS + 1)]
    found: dict[str, list[range]] = {"learn": [], "select": [], "report": []}
    gap = min(GAP, count // PARTS // 2)
    for part in range(PARTS):
        use = HELD.get(part, "learn")
        before = HELD.get(part - 1, "learn") if part else use
        start = ends[part] + gap * (before != use)
        if use == before and found[use] and found[use][-1].stop == start:
            start = found[use].pop().start
        found[use].append(range(start, ends[part + 1]))
    return Stretches(found["learn"], found["select"], found["report"], False)
