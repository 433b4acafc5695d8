"""A method in a Python file of the user's own: `--recipe my_method.py`, or `my_method.py:NAME` of several."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from tfflow.errors import InputError
from tfflow.recipes.recipe import Recipe

SUFFIX = ".py"


def run_file(path: str | Path) -> ModuleType:
    """Executes a Python file because the user names it, once in a process. Raises InputError where it fails."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"no such file: '{path}'; expected a Python file of your own")
    place = f"_tfflow_own_{path.resolve()}"
    if place in sys.modules:
        return sys.modules[place]
    spec = importlib.util.spec_from_file_location(place, path)
    if spec is None or spec.loader is None:
        raise InputError(f"'{path}' is no Python file: expected a name that ends in {SUFFIX}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[place] = module  # dataclasses look for their module there
    try:
        spec.loader.exec_module(module)
    except InputError:
        del sys.modules[place]
        raise
    except Exception as error:
        del sys.modules[place]
        raise InputError(f"'{path}' fails{_line(error, path)}: {type(error).__name__}: {error}") from error
    return module


def is_file(name: str) -> bool:
    """Whether a name is one of a file: `my_method.py`, `my_method.py:NAME`."""
    return name.endswith(SUFFIX) or f"{SUFFIX}:" in name


def recipe_of_file(name: str) -> Recipe:
    """The recipe that a file holds; of several, the one that `FILE.py:NAME` names."""
    head, colon, wanted = name.partition(SUFFIX + ":")
    path = head + SUFFIX if colon else name
    defined = {r.name: r for r in vars(run_file(path)).values() if isinstance(r, Recipe)}
    from tfflow.recipes import RECIPES

    found = {key: r for key, r in defined.items() if RECIPES.get(key) is not r} or defined  # not what it imports
    if wanted:
        if wanted not in found:
            raise InputError(f"'{path}' holds no recipe called {wanted!r}; it holds {', '.join(found) or 'none'}")
        return found[wanted]
    if len(found) != 1:
        held = f"{len(found)}: choose one as {path}:NAME from {', '.join(found)}" if found else "none"
        raise InputError(f"'{path}' must hold one tfflow.recipes.Recipe, it holds {held}")
    return next(iter(found.values()))


def _line(error: Exception, path: Path) -> str:
    """ " in line 7", where the error came up in the file itself."""
    if isinstance(error, SyntaxError):
        return f" in line {error.lineno}"
    trace, line = error.__traceback__, None
    while trace:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f" in line {line}" if line else ""
