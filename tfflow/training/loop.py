"""The training loop over phases and steps. It resumes from the last state, and saves one when it is stopped."""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf

from tfflow.data.pipeline import refusal
from tfflow.errors import InputError
from tfflow.messages import warn
from tfflow.models import RUN_WEIGHTS
from tfflow.models.weights import assign, checksum, save_arrays
from tfflow.recipes import Phase
from tfflow.training.best import Arrays, Best
from tfflow.training.checkpoint import Progress, read_state, save_state, step_before
from tfflow.training.cluster import check_agreement, machines_of
from tfflow.training.log import History, TensorBoard
from tfflow.training.trainer import Trainer

Scores = dict[str, Any]

IDLE = 10
"""Number of consecutive steps with all terms exactly 0 after which a warning says that the run learns nothing."""


class NotFinite(InputError):
    """A loss or gradient became NaN or infinite. The text names the step and the term. The last good state is kept."""


@dataclass(frozen=True)
class Hooks:
    """Functions that the loop calls.

    measure: scores of the current network, before training and after each phase.
    picture: pictures by name for TensorBoard, [h, w, 3] uint8.
    show: called after each step with (step, steps, phase, values, steps a second; 0 if not known yet).
    judge: a score of the current network, lower is better, taken every `judge_every` steps and at the end of each
        phase. Each phase, and the run, then ends with the best weights so far. None: with the last weights.
    settle: called at the end of a judged run, when the network has the best weights, with their step. It returns the
        weights that the run ends with, and their step, 0 for those at the start. None: the best ones.
    """

    measure: Callable[[Trainer], Scores]
    picture: Callable[[Trainer], dict]
    show: Callable[[int, int, Phase, dict[str, float], float], None]
    judge: Callable[[Trainer], float] | None = None
    judge_every: int = 50
    settle: Callable[[Trainer, int], tuple[int, Arrays]] | None = None


class Batches(Protocol):
    """The batches of a run. Called with a step, it gives the batches from that step on. `close` ends the reading."""

    def __call__(self, step: int) -> Iterable: ...

    def close(self) -> None: ...


def train(
    trainer: Trainer,
    data: Batches,
    folder: Path,
    hooks: Hooks,
    *,
    metadata: dict[str, str],
    chief: bool = True,
    every_seconds: float = 120.0,
    row_steps: int = 10,
) -> tuple[Progress, bool]:
    """Trains to the end of the trainer's recipe, from the state in `folder` or from the start.

    Returns (progress, whether the run ended). progress.scores: {"when": "before" or a phase's name, **scores} each.
    data: closed at the end. metadata: the origin of the weights, the same on every machine. chief: whether this machine
    writes; it holds the lock of the folder (`lock.one_writer`). every_seconds: between two saved states. row_steps:
    steps in a row of the history.
    SIGINT and SIGTERM save the state after the current step and end the run. A killed run loses at most
    `every_seconds` of work: the resumed run repeats those steps with the same result.
    Raises NotFinite if a term or the gradient is not finite, InputError if a file is damaged or the disk is full. The
    state before that step is kept.
    """
    recipe = trainer.recipe
    saved = read_state(folder)
    progress = saved[1] if saved else Progress()
    if saved:
        trainer.restore(saved[0], recipe.phases[min(progress.phase, len(recipe.phases) - 1)])
    else:
        trainer.begin(recipe.phases[0])
    _agree(trainer, progress, metadata)
    run = _Run(trainer, data, folder, hooks, chief, every_seconds, row_steps, progress)
    with _Stop() as stop, contextlib.closing(data):
        run.score("before")
        if not progress.judged:  # a resumed run has been scored at its start already
            run.judge()
        run.save()
        while progress.phase < len(recipe.phases):
            phase = recipe.phases[progress.phase]
            if not run.phase(phase, stop):
                return progress, False
            run.take_best()
            if phase is recipe.phases[-1]:
                run.settle()
            run.score(phase.name)
            progress.phase += 1
            if progress.phase < len(recipe.phases):
                trainer.begin(recipe.phases[progress.phase])
            elif chief:
                save_arrays(folder / RUN_WEIGHTS, trainer.state()["model"], {**metadata, **run.kept()})
            run.save()
    return progress, True


def _agree(trainer: Trainer, progress: Progress, metadata: dict[str, str]) -> None:
    """Raises InputError unless all machines start from the same state."""
    if machines_of(trainer.strategy)[0] > 1:
        arrays = {f"{group}:{name}": x for group, values in trainer.state().items() for name, x in values.items()}
        facts = {**metadata, "phase": str(progress.phase), "state (weights, optimizer)": checksum(arrays, {})}
        check_agreement(trainer.strategy, progress.step, facts)


class _Run:
    """The variables of `train`; arguments as there."""

    def __init__(self, trainer, data, folder, hooks, chief, every_seconds, row_steps, progress: Progress):
        self.trainer, self.data, self.folder, self.hooks = trainer, data, folder, hooks
        self.recipe = trainer.recipe
        self.chief, self.every_seconds, self.row_steps, self.progress = chief, every_seconds, row_steps, progress
        self.history = History(folder if chief else None, progress.step, progress.pending)
        self.board = TensorBoard(folder) if chief else None
        self.batches = None
        self.shape: tuple | None = None  # crop and batch of the batches
        self.saved = time.monotonic()
        self.best = Best.of(folder, chief, resumed=bool(progress.judged)) if hooks.judge else None

    def judge(self) -> None:
        """Scores the network by `Hooks.judge`, unless this step was scored before the run was stopped."""
        if self.best is None or (self.progress.judged and self.progress.judged[-1][0] >= self.progress.step):
            return
        assert self.hooks.judge is not None
        score = self.hooks.judge(self.trainer)
        self.progress.judged.append([float(self.progress.step), score])
        self.best.offer(self.progress.step, score, self.trainer.state()["model"])
        if self.board:
            self.board.scalars(self.progress.step, {"held out": score}, "validation")

    def take_best(self) -> None:
        """Gives the network the best weights so far."""
        if self.best is not None:
            assign(self.trainer.graph(2), self.best.arrays, "the best checkpoint")

    def settle(self) -> None:
        """Gives the network the weights that the run ends with."""
        if self.best is not None and self.hooks.settle is not None:
            step, arrays = self.hooks.settle(self.trainer, self.best.step)
            if step == 0:
                self.best.put(0, self.progress.judged[0][1], arrays)
            assign(self.trainer.graph(2), arrays, "what the run ends with")

    def kept(self) -> dict[str, str]:
        """Metadata of the weights: which checkpoint they are."""
        return {} if self.best is None else {"kept_step": str(self.best.step)}

    def save(self, not_finite: bool = False) -> None:
        """Saves the state. not_finite: whether the next step is not finite."""
        self.progress.not_finite = not_finite
        if self.chief:
            save_state(self.folder, self.trainer.state(), self.progress)
        self.saved = time.monotonic()

    def score(self, when: str) -> None:
        """Measures the network, unless it was measured before the run was stopped."""
        if len(self.progress.scores) <= self.progress.phase + (when != "before"):
            scores = {"when": when, **self.hooks.measure(self.trainer)}
            self.progress.scores.append(scores)
            if self.board:
                self.board.scalars(self.progress.step, scores, "validation")
                self.board.pictures(self.progress.step, self.hooks.picture(self.trainer))

    def phase(self, phase: Phase, stop: _Stop) -> bool:
        """Trains one phase to its end (True), or until a stop is requested (False)."""
        trainer, progress = self.trainer, self.progress
        end = sum(p.steps for p in self.recipe.phases[: progress.phase + 1])
        shape = (self.recipe.crop_of(phase), self.recipe.batch_of(phase))
        if self.shape not in (None, shape):  # batches of another shape need a new stream
            self.data.close()
            self.batches = None
        self.shape = shape
        last, pace, done, idle = time.monotonic(), 0.0, 0, 0
        while progress.step < end:
            if trainer.anywhere(stop.asked):
                self.save()
                return False
            values, change, norm = trainer.compute(self._next())
            self._check(values, norm, phase)
            idle = 0 if any(value for name, value in values.items() if name != "epe") else idle + 1
            if idle == IDLE and self.chief:
                warn(_nothing_left(phase, progress.step + 1))
            rate = phase.learning_rate(progress.step - (end - phase.steps))
            trainer.apply(change, rate)
            progress.step += 1
            seconds, last = time.monotonic() - last, time.monotonic()
            progress.seconds += seconds
            self.history.add({**values, "gradient": norm})
            # the first step of a phase builds graphs; its time is not representative
            pace = 0.95 * pace + 0.05 / seconds if pace else 1 / seconds if done else 0.0
            done += 1
            self.hooks.show(progress.step, self.recipe.steps, phase, values, pace)
            if progress.step % self.row_steps == 0 or progress.step == end:
                row = self.history.close_row(progress.step, phase.name, rate)
                if self.board:
                    self.board.scalars(progress.step, row)
            if progress.step % self.hooks.judge_every == 0 or progress.step == end:
                self.judge()
                last = time.monotonic()  # scoring is not part of the time of a step
            if last - self.saved > self.every_seconds:
                self.save()
        return True

    def _next(self):
        """The batch of the next step. Phases with the same crop and batch size share one stream."""
        try:
            if self.batches is None:
                self.batches = iter(self.data(self.progress.step))
            return next(self.batches)
        except tf.errors.OpError as error:
            self.save()
            raise refusal(error) or error from None

    def _check(self, values: dict[str, float], norm: float, phase: Phase) -> None:
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        if not bad and (math.isfinite(norm) or self.trainer.loss_scaling):  # loss scaling skips such steps by itself
            return
        self.save(not_finite=True)
        what = f"term {bad[0]!r} is {values[bad[0]]}" if bad else f"the gradient's norm is {norm}"
        back = step_before(self.folder)
        if back is not None and back < self.progress.step:
            advice = f"Repeat the command with a lower `learning_rate`, which goes back to step {back}"
        else:
            advice = "Begin anew with a lower `learning_rate` and another `out`"
        raise NotFinite(
            f"step {self.progress.step + 1} of phase {phase.name!r}: {what}; the state before it is kept. {advice} "
            f"(it began at {self.recipe.phases[0].learning_rate.rate:g}), or look for damaged frames"
        )


def _nothing_left(phase: Phase, step: int) -> str:
    """A warning of a trivial solution: a loss over visible pixels is 0 if all pixels count as occluded."""
    return (
        f"step {step} of phase {phase.name!r}: for {IDLE} steps every term has been 0, as where all pixels "
        "count as occluded; nothing is learned. Begin with trained weights (`weights`), more steps (`steps`), or a "
        "lower rate (`learning_rate`)"
    )


class _Stop:
    """Turns the first Ctrl-C or SIGTERM into a request to stop. A second Ctrl-C interrupts at once."""

    def __enter__(self) -> _Stop:
        self.asked = False
        self._before = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ValueError):  # not the main thread, which alone may set handlers
                self._before[number] = signal.signal(number, self._ask)
        return self

    def _ask(self, number, frame) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(self, *error) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
