"""Fits a recipe to a network before the first step: every term must find the outputs that it needs."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from tfflow.errors import InputError
from tfflow.losses.view import named_levels
from tfflow.models import FlowModel
from tfflow.models.graph import outputs_of
from tfflow.recipes import Phase, Recipe
from tfflow.training.step import flows_of


def fitted(recipe: Recipe, model: FlowModel) -> tuple[Recipe, list[str]]:
    """The recipe as it trains this network, and a line for each departure from it.

    Raises InputError where a phase trains weights, or judges an output or a level, that the network lacks; levels are
    left out instead where the recipe says that they may be, and something is left to learn from.
    """
    for phase in recipe.phases:
        trained_weights(recipe, phase, model)
        if missing := phase.objective.needs_outputs.difference(outputs_of(model.network)):
            raise InputError(
                f"{recipe.name} judges {', '.join(sorted(missing))} of a network, and {model.name} has none; "
                f"`model` {recipe.model} has"
            )
    if not any(phase.objective.needs_levels for phase in recipe.phases):
        return recipe, []
    sizes = _sizes(model, recipe.crop)
    phases: list[Phase] = []
    lacking: set[int] = set()
    for phase in recipe.phases:
        levels = frozenset(sizes[0].shape[1] // flow.shape[1] for flow in flows_of(phase.part.net, sizes))
        missing_levels = phase.objective.needs_levels - levels
        left = phase.objective.on_levels(levels)
        if missing_levels and not (recipe.levels_optional and left.terms):
            raise InputError(
                f"{recipe.name} judges flow at {named_levels(missing_levels)}, and {model.name} has it at "
                f"{named_levels(levels)}; `model` {recipe.model} has it"
            )
        lacking |= missing_levels
        phases.append(dataclasses.replace(phase, objective=left))
    if not lacking:
        return recipe, []
    text = f"{model.name} has no flow at {named_levels(lacking)}: {recipe.name} is trained without its terms there"
    return dataclasses.replace(recipe, phases=tuple(phases)), [text]


def trained_weights(recipe: Recipe, phase: Phase, model: FlowModel) -> list[tf.Variable]:
    """The weights that a phase trains. InputError where there are none."""
    trained = [v for v in model.both_ways.trainable_variables if v.name.startswith(phase.part.weights)]
    if not trained:
        raise InputError(
            f"{recipe.name} trains weights named {phase.part.weights}... in its phase {phase.name!r}, and "
            f"{model.name} has none; `model` {recipe.model} has"
        )
    return trained


def _sizes(model: FlowModel, crop: tuple[int, int]) -> list[tf.TensorSpec]:
    """The grids of the network's flows on a crop: traced, not computed."""
    graph = model.both_ways
    frames = [tf.TensorSpec([1, *crop, 3]) for _ in graph.inputs]
    maps = tf.function(lambda *images: graph(list(images)), autograph=False).get_concrete_function(*frames)
    flows = tf.nest.flatten(maps.structured_outputs)
    return flows[: len(flows) // len(outputs_of(model.network))]
