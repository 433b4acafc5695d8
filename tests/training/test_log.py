"""The loss curve on disk: what a crash cut short is done again, and what is damaged is refused with its line."""

from __future__ import annotations

import pytest

from tfflow.errors import InputError
from tfflow.losses import Census, OcclusionPenalty, OutOfFrame
from tfflow.training.log import History, read_history

ROWS = ['{"step": 3, "phase": "census", "rate": 0.1, "census": 2.5}', '{"step": 6, "phase": "census", "rate": 0.1}']


def history(folder, *lines: bytes):
    (folder / "history.jsonl").write_bytes(b"\n".join(lines))
    return folder


def test_a_last_line_that_a_crash_cut_short_is_dropped(tmp_path):
    whole = [row.encode() for row in ROWS]
    for end in (b"", b'{"step": 9, "pha', b"\0\0\0\0", b"\xff"):
        assert [row["step"] for row in read_history(history(tmp_path, *whole, end))] == [3, 6]
    History(tmp_path, 3, {})
    assert (tmp_path / "history.jsonl").read_text() == ROWS[0] + "\n"


def test_a_log_with_former_names_of_terms_goes_on_in_the_same_columns(tmp_path):
    """Columns have the names of terms, in small letters, see `Objective.names`."""
    objective = 1.0 * OcclusionPenalty() + 1.0 * OcclusionPenalty() + 1.0 * OutOfFrame() + 1.0 * Census()
    penalty, outside, census = objective.names[1:]
    assert penalty == "occlusionpenalty2"
    old = b'{"step": 3, "phase": "first", "rate": 0.1, "hidden2": 2.5, "outgoing": 1.5, "census": 0.5, "epe": 3.0}'
    pending = {"outgoing": [4.0, 2], "hidden2": [1.0, 1], "census": [2.0, 1]}
    log = History(history(tmp_path, old, b""), 3, pending)
    log.add({outside: 2.0, penalty: 3.0, census: 4.0})
    log.close_row(6, "first", 0.1)
    first, second = read_history(tmp_path)
    assert first == {
        **{"step": 3, "phase": "first", "rate": 0.1, "epe": 3.0},
        **{penalty: 2.5, outside: 1.5, census: 0.5},
    }
    assert second == {
        **{"step": 6, "phase": "first", "rate": 0.1},
        **{outside: 2.0, penalty: 2.0, census: 3.0},
    }
    assert "hidden" not in (tmp_path / "history.jsonl").read_text() and pending == {}


@pytest.mark.parametrize(
    "line",
    [
        b'{"step": 6, "phase": "cen\xffsus", "rate": 0.1}',
        b"[]",
        b"7",
        b"[" * 100_000,
        b'{"step": "6", "phase": "census"}',
        b'{"phase": "census"}',
        b'{"step": 6}',
        b'{"step": 6, "phase": "census", "rate": NaN}',
        b'{"step": 6, "phase": "census", "rate": [1]}',
    ],
)
def test_a_damaged_line_is_refused_with_its_number_and_what_to_do(tmp_path, line):
    folder = history(tmp_path, ROWS[0].encode(), line, ROWS[1].encode(), b"")
    with pytest.raises(InputError) as error:
        read_history(folder)
    assert str(error.value) == (
        f"'{folder / 'history.jsonl'}' is damaged in line 2: repair it, or remove the file; the run then goes on "
        "without the curve so far"
    )
    (folder / "history.jsonl").unlink()
    assert read_history(folder) == []
