"""`tfflow.train`: a flow network, by default without labels and on the built-in moving scenes."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import tensorflow as tf
from rich.console import Console, Group

from tfflow.api.plan import RANDOM, TrainSettings, at_rate, planned, starting_weights
from tfflow.data.damage import warn
from tfflow.data.pipeline import Mixed, Spread, check_batch
from tfflow.data.records import Source
from tfflow.data.scenes import Scenes
from tfflow.data.sources import open_scenes, open_sources
from tfflow.data.survey import remark, survey
from tfflow.errors import InputError
from tfflow.evaluation import baselines, benchmark, learned, report
from tfflow.evaluation.pictures import contact_sheet
from tfflow.models import RUN_WEIGHTS, FlowModel, load_float, variant, weights_file
from tfflow.models.weights import assign, model_arrays, read_arrays, save_arrays
from tfflow.recipes import Recipe
from tfflow.terminal import as_text
from tfflow.training import loop
from tfflow.training.bar import Bar
from tfflow.training.checkpoint import Progress, check_folder, claim_folder, read_state
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
        return Group(heading, learned.scores_table(list(self.scores)))

    def table(self) -> str:
        """The scores as text: a row for each time that the network was measured, and for each baseline."""
        return as_text(self)

    def save(self, path: str | os.PathLike) -> Path:
        """Writes the weights alone to a .safetensors file, which `tfflow.load` takes; returns its path."""
        save_arrays(path, *read_arrays(self.weights))
        return Path(path)


def train(
    data: Any = None,
    *,
    recipe: str | os.PathLike | Recipe | None = None,
    model: str | None = None,
    weights: str | os.PathLike | None = None,
    val: Any = None,
    val_limit: int = 32,
    textures: str | os.PathLike | None = None,
    out: str | os.PathLike | None = None,
    steps: int | None = None,
    batch: int | None = None,
    crop: tuple[int, int] | None = None,
    learning_rate: float | None = None,
    phase_learning_rate: float | None = None,
    seed: int = 0,
    devices: str = "auto",
    precision: str = "float32",
    xla: bool = False,
    on_error: str = "stop",
    save_every: float = 120.0,
    progress: bool = False,
) -> TrainResult:
    """Trains a flow network into a folder; the same call again continues where it stopped.

        result = tfflow.train("video:holiday.mp4", out="runs/holiday")
        print(result.table())
        flow = result.model.flow(image1, image2)

    data: frames to train on: "KIND:PATH", a path, an object of your own (`tfflow.data.own.as_source`), or a list of
        them. Default: built-in scenes, with textures from the photographs in `textures`.
    recipe: a method by name, a `Recipe`, or a Python file that holds one, which is executed. Default: "ddflow_quick";
        from trained weights "ddflow_tune".
    model: the network by name. Default: the recipe's. weights: trained weights to start from, or "random". Default: for
        frames without ground truth and no recipe the pretrained ones, else none.
    val: what to measure on, as `data`. Default: scenes that were not trained on, or some of `data`. val_limit: pairs.
    out: the folder. Default: runs/RECIPE-MODEL-DATA.
    steps: updates in all; batch: pairs an update; crop: (height, width). Default: the recipe's, or what fits.
    learning_rate scales the recipe's schedules so that the first begins there; phase_learning_rate so that each does.
    seed: of weights, data and augmentation. devices: "auto", or as "GPU:0,GPU:1" or "CPU:2". precision: of the
        network's inner tensors. xla: compile the step. on_error: "stop" or "skip", at a damaged file. save_every:
        seconds between checkpoints. progress: print what goes on.
    Raises InputError where an argument, the data or the folder does not fit, `Stopped` (a KeyboardInterrupt) where a
    signal ended it.
    """
    settings = TrainSettings(
        recipe=recipe,
        model=model,
        weights=None if weights is None else os.fspath(weights),
        val_limit=val_limit,
        textures=None if textures is None else os.fspath(textures),
        out=None if out is None else Path(out),
        steps=steps,
        batch=batch,
        crop=crop,
        learning_rate=learning_rate,
        phase_learning_rate=phase_learning_rate,
        seed=seed,
        devices=devices,
        precision=precision,
        xla=xla,
        on_error=on_error,
        save_every=save_every,
    )
    sources = open_sources(data, on_error)
    if textures and sources:
        raise InputError("--textures belongs to the built-in scenes: leave --data out, or say scenes:textures=DIR")
    with _one_reading_thread():
        return _Run(settings, sources, open_sources(val, on_error), report.wide_console(quiet=not progress)).train()


class _Run:
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
        self.val = self._validation(_joined(val))
        if frames > 2:
            self.val = self.val.around()
        self.out = settings.out or Path("runs") / _run_name(recipe.name, self.model, sources)
        every = settings.phase_learning_rate
        self.marks = run_settings(
            plan,
            settings.learning_rate or (every and f"{every} in every phase"),
            model=self.model,
            data=self.source.name,
            pairs=len(self.source),
            weights=str(weights_file(settings.weights)) if settings.weights else None,
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
                partly = start.name != self.model
                assign(trainer.graph(2), model_arrays(start.both_ways), settings.weights, partly=partly)
            with one_writer(self.out) if self.machine == 0 else contextlib.nullcontext():
                if self.machine == 0:
                    claim_folder(self.out, self.marks)
                return self._trained(trainer)
        except tf.errors.OpError as error:
            raise _refusal(error, self.out) from error

    def _trained(self, trainer: Trainer) -> TrainResult:
        """Trains into the folder, which this process may write, and leaves the report there."""
        recipe, source, settings, console = self.recipe, self.source, self.settings, self.console
        writes = self.machine == 0
        console.print(
            f"{recipe.name}: {self.model} on {source.name} ({len(source):,} pairs), {recipe.steps:,} steps of "
            f"{recipe.batch} pairs of {recipe.crop[0]}x{recipe.crop[1]} px, {self.strategy.num_replicas_in_sync} "
            f"device(s); from {settings.weights or RANDOM} weights; folder {self.out}"
        )
        for departure in trainer.departures:
            console.print(f"departure: {departure}")
        if self.given and (text := remark(survey(source), source.name)):
            warn(text)
        metadata = {"model": self.model, "recipe": recipe.name, "method": repr(recipe), "steps": str(recipe.steps),
                    "data": source.name, "seed": str(settings.seed), "start": settings.weights or RANDOM}  # fmt: skip
        feed = Feed(self.strategy, self._feeding, recipe, settings.seed, trainer.flow_model.frames)
        with Bar(console, writes) as bar:
            progress, ended = loop.train(
                trainer,
                feed,
                self.out,
                loop.Hooks(lambda t: self._measure(t, bar), self._pictures, bar.show),
                metadata=metadata,
                chief=writes,
                every_seconds=settings.save_every,
            )
        if not ended:
            raise Stopped(f"stopped at step {progress.step}, saved; the same command continues")
        if not writes:
            return self._result(progress)
        result = self._result(progress, _baseline_scores(self.val))
        minutes = f"{progress.seconds / 60:.1f} min"
        title = f"{recipe.name}: {self.model}, {progress.step:,} steps in {minutes}, on {source.name}"
        examples = learned.rows_of_flow(trainer.flow_model, _examples(self.val), baselines.dis())
        learned.write_report(self.out / REPORT, title, examples, read_history(self.out), list(result.scores))
        return result

    def _result(self, progress: Progress, beside: tuple[dict[str, Any], ...] = (), new: bool = True) -> TrainResult:
        return TrainResult(
            self.out,
            self.recipe,
            self.model,
            self.source.name,
            f"{self.val.name} ({len(self.val)} pairs)",
            progress.step,
            progress.seconds,
            (*beside, *progress.scores),
            new,
        )

    def _scenes(self, size: tuple[int, int]) -> Scenes:
        """The built-in scenes of the recipe, in the size of a phase's crop."""
        return open_scenes(self.recipe.scenes, size=size, seed=self.settings.seed, textures=self.settings.textures)

    def _feeding(self, crop: tuple[int, int]) -> Source:
        return self.given or self._scenes(crop)

    def _validation(self, val: Source | None) -> Source:
        """What to measure on: what is given; else unseen scenes; else pairs spread evenly over the data trained on."""
        source, limit = self.source, self.settings.val_limit
        if val is None and isinstance(source, Scenes):
            val = Scenes(source.size, limit, source.seed + UNSEEN, source.settings, source.textures)
        val = val or source
        return Spread(val, min(limit, len(val)))

    def _measure(self, trainer: Trainer, bar: Bar) -> dict[str, float]:
        bar.say("measuring")
        result = benchmark.run({"network": trainer.flow_model}, self.val, batch=4)["network"]
        return {k: float(v) for k, v in result.summary()["mean_over_images"].items()}

    def _pictures(self, trainer: Trainer) -> dict:
        return {"flow": contact_sheet(learned.rows_of_flow(trainer.flow_model, _examples(self.val)))}


def _refusal(error: tf.errors.OpError, out: Path) -> InputError:
    """What TensorFlow ran into, in one line."""
    first = (error.message or type(error).__name__).strip().splitlines()[0][:200]
    advice = "the same command continues from the last state"
    if isinstance(error, tf.errors.ResourceExhaustedError) and "space" not in first:
        first, advice = f"memory does not suffice ({first})", "take a smaller --batch or --crop, or other --devices"
    if isinstance(error, tf.errors.UnavailableError | tf.errors.AbortedError | tf.errors.CancelledError):
        first = f"another machine of this run went away ({first})"
    return InputError(f"training into {str(out)!r} stopped: {first}; {advice}")


@contextlib.contextmanager
def _one_reading_thread() -> Iterator[None]:
    """OpenCV in one thread: frames are read beside the training, which needs the other cores."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _joined(sources: list[Source]) -> Source | None:
    """All sources as one."""
    if len(sources) < 2:
        return sources[0] if sources else None
    return Mixed(sources)


def _run_name(recipe: str, model: str, sources: list[Source]) -> str:
    stems = [re.split(r"[/\\]", s.name.rstrip("/\\"))[-1].rpartition(":")[2] for s in sources] or ["scenes"]
    return report.safe_name("-".join([recipe, model, *stems]))


def _baseline_scores(val: Source) -> tuple[dict[str, Any], ...]:
    results = benchmark.run({b.name: b for b in (baselines.zero(), baselines.dis("medium"))}, val)
    return tuple({"when": name, **r.summary()["mean_over_images"]} for name, r in results.items())


def _examples(val: Source) -> list:
    return [val.sample(i * len(val) // min(4, len(val))) for i in range(min(4, len(val)))]
