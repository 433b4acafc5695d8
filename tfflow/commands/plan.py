"""What a training run does, of what its command says: recipe, network, weights, crop and rate."""

from __future__ import annotations

import argparse
import dataclasses

from tfflow.data.picked import OwnPairs
from tfflow.data.records import Source
from tfflow.errors import InputError
from tfflow.models import boxed, load_float, variant
from tfflow.recipes import Recipe, named
from tfflow.training.step import student_size

FRESH, TUNE = "ddflow_quick", "rendered_tune"
"""What trains random weights, and what trains on from trained ones, where no recipe is named."""

RANDOM = "random"
"""Instead of trained weights."""

MOST_PIXELS = 2**30
"""Of the first frames of a step, which memory holds many times."""


def starting_weights(args: argparse.Namespace, sources: list[Source]) -> str | None:
    """The weights to go on from. Frames of one's own often hold too little motion to learn from nothing: a video of a
    fixed camera, say, teaches random weights that nothing moves."""
    if args.weights:
        return None if args.weights == RANDOM else args.weights
    if args.recipe:
        return _weights_of(named(args.recipe), args.model)
    model = args.model or named(TUNE).model
    own = any("flow12" not in source.truth for source in sources)
    return model if own and model in boxed() else None


def _weights_of(recipe: Recipe, model: str | None) -> str | None:
    """What the recipe itself begins from."""
    model = model or recipe.model
    if recipe.weights == "random":
        return None
    if recipe.weights == "pretrained" and model in boxed():
        return model
    if recipe.weights in boxed():
        return recipe.weights
    raise InputError(
        f"{recipe.name} goes on from trained weights of {model}: name them with --weights W, or begin from none with "
        f"--weights {RANDOM}"
    )


def method(args: argparse.Namespace, sources: list[Source]) -> tuple[Recipe, str]:
    """The recipe as this run takes it, at its own rate, and the network's name."""
    recipe = named(args.recipe or (TUNE if args.weights else FRESH))
    if recipe.rendering:  # it trains on smaller frames, where these are large
        sources = [OwnPairs(source, [(0, 0)]) for source in sources]
    model = args.model
    if args.weights:
        of_weights = load_float(args.weights).name
        if model and of_weights not in (model, variant(model).extends):
            raise InputError(f"--weights {args.weights} is a {of_weights}, --model says {model}")
        model = model or of_weights
    model = model or recipe.model
    stride = variant(model).stride
    steps = recipe.scaled(args.steps) if args.steps else recipe
    crop = _crop(args.crop, recipe.crop, sources, stride)
    phases = tuple(
        dataclasses.replace(
            p,
            crop=None if args.crop or not p.crop else _crop(None, p.crop, sources, stride),
            batch=None if args.batch else p.batch,
        )
        for p in steps.phases
    )
    recipe = dataclasses.replace(steps, crop=crop, batch=args.batch or recipe.batch, phases=phases)
    for phase in recipe.phases:
        if phase.teacher:
            try:
                student_size(recipe.crop_of(phase), phase.teacher.student, stride)
            except ValueError as error:
                raise InputError(f"{recipe.name} with {model}: {error}; {_larger(args.crop, sources)}") from None
        height, width = recipe.crop_of(phase)
        if (pairs := recipe.batch_of(phase)) * height * width > MOST_PIXELS:
            raise InputError(
                f"{pairs} pairs of {height}x{width} px a step are too many: at most {MOST_PIXELS:,} px together"
            )
    return recipe, model


def at_rate(args: argparse.Namespace, recipe: Recipe) -> Recipe:
    rate = args.learning_rate or args.phase_learning_rate
    return recipe.at_rate(rate, every_phase=bool(args.phase_learning_rate)) if rate else recipe


def _crop(asked: tuple[int, int] | None, usual: tuple[int, int], sources: list[Source], stride: int) -> tuple[int, int]:
    """The crop asked for, which must fit the network; else the recipe's, cut to what fits the frames and it."""
    if asked:
        if any(n % stride for n in asked):
            near = "x".join(str(max(stride, round(n / stride) * stride)) for n in asked)
            raise InputError(f"--crop must be multiples of the network's stride {stride}: the nearest is {near}")
        return asked
    for source in sources:
        usual = tuple(min(n, size) for n, size in zip(usual, source.sample(0)["image1"].shape, strict=False))
    height, width = (max(stride, n // stride * stride) for n in usual)
    return height, width


def _larger(asked: tuple[int, int] | None, sources: list[Source]) -> str:
    """What to do about a crop that is too small: it is the one that was asked for, or as large as the frames."""
    if asked or not sources:
        return "choose a larger --crop"
    sizes = {source.name: source.sample(0)["image1"].shape[:2] for source in sources}
    name = min(sizes, key=lambda name: min(sizes[name]))
    return f"the frames of {name} are {sizes[name][0]}x{sizes[name][1]}: train on larger ones"
