"""The input of a training run: augmented batches of a source for every replica, from any step of the run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import tensorflow as tf

from tfflow import augmentation
from tfflow.data.pipeline import NEIGHBOURS, ClosableSource, batches
from tfflow.data.records import Source
from tfflow.errors import InputError
from tfflow.recipes import Recipe


class Feed:
    """Called with a step, it gives the batches of every replica from that step on. `close` ends the reading.

    Batches have the crop and the batch size of the step's phase. If the next phase has others, call again.
    source: (height, width) of a phase's crop -> the source that it trains on.
    frames: the number that the network takes; with 3, samples include the frames before and after each pair.
    Batches hold the ground truth that the recipe learns from. They also hold flow12 if it is known, for the EPE.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        source: Callable[[tuple[int, int]], Source],
        recipe: Recipe,
        seed: int,
        frames: int = 2,
    ):
        self._neighbours = NEIGHBOURS if frames > 2 else ()
        self._strategy, self._recipe, self._seed, self._source = strategy, recipe, seed, source
        self._current: ClosableSource | None = None

    def __call__(self, step: int) -> Iterator:
        self.close()
        source = self._source(self._recipe.crop_of(self._recipe.phase_at(step)))
        self._current = ClosableSource(source.with_neighbours() if self._neighbours else source)
        dataset = functools.partial(self._dataset, self._current, step)
        return iter(self._strategy.distribute_datasets_from_function(dataset))

    def close(self) -> None:
        if self._current:
            self._current.close()

    def _dataset(self, source: ClosableSource, step: int, context: tf.distribute.InputContext) -> tf.data.Dataset:
        recipe, phase = self._recipe, self._recipe.phase_at(step)
        crop = recipe.crop_of(phase)
        teachers = [p.teacher for p in recipe.phases if p.teacher]
        occluders = [teacher.occluders for teacher in teachers if teacher.occluders][:1]
        changes = (*recipe.augmentation, augmentation.Crop(crop), *occluders)
        return batches(
            source,
            lambda sample, number: augmentation.apply(changes, sample, number),
            size=crop,
            batch=recipe.batch_of(phase),
            seed=self._seed,
            first_step=step,
            keys=[*sorted(truth_of(recipe) | ({"flow12", "valid1"} & source.truth)), *self._neighbours],
            workers=context.num_input_pipelines,
            worker=context.input_pipeline_id,
            replicas_here=context.num_replicas_in_sync // context.num_input_pipelines,
        )


def truth_of(recipe: Recipe) -> set[str]:
    """The ground truth that the recipe learns from."""
    keys: set[str] = set()
    for phase in recipe.phases:
        if phase.needs_truth:
            keys |= {"flow12", "valid1"} | ({"flow21", "valid2"} if phase.directions == 2 else set())
    return keys


def check_sequences(model: str, frames: int, source: Source) -> None:
    """Raises InputError if a network takes three frames and the source has only pairs."""
    if frames > 2 and not source.sequences:
        raise InputError(
            f"{model} takes {frames} frames, and {source.name} has only pairs: train on video:, frames:, "
            "sintel-clean:, sintel-final:, kitti-multiview: or scenes, or take a network of two frames"
        )


def check_truth(recipe: Recipe, source: Source) -> None:
    """Raises InputError if the source lacks ground truth that the recipe needs and does not make itself."""
    missing = truth_of(recipe) - source.truth
    if missing and not recipe.labels:
        raise InputError(
            f"recipe {recipe.name} learns from ground truth, and {source.name} has no {', '.join(sorted(missing))}; "
            "use a recipe without labels, such as ddflow"
        )
