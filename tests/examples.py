"""The examples in docstrings: indented paragraphs, whose comments say what a line gives."""

from __future__ import annotations

import ast
import inspect
import io
import re
import textwrap
import tokenize
from typing import Any


def example(documented: Any) -> str:
    """The indented paragraphs of a docstring; "" if there are none."""
    blocks = re.findall(r"\n\n((?: {4}.*\n|\n)+)", inspect.getdoc(documented) + "\n")
    return textwrap.dedent("\n".join(blocks))


def run(code: str, names: dict[str, Any]) -> int:
    """Runs an example. A comment must be the value of its line, or its shape. Returns how many comments there are."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = {t.start[0]: t.string[1:] for t in tokens if t.type == tokenize.COMMENT}
    for node in ast.parse(code).body:
        source = ast.unparse(node)
        exec(source, names)
        if text := comments.get(node.end_lineno or 0):
            value = ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node)
            assert shown(eval(value, names)) == ast.literal_eval(text.strip()), source
    return len(comments)


def shown(value: Any) -> Any:
    """As an example writes it: the shape for arrays, tensors and shapes."""
    if isinstance(value, tuple):
        return tuple(map(shown, value))
    shape = getattr(value, "shape", None)
    return value if shape is None and not hasattr(value, "as_list") else list(shape if shape is not None else value)
