"""Short runs of tiny networks, put together as `tfflow.train` does it but for the command line."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow.augmentation import Flip
from tfflow.data.scenes import Scenes
from tfflow.losses import Census, Distillation, Everywhere, ForwardBackward, Photometric
from tfflow.models import variant
from tfflow.models.weights import model_arrays, read_arrays
from tfflow.recipes import Adam, Phase, Recipe, Teacher
from tfflow.recipes.schedules import Halving
from tfflow.training import loop
from tfflow.training.checkpoint import read_state
from tfflow.training.feed import Feed
from tfflow.training.trainer import Trainer

CROP = (24, 32)
SCENES = Scenes((32, 40), 5, seed=3)
RATE = Halving(1e-2, every=3, warmup=2)
VISIBILITY = ForwardBackward()
THREE = Recipe(
    name="three",
    paper="of the tests",
    equation="L",
    model="tiny",
    phases=(
        Phase("photometric", 4, 1.0 * Photometric(), RATE, Everywhere()),
        Phase("census", 4, 1.0 * Census(radius=1), RATE, VISIBILITY),
        Phase("distillation", 4, 1.0 * Census(radius=1) + 0.5 * Distillation(), RATE, VISIBILITY, teacher=Teacher(0.7)),
    ),
    batch=2,
    crop=CROP,
    augmentation=(Flip(0.5, 0.5),),
    optimizer=Adam(clip=1.0),
)


def one(phase: Phase, **changes) -> Recipe:
    """A recipe of a single phase."""
    return dataclasses.replace(THREE, phases=(phase,), **changes)


def trainer(recipe: Recipe, **options) -> Trainer:
    return Trainer(recipe.model, recipe, tf.distribute.get_strategy(), **options)


def first_weights(recipe: Recipe, **options) -> dict[str, np.ndarray]:
    """What `trainer` begins with."""
    return model_arrays(trainer(recipe, **options).graph(2))


class data(Feed):
    """What `loop.train` trains on; spoil(element, step) changes the batch of one step."""

    def __init__(self, recipe: Recipe, source=SCENES, spoil=lambda element, step: element):
        super().__init__(tf.distribute.get_strategy(), lambda crop: source, recipe, 5, variant(recipe.model).frames)
        self.spoil = spoil

    def __call__(self, step: int):
        return (self.spoil(element, step + i) for i, element in enumerate(super().__call__(step)))


def quiet(at=None) -> loop.Hooks:
    """Hooks that measure how often they measured; at(step) is called after each step."""
    return loop.Hooks(
        lambda trainer: {"epe": float(np.sum([np.abs(x).sum() for x in trainer.state()["model"].values()]))},
        lambda trainer: {},
        lambda step, steps, phase, values, pace: at(step) if at else None,
    )


def run(folder, recipe, *, at=None, trainer=trainer, every_seconds=1e9, **others):
    """A run, or its continuation, in `folder`: (progress, ended, trainer)."""
    folder.mkdir(exist_ok=True)
    trained = trainer(recipe)
    source = others.pop("data", None) or data(recipe)
    progress, ended = loop.train(
        trained, source, folder, quiet(at), metadata={"model": recipe.model}, row_steps=3,
        every_seconds=every_seconds, **others,
    )  # fmt: skip
    return progress, ended, trained


def weights(folder) -> dict[str, np.ndarray]:
    return read_arrays(folder / "weights.safetensors")[0]


def largest_difference(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> float:
    assert a.keys() == b.keys()
    return max(float(np.abs(a[k].astype(np.float64) - b[k]).max()) for k in a)


def step_of(folder) -> int | None:
    """The step that the state on disk is of, None where there is none yet."""
    state = read_state(folder)
    return state[1].step if state else None
