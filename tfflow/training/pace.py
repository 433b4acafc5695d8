"""How many steps a second this machine trains, measured."""

from __future__ import annotations

import contextlib
import time

from tfflow.data.sources import open_scenes
from tfflow.models import variant
from tfflow.recipes import Recipe
from tfflow.training.feed import Feed
from tfflow.training.strategy import choose_strategy
from tfflow.training.trainer import Trainer

WARM_UP, TIMED = 2, 6
"""Steps before the clock starts, which build graphs, and steps that are timed."""


def steps_a_second(recipe: Recipe, model: str, devices: str = "auto") -> float:
    """The pace of the first phase of a recipe on built-in scenes. It takes less than a minute and writes nothing.

    Raises InputError if a device does not exist.
    """
    strategy = choose_strategy(devices)
    trainer = Trainer(model, recipe, strategy)
    trainer.begin(trainer.recipe.phases[0])  # as it fits this network
    feed = Feed(strategy, lambda crop: open_scenes(recipe.scenes, size=crop), recipe, 0, variant(model).frames)
    with contextlib.closing(feed):
        batches = iter(feed(0))
        begun = 0.0
        for number in range(WARM_UP + TIMED):
            if number == WARM_UP:
                begun = time.monotonic()
            _, change, _ = trainer.compute(next(batches))
            trainer.apply(change, 0.0)
    return TIMED / (time.monotonic() - begun)
