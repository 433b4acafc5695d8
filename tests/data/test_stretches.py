"""Videos shared out: every use has stretches of its own, and no frame serves two."""

from __future__ import annotations

import pytest

from tfflow.data.stretches import GAP, SHORT, stretches


@pytest.mark.parametrize("count", [SHORT, 40, 97, 250, 5_000])
def test_no_two_uses_come_near_each_other(count):
    parts = stretches(count)
    use = {n: name for name in ("learn", "select", "report") for run in getattr(parts, name) for n in run}
    assert not parts.shared and set(use) <= set(range(count)) and {*use.values()} == {"learn", "select", "report"}
    least = min(GAP, count // 16)
    for n, name in use.items():
        assert all(use.get(n + d, name) == name for d in range(1, least + 1))
    assert sum(map(len, parts.learn)) > 0.45 * count


@pytest.mark.parametrize("count", [SHORT, 40, 250])
def test_stretches_are_whole_and_counted_once(count):
    parts = stretches(count)
    runs = [run for name in ("learn", "select", "report") for run in getattr(parts, name)]
    every = [n for run in runs for n in run]
    assert len(every) == len(set(every)) and min(map(len, runs)) >= 2


@pytest.mark.parametrize("count", range(3, SHORT))
def test_a_short_video_keeps_its_end_back_and_says_that_it_serves_twice(count):
    parts = stretches(count)
    learn, held = (next(iter(runs)) for runs in (parts.learn, parts.select))
    assert parts.shared and parts.report == parts.select and len(learn) >= 1 and len(held) >= 1
    assert learn.stop < held.start and held.stop == count  # no frame in common


@pytest.mark.parametrize("count", [1, 2])
def test_one_pair_serves_all(count):
    assert stretches(count) == ([range(count)], [range(count)], [range(count)], True)
