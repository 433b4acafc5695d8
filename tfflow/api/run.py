"""One training from its settings and data to its report, for `tfflow.train`."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from rich.console import Console, Group

from tfflow.api.own_video import NothingToLearn, OwnVideo, Verdict, copy_of
from tfflow.api.plan import RANDOM, TrainSettings, at_rate, planned, starting_weights
from tfflow.data.pipeline import EvenSubset, Mixed, check_batch
from tfflow.data.records import Source
from tfflow.data.scenes import Scenes
from tfflow.data.sources import open_scenes
from tfflow.data.survey import remark, survey
from tfflow.errors import InputError
from tfflow.evaluation import baselines, report, scoring, training_report
from tfflow.evaluation.pictures import contact_sheet
from tfflow.messages import counted, warn
from tfflow.models import RUN_WEIGHTS, FlowModel, load_float, pretrained_names, record, variant, weights_file
from tfflow.models.narrowing import narrowed
from tfflow.models.weights import assign, model_arrays, read_arrays, save_arrays
from tfflow.recipes import Recipe
from tfflow.terminal import as_text
from tfflow.training import loop
from tfflow.training.bar import Bar
from tfflow.training.checkpoint import Progress, check_folder, claim_folder, read_state, unclaim_folder
from tfflow.training.cluster import machines_of
from tfflow.training.feed import Feed, check_sequences, check_truth
from tfflow.training.lock import one_writer
from tfflow.training.log import read_history
from tfflow.training.settings import run_settings
from tfflow.training.strategy import choose_strategy
from tfflow.training.trainer import Trainer

REPORT = "report.png"
"""The report of what was learned, written when all else is done."""

UNSEEN = 1_000_003
"""Added to the seed of the scenes trained on, for scenes to measure on."""


class Stopped(KeyboardInterrupt):
    """A signal ended the training; its state is saved, and the same call goes on from there."""


@dataclass(frozen=True)
class TrainResult:
    """A training that ended.

    folder: what it wrote. recipe: as it was trained, its steps, batch and crop included. network: its name. steps,
    seconds: of the whole training. scores: {"when": "zero flow", "before", a phase's name, ..., metric: mean over the
    pairs of `measured_on`}. new: whether this call trained; False where the folder held the whole run already.
    verdict: of a recipe that renders its labels: what training was worth on held-out frames.
    """

    folder: Path
    recipe: Recipe
    network: str
    data: str
    measured_on: str
    steps: int
    seconds: float
    scores: tuple[dict[str, Any], ...]
    new: bool = True
    verdict: Verdict | None = None

    @property
    def weights(self) -> Path:
        """The file of weights, which `tfflow.load` takes."""
        return self.folder / RUN_WEIGHTS

    @property
    def report(self) -> Path:
        """A picture: flow before and after on pairs of the data, the losses, the scores."""
        return self.folder / REPORT

    @functools.cached_property
    def model(self) -> FlowModel:
        """The trained network, ready to use."""
        return load_float(self.folder)

    def __rich__(self) -> Group:
        heading = f"measured on {self.measured_on}, mean over pairs:"
        ends = [self.verdict.line()] if self.verdict else []
        return Group(heading, training_report.scores_table(list(self.scores)), *ends)

    def table(self) -> str:
        """The scores as text: a row for each time that the network was measured, and for each baseline."""
        return as_text(self)

    def save(self, path: str | os.PathLike) -> Path:
        """Writes the weights alone to a .safetensors file, which `tfflow.load` takes; returns its path."""
        save_arrays(path, *read_arrays(self.weights))
        return Path(path)


class Run:
    """One training: what its settings and data come to, checked before anything is written."""

    def __init__(self, settings: TrainSettings, sources: list[Source], val: list[Source], console: Console):
        self.console = console
        self.strategy = choose_strategy(settings.devices)
        self.machine = machines_of(self.strategy)[1]
        self.settings = settings = starting_weights(settings, sources)
        plan, self.model = planned(settings, sources)
        self.recipe = recipe = at_rate(settings, plan)
        for phase in recipe.phases:
            check_batch(recipe.batch_of(phase), self.strategy.num_replicas_in_sync)
        self.given = _joined(sources)
        self.source = self.given or self._scenes(recipe.crop_of(recipe.phases[-1]))
        check_truth(recipe, self.source)
        frames = variant(self.model).frames
        check_sequences(self.model, frames, self.source)
        self.val, self._val_given = self._validation(_joined(val)), bool(val)
        self.own: OwnVideo | None = None
        if frames > 2:
            self.val = self.val.with_neighbours()
        self.out = settings.out or Path("runs") / _run_name(recipe.name, self.model, sources)
        every = settings.phase_learning_rate
        self.marks = run_settings(
            plan,
            settings.learning_rate or (every and f"{every} in every phase"),
            model=self.model,
            data=self.source.name,
            pairs=len(self.source),
            weights=_origin(settings.weights),
            seed=settings.seed,
            precision=settings.precision,
            devices=self.strategy.num_replicas_in_sync,
        )
        check_folder(self.out, self.marks)

    def train(self) -> TrainResult:
        saved = read_state(self.out) if (self.out / REPORT).is_file() and (self.out / RUN_WEIGHTS).is_file() else None
        if saved and saved[1].phase == len(self.recipe.phases):
            return self._result(saved[1], new=False)
        settings = self.settings
        try:
            precision, xla, seed = settings.precision, settings.xla, settings.seed
            trainer = Trainer(self.model, self.recipe, self.strategy, precision=precision, xla=xla, seed=seed)
            if settings.weights:
                start = load_float(settings.weights)
                graph, other = trainer.graph(2), start.name != self.model
                arrays = narrowed(start.both_ways, graph) if other else model_arrays(start.both_ways)
                assign(graph, arrays, settings.weights, partly=other)
            with one_writer(self.out) if self.machine == 0 else contextlib.nullcontext():
                if self.machine == 0:
                    claim_folder(self.out, self.marks)
                try:
                    return self._trained(trainer)
                except NothingToLearn:
                    unclaim_folder(self.out)
                    raise
        except tf.errors.OpError as error:
            raise _refusal(error, self.out) from error

    def _trained(self, trainer: Trainer) -> TrainResult:
        """Trains into the folder, which this process may write, and leaves the report there."""
        recipe, source, settings, console = self.recipe, self.source, self.settings, self.console
        writes = self.machine == 0
        height, width = recipe.crop
        console.print(
            f"{recipe.name}: {self.model} on {source.name} ({counted(len(source), 'pair')}), "
            f"{counted(recipe.steps, 'step')} of {counted(recipe.batch, 'pair')} of {height}x{width} px, "
            f"{counted(self.strategy.num_replicas_in_sync, 'device')}; "
            f"from {settings.weights or RANDOM} weights; folder {self.out}"
        )
        for departure in trainer.departures:
            console.print(f"departure: {departure}")
        if recipe.labels:
            start = copy_of(trainer.flow_model)
            self.own = OwnVideo(source, recipe.labels, settings.seed, self.out, start, console.print)
            self.val = self.val if self._val_given else self.own.report
        elif self.given and (text := remark(survey(source), source.name)):
            warn(text)
        metadata = {
            "model": self.model,
            "recipe": recipe.name,
            "method": repr(recipe),
            "steps": str(recipe.steps),
            "data": _to_publish(source.name),
            "seed": str(settings.seed),
            "start": settings.weights or RANDOM,
        }
        feed = Feed(self.strategy, self._feeding, recipe, settings.seed, trainer.flow_model.frames)
        with Bar(console, writes) as bar:
            hooks = loop.Hooks(lambda t: self._measure(t, bar), self._pictures, bar.show)
            progress, ended = loop.train(
                trainer,
                feed,
                self.out,
                self.own.hooks(hooks, recipe.steps, writes) if self.own else hooks,
                metadata=metadata,
                chief=writes,
                every_seconds=settings.save_every,
            )
        if not ended:
            raise Stopped(f"stopped at step {progress.step}, saved; the same command continues")
        if not writes:
            return self._result(progress)
        console.print("measuring")
        result = self._result(progress, _baseline_scores(self.val))
        minutes = f"{progress.seconds / 60:.1f} min"
        title = f"{recipe.name}: {self.model}, {progress.step:,} steps in {minutes}, on {_to_publish(source.name)}"
        title += f"\n{result.verdict.line()}" if result.verdict else ""
        examples = training_report.rows_of_flow(trainer.flow_model, _examples(self.val), baselines.dis())
        training_report.write_report(self.out / REPORT, title, examples, read_history(self.out), list(result.scores))
        return result

    def _result(self, progress: Progress, beside: tuple[dict[str, Any], ...] = (), new: bool = True) -> TrainResult:
        return TrainResult(
            self.out,
            self.recipe,
            self.model,
            self.source.name,
            f"{self.val.name} ({counted(len(self.val), 'pair')})",
            progress.step,
            progress.seconds,
            (*beside, *progress.scores),
            new,
            Verdict.read(self.out),
        )

    def _scenes(self, size: tuple[int, int]) -> Scenes:
        """The built-in scenes of the recipe, in the size of a phase's crop."""
        return open_scenes(self.recipe.scenes, size=size, seed=self.settings.seed, textures=self.settings.textures)

    def _feeding(self, crop: tuple[int, int]) -> Source:
        return self.own.training(crop) if self.own else self.given or self._scenes(crop)

    def _validation(self, val: Source | None) -> Source:
        """What to measure on: what is given; else unseen scenes; else pairs spread evenly over the data trained on."""
        source, limit = self.source, self.settings.val_limit
        if val is None and isinstance(source, Scenes):
            val = Scenes(source.size, limit, source.seed + UNSEEN, source.settings, source.textures)
        val = val or source
        return EvenSubset(val, min(limit, len(val)))

    def _measure(self, trainer: Trainer, bar: Bar) -> dict[str, float]:
        bar.say("measuring")
        result = scoring.run({"network": trainer.flow_model}, self.val, batch=4)["network"]
        return {k: float(v) for k, v in result.summary()["mean_over_images"].items()}

    def _pictures(self, trainer: Trainer) -> dict:
        return {"flow": contact_sheet(training_report.rows_of_flow(trainer.flow_model, _examples(self.val)))}


def _refusal(error: tf.errors.OpError, out: Path) -> InputError:
    """What TensorFlow ran into, in one line."""
    first = (error.message or type(error).__name__).strip().splitlines()[0][:200]
    advice = "the same command continues from the last state"
    if isinstance(error, tf.errors.ResourceExhaustedError) and "space" not in first:
        first, advice = f"memory does not suffice ({first})", "take a smaller `batch` or `crop`, or other `devices`"
    if isinstance(error, tf.errors.UnavailableError | tf.errors.AbortedError | tf.errors.CancelledError):
        first = f"another machine of this run went away ({first})"
    return InputError(f"training into {str(out)!r} stopped: {first}; {advice}")


def _origin(weights: str | None) -> str | None:
    """Pretrained weights by name and checksum, so that a run continues where the package is installed in another place,
    but not from other weights of that name; other weights by their file."""
    if weights in pretrained_names():
        return f"{weights}, SHA-256 {record(weights)['sha256'][:16]}"
    return str(weights_file(weights)) if weights else None


def _joined(sources: list[Source]) -> Source | None:
    """All sources as one."""
    if len(sources) < 2:
        return sources[0] if sources else None
    return Mixed(sources)


def _run_name(recipe: str, model: str, sources: list[Source]) -> str:
    stems = [re.split(r"[/\\]", s.name.rstrip("/\\"))[-1].rpartition(":")[2] for s in sources] or ["scenes"]
    return report.safe_name("-".join([recipe, model, *stems]))


def _to_publish(name: str) -> str:
    """The name of the data, for the files that others get: of the folder of textures, its last part alone."""
    return re.sub(r"(textures=)[^,+]*[/\\](?=[^/\\,])", r"\1", name)


def _baseline_scores(val: Source) -> tuple[dict[str, Any], ...]:
    results = scoring.run({b.name: b for b in (baselines.zero(), baselines.dis("medium"))}, val)
    return tuple({"when": name, **r.summary()["mean_over_images"]} for name, r in results.items())


def _examples(val: Source) -> list:
    return [val.sample(i * len(val) // min(4, len(val))) for i in range(min(4, len(val)))]
