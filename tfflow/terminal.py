"""The terminal: lines go out by one console."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console


def console(width: int | None = None, quiet: bool = False, stderr: bool = False) -> Console:
    """The console of every command, on which text is text: what a user calls a folder, `x[/red]y` or `:boom:`, is no
    markup. Cells in bold are `rich.text.Text`. width: where the output is a file or a pipe, which have none. quiet:
    prints nothing, for functions that are asked for no progress. stderr: writes there."""
    made = Console(markup=False, emoji=False, highlight=False, quiet=quiet, stderr=stderr)
    if width and not made.is_terminal:
        return Console(markup=False, emoji=False, highlight=False, width=width, quiet=quiet, stderr=stderr)
    return made


def as_text(shown: Any, width: int = 1_000) -> str:
    """What a console without a right end would print of a rich table, as text: no cell is cut."""
    out = io.StringIO()
    Console(file=out, width=width, markup=False, emoji=False, highlight=False).print(shown)
    return out.getvalue().rstrip("\n")
