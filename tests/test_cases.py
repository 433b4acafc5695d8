"""The judgement of `tests/cases.py`, and, where TFFLOW_TEST_CASES names a folder of hard inputs, each of them."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cases import KINDS, LIMIT_MB, Case, Outcome, bounded, cases, line, moved, refused, run, says, still, turned

ROOT = Path(__file__).parents[1]
FOLDER = os.environ.get("TFFLOW_TEST_CASES")
CASES = cases(Path(FOLDER)) if FOLDER else []


@pytest.mark.skipif(not FOLDER, reason="TFFLOW_TEST_CASES names no folder of hard inputs")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hard_input_ends_as_it_should(case):
    """By the command, whose processes do not begin with the memory of the tests."""
    command = [sys.executable, ROOT / "tests" / "cases.py", FOLDER, "--only", case.name]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def end(tmp_path, code=0, text="", flow=None, seconds=1.0, memory=700.0):
    if flow is not None:
        height, width = flow.shape[:2]
        data = struct.pack("<fii", 202021.25, width, height) + np.float32(flow).tobytes()
        (tmp_path / "a.flo").write_bytes(data)
    return Outcome(code, seconds, memory, text, tmp_path)


def constant(u, v, shape=(6, 9)):
    return np.broadcast_to(np.float32([u, v]), (*shape, 2))


def test_a_refusal_is_one_line_with_exit_code_2(tmp_path):
    good = "I0000 a library's line\ntfflow: 'a.mp4' has no decoder for av1; ffmpeg -i a.mp4\n"
    assert refused("av1", "ffmpeg")(end(tmp_path, 2, good)) == ""
    assert "exit code 2" in refused()(end(tmp_path, 1, good))
    assert "exit code 2" in refused()(end(tmp_path, 2, good + "Traceback (most recent call last):\n"))
    assert "does not say ['vp9']" in refused("vp9")(end(tmp_path, 2, good))
    assert "at most 300 characters, got [325]" in refused()(end(tmp_path, 2, "tfflow: " + "x" * 317))
    assert "at most 20 s" in refused()(end(tmp_path, 2, good, seconds=21.0))
    assert "at most 20 s" in bounded(end(tmp_path, 0, "", memory=LIMIT_MB + 1.0))


def test_flow_is_held_against_the_true_motion(tmp_path):
    assert moved(end(tmp_path, flow=constant(3.4, 1.8))) == ""
    assert "are not near (3, 2)" in moved(end(tmp_path, flow=constant(0, 0)))
    assert "exit code 0" in moved(end(tmp_path, 2))
    assert "got 0.20" in still(end(tmp_path, flow=constant(0, 0.2))) and still(end(tmp_path, flow=constant(0, 0))) == ""
    assert "are turned" in turned(end(tmp_path, flow=constant(1, 1, (9, 6))))
    assert turned(end(tmp_path, flow=constant(1, 1))) == ""
    assert says("32 x 32", code=2)(end(tmp_path, 2, "tfflow: 32 x 32 is too small")) == ""
    assert says("32 x 32", code=2)(end(tmp_path, None, "32 x 32"))


def test_a_folder_s_name_says_what_its_files_are(tmp_path):
    for name in ("av1/a.mp4", "hostile/a.pth", "hostile/b.png", "other/c.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [case.name for case in cases(tmp_path)] == ["av1/a.mp4", "hostile/a.pth", "hostile/b.png"]
    assert set(KINDS) > {"interlaced", "edit_list", "checkpoints"}


def test_a_case_is_run_and_its_line_says_how_it_ended(tmp_path):
    case = Case("a/b", ("-c", "import sys; print('tfflow: no', file=sys.stderr); sys.exit(2)"), says("no", code=2))
    outcome = run(case, ROOT)
    assert (outcome.code, outcome.problem, outcome.said) == (2, "", ["tfflow: no"]) and outcome.memory > 1
    said = line(case, outcome, tmp_path)
    assert said.startswith("right | a/b | ") and "exit 2" in said and said.endswith("| tfflow: no")
