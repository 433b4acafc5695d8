"""Videos shared out: every use has stretches of its own, and no frame serves two."""

from __future__ import annotations

import pytest

from tfflow.data.stretches import FEWEST, GAP, stretches


@pytest.mark.parametrize("count", [FEWEST, 40, 97, 250, 5_000])
def test_no_two_uses_come_near_each_other(count):
    parts = stretches(count)
    use = {n: name for name in ("learn", "select", "report") for run in getattr(parts, name) for n in run}
    assert set(use) <= set(range(count)) and {*use.values()} == {"learn", "select", "report"}
    least = min(GAP, count // 16)
    for n, name in use.items():
        assert all(use.get(n + d, name) == name for d in range(1, least + 1))
    assert sum(map(len, parts.learn)) > 0.45 * count


@pytest.mark.parametrize("count", [FEWEST, 40, 250])
def test_stretches_are_whole_and_counted_once(count):
    parts = stretches(count)
    runs = [run for name in ("learn", "select", "report") for run in getattr(parts, name)]
    every = [n for run in runs for n in run]
    assert len(every) == len(set(every)) and min(map(len, runs)) >= 2


def test_a_video_that_is_too_short_is_not_divided():
    with pytest.raises(ValueError, match="at least 24 pairs, got 23"):
        stretches(FEWEST - 1)
