"""The terminal: lines and bars go out by one console."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console
from rich.progress import Progress

from tfflow.messages import shown

MANY = 100
"""Files or frames from which on reading them shows a bar."""


def console(width: int | None = None, quiet: bool = False, stderr: bool = False) -> Console:
    """The console of every command, on which text is text: what a user calls a folder, `x[/red]y` or `:boom:`, is no
    markup. Cells in bold are `rich.text.Text`. width: where the output is a file or a pipe, which have none. quiet:
    prints nothing, for functions that are asked for no progress. stderr: writes there."""
    made = Console(markup=False, emoji=False, highlight=False, quiet=quiet, stderr=stderr)
    if width and not made.is_terminal:
        return Console(markup=False, emoji=False, highlight=False, width=width, quiet=quiet, stderr=stderr)
    return made


def reading_bar(items: int) -> Progress:
    """A bar on stderr for a reader of so many files or frames: where they are many, and in commands alone."""
    return Progress(console=console(stderr=True), transient=True, disable=items < MANY or not shown())


def as_text(table: Any, width: int = 1_000) -> str:
    """What a console without a right end would print of a rich table, as text: no cell is cut."""
    out = io.StringIO()
    Console(file=out, width=width, markup=False, emoji=False, highlight=False).print(table)
    return out.getvalue().rstrip("\n")


def wide_console(quiet: bool = False) -> Console:
    """A console. In a file or a pipe, which have no width, it is as wide as tables need."""
    return console(width=120, quiet=quiet)
