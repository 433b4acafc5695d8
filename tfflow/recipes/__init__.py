"""The published methods, one file each. A new method is a new file here, with a `Recipe` of the file's name in it."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from tfflow.data.rendered import Rendering
from tfflow.errors import unknown_name
from tfflow.recipes.recipe import Adam, Part, Phase, Recipe, Teacher, Transformed

NOT_METHODS = {"recipe", "schedules", "__main__"}
RECIPES: dict[str, Recipe] = {}
for _module in pkgutil.iter_modules([str(Path(__file__).parent)]):
    if _module.name not in NOT_METHODS:
        for _value in vars(importlib.import_module(f"{__name__}.{_module.name}")).values():
            if isinstance(_value, Recipe) and RECIPES.setdefault(_value.name, _value) is not _value:
                raise ValueError(f"two recipes are called {_value.name!r}, one of them in {_module.name}.py")

__all__ = ["RECIPES", "Adam", "Part", "Phase", "Recipe", "Rendering", "Teacher", "Transformed", "named"]


def named(name: str) -> Recipe:
    """The recipe called `name`; an unknown name is refused with the nearest ones."""
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    return RECIPES[name]
