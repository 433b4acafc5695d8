"""Progress: lines in a pipe, and the time that is left as it turns out."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tfflow.evaluation import progress
from tfflow.evaluation.progress import Pace, progress_bar


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_the_time_left_is_that_of_the_pieces_after_the_first():
    """The first one builds the graph and would make all the others look as slow."""
    clock = Clock()
    pace = Pace(clock)
    clock.now += 60
    assert pace.left(1, 101) == ""
    clock.now += 2
    assert pace.left(2, 101) == "3:18 left"
    clock.now += 98
    assert pace.left(51, 101) == "1:40 left"
    assert pace.left(101, 101) == "0:00 left"


def test_one_slow_piece_among_many_changes_little():
    clock = Clock()
    pace = Pace(clock)
    for done in range(1, 41):
        clock.now += 60 if done in (1, 20, 40) else 1
        text = pace.left(done, 100)
    assert text == "1:00 left"


def test_another_piece_of_work_has_its_own_pace():
    clock = Clock()
    pace = Pace(clock)
    for done in (1, 2, 3):
        clock.now += 100
        pace.left(done, 3)
    for done, text in ((1, ""), (2, "0:08 left"), (3, "0:07 left")):
        clock.now += 1
        assert pace.left(done, 10) == text


def test_nothing_is_promised_that_is_not_known():
    clock = Clock()
    pace = Pace(clock)
    assert pace.left(0, 10) == pace.left(1, 10) == ""
    clock.now += 5
    assert pace.left(3, 0) == pace.left(12, 10) == ""
    pace = Pace(clock)
    for done, text in ((1, ""), (2, "5:00:00 left")):
        assert pace.left(done, 7) == text
        clock.now += 3600


@pytest.mark.parametrize(
    ("total", "lines"), [(8, ["clip: 3 of 8, 0:10 left", "clip: 6 of 8, 0:04 left"]), (0, ["clip: 3", "clip: 6"])]
)
def test_a_pipe_gets_a_line_every_few_seconds(monkeypatch, capsys, total, lines):
    clock = Clock()
    monkeypatch.setattr(progress.time, "monotonic", clock)
    monkeypatch.setattr(Pace.__init__, "__defaults__", (clock,))
    with progress_bar(Console(file=io.StringIO()), "clip") as report:
        for done in range(1, 9):
            clock.now += 2
            report(done, total)
    assert capsys.readouterr().err.splitlines() == lines


def test_nothing_is_shown_where_no_progress_is_asked_for(monkeypatch, capsys):
    clock = Clock()
    monkeypatch.setattr(progress.time, "monotonic", clock)
    out = io.StringIO()
    for terminal in (False, True):
        with progress_bar(Console(file=out, quiet=True, force_terminal=terminal), "clip") as report:
            for done in range(1, 9):
                clock.now += 9
                report(done, 8)
    assert not out.getvalue() and capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_and_no_lines(capsys):
    out = io.StringIO()
    with progress_bar(Console(file=out, force_terminal=True), "clip") as report:
        report(1, 2)
    assert "clip" in out.getvalue() and not capsys.readouterr().err
