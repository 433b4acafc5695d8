"""The terminal: options come in by one parser, lines go out by one console."""

from __future__ import annotations

import argparse

from rich.console import Console

from tfflow.errors import InputError


class Parser(argparse.ArgumentParser):
    """The parser of every command: it refuses in one line, as all else here, and not with a page of usage."""

    def error(self, message: str):
        raise InputError(f"{message}; see --help")


def console(width: int | None = None) -> Console:
    """The console of every command, on which text is text: what a user calls a folder, `x[/red]y` or `:boom:`, is no
    markup. Cells in bold are `rich.text.Text`. width: where the output is a file or a pipe, which have none."""
    made = Console(markup=False, emoji=False, highlight=False)
    if width and not made.is_terminal:
        return Console(markup=False, emoji=False, highlight=False, width=width)
    return made
