"""Divides a video into continuous parts for training, selection and the report."""

from __future__ import annotations

from typing import NamedTuple

PARTS = 8  # number of parts of a video
HELD = {3: "select", 5: "report", 7: "select"}  # parts that are not for training, by index
FEWEST = 24  # pairs of a video that has a part for each use
GAP = 4  # pairs between parts of different use, so that they share no frame


class Stretches(NamedTuple):
    """Indices of pairs for each use, as ranges."""

    learn: list[range]
    select: list[range]
    report: list[range]


def stretches(count: int) -> Stretches:
    """Divides `count` pairs, at least `FEWEST`. The parts are continuous, because consecutive frames are similar."""
    if count < FEWEST:
        raise ValueError(f"expected at least {FEWEST} pairs, got {count}")
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
    return Stretches(found["learn"], found["select"], found["report"])
