"""The best checkpoint by a measure: kept, taken up again, and what the run ends with."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.training import runs
from tfflow.errors import InputError
from tfflow.models.weights import model_arrays, read_arrays
from tfflow.training import loop
from tfflow.training.best import BEST, Best, kept_step
from tfflow.training.checkpoint import read_state

RECIPE = dataclasses.replace(runs.THREE, phases=runs.THREE.phases[:2])


def run(folder, scores, every=2, at=None, settle=None):
    """A run whose network is scored by the list's numbers in turn: (progress, the weights it was scored with)."""
    folder.mkdir(exist_ok=True)
    trained, seen = runs.trainer(RECIPE), []

    def judge(trainer):
        seen.append(model_arrays(trainer.graph(2)))
        return scores[len(seen) - 1]

    hooks = dataclasses.replace(runs.quiet(at), judge=judge, judge_every=every, settle=settle)
    progress, ended = loop.train(
        trained, runs.data(RECIPE), folder, hooks, metadata={"model": "tiny"}, row_steps=3, every_seconds=1e9
    )
    return progress, ended, seen


def same(a, b):
    return all(np.array_equal(a[k], b[k]) for k in a)


def test_a_run_ends_with_the_checkpoint_of_the_lowest_score(tmp_path):
    progress, _, seen = run(tmp_path, [5.0, 4.0, 3.0, 3.5, 9.0])
    assert progress.judged == [[0.0, 5.0], [2.0, 4.0], [4.0, 3.0], [6.0, 3.5], [8.0, 9.0]]
    assert same(runs.weights(tmp_path), seen[2]) and not same(seen[2], seen[4])
    assert read_arrays(tmp_path / "weights.safetensors")[1]["kept_step"] == "4" == str(kept_step(tmp_path))


def test_where_nothing_is_better_the_result_is_the_start(tmp_path):
    _, _, seen = run(tmp_path, [1.0, 1.0, 2.0, 1.5, float("nan")])
    assert same(runs.weights(tmp_path), seen[0]) and kept_step(tmp_path) == 0
    assert not same(seen[0], seen[-1])


def test_a_run_ends_with_what_settles_it(tmp_path):
    """Once, with the best weights in the network, and their step; here with others."""
    for ends in (0, 4):
        asked, folder = [], tmp_path / str(ends)

        def settle(trainer, step, asked=asked, ends=ends):
            best = model_arrays(trainer.graph(2))
            asked.append((step, best))
            return ends, {name: x + 1 for name, x in best.items()}

        _, _, seen = run(folder, [5.0, 4.0, 3.0, 3.5, 9.0], settle=settle)
        ((step, best),) = asked
        assert step == 4 and same(best, seen[2])
        assert same(runs.weights(folder), {name: x + 1 for name, x in best.items()})
        assert read_arrays(folder / "weights.safetensors")[1]["kept_step"] == str(ends) == str(kept_step(folder))


def test_each_phase_begins_with_the_best_so_far(tmp_path):
    """After the first phase the network goes back to its best checkpoint, of step 2, and learns on from there."""
    starts = []

    seen = []

    def judge(trainer):
        seen.append(model_arrays(trainer.graph(2)))
        return [5.0, 4.0, 6.0, 7.0, 8.0][len(seen) - 1]

    hooks = dataclasses.replace(runs.quiet(), judge=judge, judge_every=2)
    trainer = runs.trainer(RECIPE)
    begin = trainer.begin

    def noted_begin(phase):
        starts.append(model_arrays(trainer.graph(2)))
        begin(phase)

    trainer.begin = noted_begin
    loop.train(trainer, runs.data(RECIPE), tmp_path, hooks, metadata={"model": "tiny"})
    assert same(starts[0], seen[0]) and same(starts[1], seen[1]) and not same(starts[1], seen[2])


def test_a_run_that_was_stopped_keeps_its_best(tmp_path):
    """Stopped after step 3, whose best is of step 2; the rest of the run is worse."""
    import os
    import signal

    _, ended, seen = run(tmp_path, [5.0, 1.0], at=lambda step: step == 3 and os.kill(os.getpid(), signal.SIGINT))
    assert not ended and len(seen) == 2
    progress, ended, _ = run(tmp_path, [2.0, 3.0, 4.0, 5.0])
    assert ended and [step for step, _ in progress.judged] == [0, 2, 4, 6, 8]
    assert progress.judged[1] == [2.0, 1.0]
    assert same(runs.weights(tmp_path), seen[1])
    assert read_state(tmp_path)[1].judged == progress.judged


def test_a_damaged_best_checkpoint_is_refused(tmp_path):
    best = Best(tmp_path, writes=True)
    assert best.offer(3, 0.5, {"w": np.arange(4.0)}) and not best.offer(4, 0.5, {"w": np.zeros(4)})
    assert Best.of(tmp_path, writes=True, resumed=True).step == 3
    path = tmp_path / BEST
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(InputError, match="damaged"):
        Best.of(tmp_path, writes=True, resumed=True)
