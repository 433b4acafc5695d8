"""Fits a recipe to a network before the first step: the network must have the outputs that every term needs."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from tfflow.errors import InputError
from tfflow.losses.view import level_names
from tfflow.models import FlowModel
from tfflow.models.graph import outputs_of
from tfflow.recipes import Phase, Recipe
from tfflow.training.step import flows_of


def fitted(recipe: Recipe, model: FlowModel) -> tuple[Recipe, list[str]]:
    """The recipe as it trains this network, and a line for each departure from the given one.

    Raises InputError if a phase trains weights, or uses an output or a level, that the network lacks. If the recipe
    allows it and other terms remain, the terms of missing levels are left out instead.
    """
    for phase in recipe.phases:
        trained_weights(recipe, phase, model)
        if missing := phase.objective.needs_outputs.difference(outputs_of(model.network)):
            raise InputError(
                f"{recipe.name} uses {', '.join(sorted(missing))} of a network, and {model.name} has none; "
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
                f"{recipe.name} uses flow at {level_names(missing_levels)}, and {model.name} has it at "
                f"{level_names(levels)}; `model` {recipe.model} has it"
            )
        lacking |= missing_levels
        phases.append(dataclasses.replace(phase, objective=left))
    if not lacking:
        return recipe, []
    text = f"{model.name} has no flow at {level_names(lacking)}: {recipe.name} is trained without its terms there"
    return dataclasses.replace(recipe, phases=tuple(phases)), [text]


def trained_weights(recipe: Recipe, phase: Phase, model: FlowModel) -> list[tf.Variable]:
    """The weights that a phase trains. InputError if there are none."""
    trained = [v for v in model.both_ways.trainable_variables if v.name.startswith(phase.part.weights)]
    if not trained:
        raise InputError(
            f"{recipe.name} trains weights named {phase.part.weights}... in its phase {phase.name!r}, and "
            f"{model.name} has none; `model` {recipe.model} has"
        )
    return trained


def _sizes(model: FlowModel, crop: tuple[int, int]) -> list[tf.TensorSpec]:
    """The shapes of the network's flows on a crop, from tracing alone."""
    graph = model.both_ways
    frames = [tf.TensorSpec([1, *crop, 3]) for _ in graph.inputs]
    maps = tf.function(lambda *images: graph(list(images)), autograph=False).get_concrete_function(*frames)
    flows = tf.nest.flatten(maps.structured_outputs)
    return flows[: len(flows) // len(outputs_of(model.network))]
