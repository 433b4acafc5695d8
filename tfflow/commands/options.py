"""The common parts of the commands' parsers: errors in one line, shared options, parsing of HxW and S,S."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from tfflow.errors import InputError

ON_ERROR = ("stop", "skip")
REFINEMENTS = ("variational",)
KINDS_ARE_IN = "`tfflow data` lists the kinds of KIND:PATH."


class Parser(argparse.ArgumentParser):
    """The parser of every command. Errors are one line.

    Files of --plugin are executed first, so that other options may name what they register. A help that mentions
    KIND:PATH ends with the command that lists the kinds.
    """

    def __init__(self, prog: str, description: str | None, epilog: str = "", plugins: bool = True, **others):
        kept = {"formatter_class": argparse.RawDescriptionHelpFormatter, **others}  # lines as they are written
        super().__init__(prog=prog, description=description, epilog=epilog, **kept)
        if plugins:
            self.add_argument(
                "--plugin",
                action="append",
                default=[],
                type=Path,
                metavar="FILE.py",
                help="a Python file of your own that is executed first, to register networks, recipes and data; "
                "repeatable",
            )

    def options(self) -> dict[str, str]:
        """What a command shows for each parameter of the library: {"val_limit": "--val-limit", "run": "RUN"}."""
        return {action.dest: _shown(action) for action in self._actions if action.help != argparse.SUPPRESS}

    def format_help(self) -> str:
        text = super().format_help()
        return text + (f"\n{KINDS_ARE_IN}\n" if "KIND:PATH" in text else "")

    def error(self, message: str):
        raise InputError(f"{message}; see --help")

    def parse_args(self, *args, **kwargs):  # type: ignore[override]
        found = super().parse_args(*args, **kwargs)
        if getattr(found, "plugin", None):
            from tfflow.recipes.own import run_file

            for path in found.plugin:
                run_file(path)
        return found


def _shown(action: argparse.Action) -> str:
    """The first long name of an option; of a positional argument, what the usage calls it."""
    long = [name for name in action.option_strings if name.startswith("--")]
    return long[0] if long else str(action.metavar or action.dest).upper()


def size(text: str) -> tuple[int, int]:
    """HEIGHTxWIDTH as numbers."""
    match = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH such as 192x256, got {text!r}")
    return int(match[1]), int(match[2])


def numbers(text: str) -> list[str]:
    """What stands between commas; a function of the library says which numbers it takes."""
    return text.split(",")


def threads(text: str) -> list[int]:
    """Whole numbers above 0 with commas."""
    if not re.fullmatch(r"[1-9][0-9]{0,3}(,[1-9][0-9]{0,3})*", text):
        raise argparse.ArgumentTypeError(f"expected whole numbers above 0 with commas, such as 1,2,4; got {text!r}")
    return [int(n) for n in text.split(",")]


def add_data(p: Parser, text: str, required: bool = False) -> None:
    """--data, repeatable: what a command works on."""
    p.add_argument("--data", action="append", default=[], required=required, metavar="KIND:PATH", help=text)


def add_former_name(p: Parser, former: str, name: str, **kept) -> None:
    """Accepts an option by a name that it once had. The help does not show it."""
    dest = name.removeprefix("--").replace("-", "_")
    p.add_argument(former, dest=dest, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **kept)


def add_on_error(p: Parser) -> None:
    p.add_argument("--on-error", choices=ON_ERROR, default="stop", help="at a damaged file (default: %(default)s)")


def add_scales(p: Parser) -> None:
    p.add_argument(
        "--scales",
        type=numbers,
        default=["1"],
        metavar="S,S",
        help="a network makes one pass at each of these sizes, as shares of the frames': 1,2 is more exact at five "
        "times the work; 0.5,1,2 also follows larger motion (default: 1)",
    )
