"""Divides a video into continuous parts for training, selection and the report."""

from __future__ import annotations

from typing import NamedTuple

PARTS = 8  # number of parts of a long video
HELD = {3: "select", 5: "report", 7: "select"}  # parts that are not for training, by index
SHORT = 24  # pairs; shorter videos have one held-out part, the end, for both selection and report
GAP = 4  # pairs between parts of different use, so that they share no frame


class Stretches(NamedTuple):
    """Indices of pairs for each use, as ranges. shared: whether selection and report use the same pairs."""

    learn: list[range]
    select: list[range]
    report: list[range]
    shared: bool


def stretches(count: int) -> Stretches:
    """Divides `count` pairs among the uses. The parts are continuous, because consecutive frames are similar."""
    if count < 3:  # all pairs share frames
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
