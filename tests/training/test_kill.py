"""kill -9 at random moments of a run, then the same command again: the weights of a run that was left alone.

TFFLOW_KILLS=10 kills ten times instead of two, and prints when.
"""

from __future__ import annotations

import os
import random
import re
import time

from tests.training import runs
from tests.training.tiny import finish, start

KILLS = int(os.environ.get("TFFLOW_KILLS", "2"))
# a state after every step, so that some of the kills come while one is written
OPTIONS = [
    *("--model", "tiny", "--steps", 60, "--batch", 2, "--crop", "24x32", "--val-limit", 2, "--save-every", 1e-9),
    *("--data", "scenes:size=32x40,count=7,seed=2"),
]  # fmt: skip


def test_a_run_killed_at_random_moments_is_the_unbroken_run(tmp_path):
    started = time.monotonic()
    code, out, err = finish(start(*OPTIONS, "--out", tmp_path / "unbroken"))
    whole = time.monotonic() - started
    assert code == 0, err
    chance, kills = random.Random(os.environ.get("TFFLOW_KILL_SEED", "1")), []
    for step in [0, *sorted(chance.sample(range(1, 60), KILLS - 1))]:
        process = start(*OPTIONS, "--out", tmp_path / "killed")
        while (runs.step_of(tmp_path / "killed") or 0) < step:
            assert process.poll() is None, finish(process)
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.5 * whole if step == 0 else 0.1))
        process.kill()
        finish(process)
        kills.append(runs.step_of(tmp_path / "killed"))
    print(f"killed {len(kills)} times, with states of the steps {kills}")
    code, out, err = finish(start(*OPTIONS, "--out", tmp_path / "killed"))
    assert code == 0, err
    difference = runs.largest_difference(runs.weights(tmp_path / "killed"), runs.weights(tmp_path / "unbroken"))
    print(f"largest difference of weights: {difference}")
    assert difference == 0
    histories = [(tmp_path / name / "history.jsonl").read_text() for name in ("killed", "unbroken")]
    assert histories[0] == histories[1]
    assert not list((tmp_path / "killed").glob(".*part*"))
    assert re.search(r"weights in.*killed, report in.*report\.png", out.replace("\n", ""))  # folded anywhere
