"""The examples in the docstrings of `import tfflow`: every function has one, and it runs."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import inspect

import numpy as np
import pytest

import tfflow
from tests.data.test_cuts import pan
from tests.data.trees import film
from tests.examples import example
from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow.data.images import write_image
from tfflow.data.sources import KINDS
from tfflow.models import VARIANTS
from tfflow.recipes import RECIPES

FUNCTIONS = {
    name: getattr(tfflow, name)
    for name, place in tfflow._PLACES.items()
    if importlib.util.find_spec(f"tfflow.{place}") is not None
}

TINY = {"model": "tiny", "steps": 1, "batch": 1, "crop": (24, 32)}
SHORT = {
    "train": {**TINY, "recipe": "back_to_basics", "val_limit": 1},
    "compare": TINY,
    "evaluate": {"limit": 1},
    "export": {"size": (64, 64), "precision": "fp32", "limit": 1},
    "phone": {"size": (64, 64), "precision": "fp16", "skip_training": True},
}
"""Arguments that replace those of an example."""


def calls(code: str) -> list[ast.Call]:
    """The calls of functions of `tfflow` in an example."""
    found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [c for c in found if ast.unparse(c.func).startswith("tfflow.") and ast.unparse(c.func).count(".") == 1]


WITH_EXAMPLE = [name for name, function in FUNCTIONS.items() if example(function)]


def test_every_function_has_an_example():
    assert list(tfflow._PLACES) == WITH_EXAMPLE


@pytest.mark.parametrize("name", [*WITH_EXAMPLE, "tfflow"])
def test_each_call_in_an_example_fits_its_function(name):
    code = example(tfflow if name == "tfflow" else FUNCTIONS[name])
    assert calls(code)
    for call in calls(code):
        function = getattr(tfflow, ast.unparse(call.func).partition(".")[2])
        keywords = {keyword.arg: None for keyword in call.keywords}
        inspect.signature(function).bind(*call.args, **keywords)


class Short:
    """`tfflow` with arguments that make what an example does small; all else is as the example has it."""

    def __getattr__(self, name: str):
        found = getattr(tfflow, name)
        if name not in SHORT:
            return found
        return lambda *args, **given: found(*args, **{**given, **SHORT[name]})


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with the files that examples name."""
    monkeypatch.chdir(tmp_path)
    frames = pan(1, 6)
    film(tmp_path / "holiday.mp4", frames)
    for number, frame in enumerate(frames[:2], 1):
        write_image(tmp_path / f"frame{number}.png", frame)
    return tmp_path


@pytest.mark.parametrize("name", [*WITH_EXAMPLE, "tfflow"])
def test_each_example_runs(name, here):
    if name in ("export", "phone", "tfflow"):
        pytest.importorskip("ai_edge_litert")
    got = {"tfflow": Short(), "np": np, "dataclasses": dataclasses, "image1": "frame1.png", "image2": "frame2.png"}
    code = example(tfflow if name == "tfflow" else FUNCTIONS[name])
    exec(code.replace("import tfflow\n", ""), got)  # it would put the package in the place of `Short`
    if table := {"register_network": VARIANTS, "register_data": KINDS, "register_recipe": RECIPES}.get(name):
        assert "mine" in table
