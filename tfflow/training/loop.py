"""The loop over phases and steps: goes on where it stopped, and stops without losing anything."""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfflow.models import RUN_WEIGHTS
from tfflow.models.weights import save_arrays
from tfflow.recipes import Phase, Recipe
from tfflow.training.checkpoint import Progress, read_state, save_state
from tfflow.training.log import History, TensorBoard
from tfflow.training.trainer import Trainer

Scores = dict[str, Any]


class NotFinite(ValueError):
    """A loss or gradient became NaN or infinite; names the step and the term. The last good state is on disk."""


@dataclass(frozen=True)
class Hooks:
    """What the loop asks of others.

    measure: scores of the network as it stands, for the table of before and after each phase.
    picture: pictures by name for TensorBoard, [h, w, 3] uint8.
    show: called after each step with (step, steps, phase, values, steps a second).
    """

    measure: Callable[[Trainer], Scores]
    picture: Callable[[Trainer], dict]
    show: Callable[[int, int, Phase, dict[str, float], float], None]


def train(
    trainer: Trainer,
    recipe: Recipe,
    data: Callable[[int], tf.distribute.DistributedDataset],
    folder: Path,
    hooks: Hooks,
    *,
    metadata: dict[str, str],
    chief: bool = True,
    every_seconds: float = 120.0,
    row_steps: int = 10,
) -> tuple[Progress, bool]:
    """Trains from the state in `folder`, or from the start, to the end of the recipe; (progress, whether it ended).

    data(step): batches from that step of the run on. A SIGINT or SIGTERM ends after the step under way, its state
    saved; a kill loses at most `every_seconds` of work and nothing of the result: the same steps are done again.
    chief: only one machine of several writes. progress.scores: {"when": "before" or a phase's name, **scores} each.
    Raises NotFinite where a term or the gradient is; the state before that step is kept.
    """
    saved = read_state(folder)
    progress = saved[1] if saved else Progress()
    if saved and progress.phase < len(recipe.phases):
        trainer.restore(saved[0], recipe.phases[progress.phase])
    elif saved:
        return progress, True
    else:
        trainer.begin(recipe.phases[0])
    history = History(folder, progress.step)
    board = TensorBoard(folder) if chief else None

    def save() -> None:
        if chief:
            save_state(folder, trainer.state(), progress)

    if not progress.scores:
        progress.scores.append({"when": "before", **hooks.measure(trainer)})
    save()
    with _Stop() as stop:
        ends = [sum(p.steps for p in recipe.phases[: i + 1]) for i in range(len(recipe.phases))]
        while progress.phase < len(recipe.phases):
            phase = recipe.phases[progress.phase]
            _run_phase(
                trainer, recipe, phase, ends[progress.phase], data, progress, history, board, hooks, save, stop,
                every_seconds, row_steps,
            )  # fmt: skip
            if stop.asked:
                save()
                return progress, False
            progress.scores.append({"when": phase.name, **hooks.measure(trainer)})
            if board:
                board.scalars(progress.step, progress.scores[-1], "validation")
                board.pictures(progress.step, hooks.picture(trainer))
            progress.phase += 1
            if progress.phase < len(recipe.phases):
                trainer.begin(recipe.phases[progress.phase])
            elif chief:
                save_arrays(folder / RUN_WEIGHTS, trainer.state()["model"], metadata)
            save()
    return progress, True


def _run_phase(
    trainer, recipe, phase, end, data, progress, history, board, hooks, save, stop, every_seconds, row_steps
):
    """Steps of one phase, from where the progress stands to `end` or until a stop is asked for."""
    begin = end - phase.steps
    batches = iter(data(progress.step)) if progress.step < end else None
    last_save = last = time.monotonic()
    pace = 0.0
    while progress.step < end and not stop.asked:
        values, change, norm = trainer.compute(next(batches))
        _check(values, norm, trainer, progress.step, phase, save)
        rate = phase.learning_rate(progress.step - begin)
        trainer.apply(change, rate)
        progress.step += 1
        now = time.monotonic()
        progress.seconds += now - last
        seconds, last = now - last, now
        pace = 1 / seconds if not pace else 0.95 * pace + 0.05 / seconds
        history.add({**values, "gradient": norm})
        hooks.show(progress.step, recipe.steps, phase, values, pace)
        if progress.step % row_steps == 0 or progress.step == end:
            row = history.close_row(progress.step, phase.name, rate)
            if board:
                board.scalars(progress.step, row)
        if now - last_save > every_seconds:
            save()
            last_save = time.monotonic()


def _check(values: dict[str, float], norm: float, trainer: Trainer, step: int, phase: Phase, save) -> None:
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    if not bad and (math.isfinite(norm) or trainer.loss_scaling):  # loss scaling skips such steps by itself
        return
    save()
    what = f"term {bad[0]!r} is {values[bad[0]]}" if bad else f"the gradient's norm is {norm}"
    raise NotFinite(
        f"step {step + 1} of phase {phase.name!r}: {what}; the state before it is kept. Lower the learning rate "
        "(--learning-rate), or look for damaged frames"
    )


class _Stop:
    """Turns the first Ctrl-C or SIGTERM into a request; a second Ctrl-C interrupts at once."""

    def __enter__(self) -> _Stop:
        self.asked = False
        self._before = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ValueError):  # not the main thread: its owner decides
                self._before[number] = signal.signal(number, self._ask)
        return self

    def _ask(self, number, frame) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(self, *error) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
