"""The examples in the docstrings of `import tfflow`: they compile, and their calls fit the functions."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import textwrap

import pytest

import tfflow
from tfflow.data.sources import KINDS
from tfflow.models import VARIANTS

FUNCTIONS = {
    name: getattr(tfflow, name)
    for name, place in tfflow._PLACES.items()
    if importlib.util.find_spec(f"tfflow.{place}") is not None
}


def example(function) -> str:
    """The indented paragraphs of a docstring; "" where there are none."""
    blocks = re.findall(r"\n\n((?: {4}.*\n|\n)+)", inspect.getdoc(function) + "\n")
    return textwrap.dedent("\n".join(blocks))


def calls(code: str) -> list[ast.Call]:
    """The calls of functions of `tfflow` in an example."""
    found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [c for c in found if ast.unparse(c.func).startswith("tfflow.") and ast.unparse(c.func).count(".") == 1]


WITH_EXAMPLE = [name for name, function in FUNCTIONS.items() if example(function)]


def test_examples_are_found():
    assert {"train", "evaluate", "export", "compare", "register_network", "register_data"} <= set(WITH_EXAMPLE)


@pytest.mark.parametrize("name", [*WITH_EXAMPLE, "tfflow"])
def test_each_call_in_an_example_fits_its_function(name):
    code = example(tfflow if name == "tfflow" else FUNCTIONS[name])
    assert calls(code)
    for call in calls(code):
        function = getattr(tfflow, ast.unparse(call.func).partition(".")[2])
        keywords = {keyword.arg: None for keyword in call.keywords}
        inspect.signature(function).bind(*call.args, **keywords)


@pytest.mark.parametrize("name", ["register_network", "register_data"])
def test_an_example_that_registers_something_runs(name):
    with VARIANTS.temporarily(), KINDS.temporarily():
        exec(example(FUNCTIONS[name]), {"tfflow": tfflow})
        assert "mine" in {"register_network": VARIANTS, "register_data": KINDS}[name]
