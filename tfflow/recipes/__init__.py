"""The published methods, one file each. A new method is a new file here, with a `Recipe` of the file's name in it; a
method of one's own is a file anywhere, or is registered."""

from __future__ import annotations

import importlib
import os
import pkgutil
from pathlib import Path

from tfflow.data.textured import Texturing
from tfflow.errors import InputError
from tfflow.recipes.own import is_file, recipe_of_file
from tfflow.recipes.recipe import Adam, Muon, Part, Phase, Recipe, Teacher, Transformed
from tfflow.registry import Registry

NOT_METHODS = {"own", "recipe", "schedules", "__main__"}
_found: dict[str, Recipe] = {}
for _module in pkgutil.iter_modules([str(Path(__file__).parent)]):
    if _module.name not in NOT_METHODS:
        for _value in vars(importlib.import_module(f"{__name__}.{_module.name}")).values():
            if isinstance(_value, Recipe) and _found.setdefault(_value.name, _value) is not _value:
                raise ValueError(f"two recipes are called {_value.name!r}, one of them in {_module.name}.py")
RECIPES: Registry[Recipe] = Registry("recipe", _found)

__all__ = [
    "RECIPES", "Adam", "Muon", "Part", "Phase", "Recipe", "Teacher", "Texturing", "Transformed",
    "get_recipe", "register_recipe",
]  # fmt: skip


def get_recipe(name: str | os.PathLike | Recipe) -> Recipe:
    """The recipe called `name`, or that of a Python file, or `name` where it is one. An unknown name is refused with
    the nearest ones; a file is executed."""
    if isinstance(name, Recipe):
        return name
    text = os.fspath(name)
    if is_file(text):
        return recipe_of_file(text)
    return RECIPES.find(text)


def register_recipe(recipe: Recipe) -> None:
    """Makes a method of your own known by its name to every function and command: `recipe="mine"`, `--recipe mine`.

        mine = dataclasses.replace(tfflow.recipes.get_recipe("ddflow_quick"), name="mine", batch=8)
        tfflow.register_recipe(mine)

    Raises InputError where another recipe has the name.
    """
    if not isinstance(recipe, Recipe):
        raise InputError(f"expected a tfflow.recipes.Recipe, got {type(recipe).__name__}")
    RECIPES.register(recipe.name, recipe)
