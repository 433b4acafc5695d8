"""What a training does, of what it is asked for: recipe, network, weights, crop and rate."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfflow.data.records import Source
from tfflow.errors import InputError
from tfflow.models import lineage, load_float, pretrained_names, variant
from tfflow.recipes import Recipe, get_recipe
from tfflow.training.step import student_size
from tfflow.training.trainer import PRECISIONS

FRESH, ANY, TUNE, OWN = "ddflow_lk", "ddflow_quick", "ddflow_tune", "textured_tune"
"""Where no recipe is named: for random weights; of another network than that recipe's; for trained weights; for trained
weights and frames without ground truth."""

RANDOM = "random"
"""Instead of trained weights."""

MOST_PIXELS = 2**30
"""Of the first frames of a step, which memory holds many times."""

LARGEST = 10**9
"""Of any number that is given: steps, pairs, seconds."""


@dataclass(frozen=True)
class TrainSettings:
    """The arguments of `tfflow.train` besides its data, in range."""

    recipe: str | os.PathLike | Recipe | None = None
    model: str | None = None
    weights: str | None = None
    val_limit: int = 32
    textures: str | None = None
    out: Path | None = None
    steps: int | None = None
    batch: int | None = None
    crop: tuple[int, int] | None = None
    learning_rate: float | None = None
    phase_learning_rate: float | None = None
    seed: int = 0
    devices: str = "auto"
    precision: str = "float32"
    xla: bool = False
    on_error: str = "stop"
    save_every: float = 120.0

    def __post_init__(self) -> None:
        for option in ("steps", "batch", "val_limit", "learning_rate", "phase_learning_rate", "save_every"):
            value = getattr(self, option)
            if value is not None and not 0 < value <= LARGEST:
                bound = f"at most {LARGEST:,}" if value > 0 else "above 0"
                raise InputError(f"`{option}` must be {bound}, got {value}")
        if self.crop is not None and not _is_size(self.crop):
            raise InputError(f"`crop` must be HxW, two whole numbers above 0 such as (192, 256), got {self.crop!r}")
        if not 0 <= self.seed < 2**32:
            raise InputError(f"`seed` must be 0 to {2**32 - 1}, got {self.seed}")
        if self.learning_rate and self.phase_learning_rate:
            raise InputError("`learning_rate` and `phase_learning_rate` exclude each other: give one")
        if self.precision not in PRECISIONS:
            raise InputError(f"`precision` must be one of {', '.join(PRECISIONS)}, got {self.precision!r}")


def _is_size(given: Any) -> bool:
    return isinstance(given, tuple | list) and len(given) == 2 and all(isinstance(n, int) and n > 0 for n in given)


def starting_weights(settings: TrainSettings, sources: Sequence[Source]) -> TrainSettings:
    """The settings with the weights to start from; None stands for random ones.

    A video often has too little motion to learn from random weights: from a fixed camera they learn zero flow.
    """
    return dataclasses.replace(settings, weights=_start(settings, sources))


def _start(settings: TrainSettings, sources: Sequence[Source]) -> str | None:
    if settings.weights:
        return None if settings.weights == RANDOM else settings.weights
    if settings.recipe:
        return _weights_of(get_recipe(settings.recipe), settings.model)
    model = settings.model or get_recipe(OWN).model
    return model if _unlabelled(sources) and model in pretrained_names() else None


def _unlabelled(sources: Sequence[Source]) -> bool:
    return any("flow12" not in source.truth for source in sources)


def _weights_of(recipe: Recipe, model: str | None) -> str | None:
    """What the recipe itself begins from."""
    model = model or recipe.model
    if recipe.weights == "random":
        return None
    if recipe.weights == "pretrained" and model in pretrained_names():
        return model
    if recipe.weights in pretrained_names():
        return recipe.weights
    raise InputError(
        f"{recipe.name} goes on from trained weights of {model}: name them with `weights`, or begin from none with "
        f"`weights={RANDOM!r}`"
    )


def planned(settings: TrainSettings, sources: Sequence[Source]) -> tuple[Recipe, str]:
    """The recipe with the steps, batch and crop of this run, before its rate is set, and the network's name."""
    model = _network(settings)
    recipe = get_recipe(settings.recipe or _usual(sources, model, trained=bool(settings.weights)))
    model = model or recipe.model
    stride = variant(model).stride
    steps = recipe.scaled(settings.steps) if settings.steps else recipe
    crop = _crop(settings.crop, recipe.crop, sources, stride)
    phases = tuple(
        dataclasses.replace(
            p,
            crop=None if settings.crop or not p.crop else _crop(None, p.crop, sources, stride),
            batch=None if settings.batch else p.batch,
        )
        for p in steps.phases
    )
    recipe = dataclasses.replace(steps, crop=crop, batch=settings.batch or recipe.batch, phases=phases)
    for phase in recipe.phases:
        if phase.teacher:
            try:
                student_size(recipe.crop_of(phase), phase.teacher.student, stride)
            except ValueError as error:
                advice = _larger(settings.crop, sources)
                raise InputError(f"{recipe.name} with {model}: {error}; {advice}") from None
        height, width = recipe.crop_of(phase)
        if (pairs := recipe.batch_of(phase)) * height * width > MOST_PIXELS:
            raise InputError(
                f"{pairs} pairs of {height}x{width} px a step are too many: at most {MOST_PIXELS:,} px together"
            )
    return recipe, model


def _usual(sources: Sequence[Source], model: str | None, trained: bool) -> str:
    """The recipe where none is named. model: the network that is asked for; trained: whether its weights are."""
    if model is None or not trained:
        return FRESH if model in (None, get_recipe(FRESH).model) else ANY
    return OWN if _unlabelled(sources) and variant(model).frames == 2 else TUNE


def _network(settings: TrainSettings) -> str | None:
    """The network that is asked for, or that the weights are of; None = the recipe's."""
    if not settings.weights:
        return settings.model
    of_weights = load_float(settings.weights).name
    model = settings.model or _extended(settings, of_weights)
    if of_weights not in lineage(model):
        raise InputError(f"`weights` {settings.weights} is a {of_weights}, `model` says {model}")
    return model


def _extended(settings: TrainSettings, of_weights: str) -> str:
    """The network of a recipe that begins from the weights of a smaller one; else the network of the weights."""
    if settings.recipe:
        recipe = get_recipe(settings.recipe)
        if recipe.weights in pretrained_names() and of_weights in lineage(recipe.model):
            return recipe.model
    return of_weights


def at_rate(settings: TrainSettings, recipe: Recipe) -> Recipe:
    rate = settings.learning_rate or settings.phase_learning_rate
    return recipe.at_rate(rate, every_phase=bool(settings.phase_learning_rate)) if rate else recipe


def _crop(
    asked: tuple[int, int] | None, usual: tuple[int, int], sources: Sequence[Source], stride: int
) -> tuple[int, int]:
    """The crop that was given, if the network takes it. Default: the recipe's, cut to the frames' size."""
    if asked:
        if any(n % stride for n in asked):
            near = "x".join(str(max(stride, round(n / stride) * stride)) for n in asked)
            raise InputError(f"`crop` must be multiples of the network's stride {stride}: the nearest is {near}")
        return asked[0], asked[1]
    for source in sources:
        usual = tuple(min(n, size) for n, size in zip(usual, source.sample(0)["image1"].shape, strict=False))
    height, width = (max(stride, n // stride * stride) for n in usual)
    return height, width


def _larger(asked: tuple[int, int] | None, sources: Sequence[Source]) -> str:
    """What to do about a crop that is too small: give a larger one, or larger frames."""
    if asked or not sources:
        return "choose a larger `crop`"
    sizes = {source.name: source.sample(0)["image1"].shape[:2] for source in sources}
    name = min(sizes, key=lambda name: min(sizes[name]))
    return f"the frames of {name} are {sizes[name][0]}x{sizes[name][1]}: train on larger ones"
