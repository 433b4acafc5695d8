"""kill -9 at random moments of a run, then the same command again: the weights of a run that was left alone.

TFFLOW_KILLS=10 kills ten times instead of two, and prints when.
"""

from __future__ import annotations

import json
import os
import random
import re
import time

from tests.training import runs
from tests.training.tiny import finish, start

KILLS = int(os.environ.get("TFFLOW_KILLS", "2"))
# --save-every: two states a second or more, so that many kills fall into the writing of one
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
    while len(kills) < KILLS:
        process = start(*OPTIONS, "--out", tmp_path / "killed")
        # a third of the kills come before the first step of the process, the others while it trains
        time.sleep(whole * chance.uniform(0.2, 0.8))
        ended = process.poll() is not None
        process.kill()
        finish(process)
        state = tmp_path / "killed" / "state.safetensors"
        if ended:  # nothing was left to kill
            break
        kills.append(runs.step_of(state.parent))
    print(f"killed {len(kills)} times, with states of the steps {kills}")
    code, out, err = finish(start(*OPTIONS, "--out", tmp_path / "killed"))
    assert code == 0, err
    difference = runs.largest_difference(runs.weights(tmp_path / "killed"), runs.weights(tmp_path / "unbroken"))
    print(f"largest difference of weights: {difference}")
    assert difference == 0
    histories = [(tmp_path / name / "history.jsonl").read_text() for name in ("killed", "unbroken")]
    assert histories[0] == histories[1]
    assert [json.loads(line)["step"] for line in histories[0].splitlines()] == [10, 20, 30, 40, 50, 60]
    assert not list((tmp_path / "killed").glob(".*part*"))
    assert re.search(r"weights in .*killed, page in .*report\.png", out.replace("\n", ""))
