"""What the library says beside its results: warnings and news, through Python's `logging`. It prints nothing itself.

    logging.getLogger("tfflow").setLevel("ERROR")  # in a program of your own: no warnings
    logging.getLogger("tfflow").setLevel("INFO")  # news, too, for the handlers of your program

Messages and refusals name parameters as Python does, in backquotes: `crop`, `on_error='skip'`. A command prints them as
its options: --crop, --on-error skip.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping

PREFIX = "tfflow: "
LOG = logging.getLogger("tfflow")
PARAMETER = re.compile(r"`([a-z][a-z0-9_]*)(?:=([^`]*))?`")


def warn(text: str) -> None:
    """One line on what may make the result worse than expected. Without settings of `logging`, it goes to stderr."""
    LOG.warning("%s", " ".join(text.split()))


def inform(text: str) -> None:
    """One line on what goes on. Without settings of `logging`, nobody sees it."""
    LOG.info("%s", " ".join(text.split()))


def counted(count: int, noun: str) -> str:
    """ "1 pair", "2,000 pairs"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def with_options(text: str, options: Mapping[str, str]) -> str:
    """The text with options in place of parameters. options: parameter -> option; other parameters stay as they are.

    `overwrite=True` is --overwrite, `cuts=False` is --no-cuts, `on_error='skip'` is --on-error skip.
    """

    def option(match: re.Match) -> str:
        name, value = match[1], match[2]
        if value == "False":
            return options.get(f"no_{name}", match[0])
        if name not in options:
            return match[0]
        rest = "" if value in (None, "True") else " " + value.strip("'")
        return options[name] + rest

    return PARAMETER.sub(option, text)


@contextlib.contextmanager
def printed(worded: Callable[[str], str]) -> Iterator[None]:
    """Within it, warnings and news are lines on stderr, each as `worded` gives it: what a command does."""
    before = LOG.handlers, LOG.level, LOG.propagate
    LOG.handlers, LOG.propagate = [_Printer(worded)], False
    LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOG.handlers, level, LOG.propagate = before
        LOG.setLevel(level)


def shown() -> bool:
    """Whether a command prints what is said here: readers show bars only there."""
    return any(isinstance(handler, _Printer) for handler in LOG.handlers)


class _Printer(logging.Handler):
    """Prints to what is stderr at that moment: beside a progress bar that is not what it was at the start."""

    def __init__(self, worded: Callable[[str], str]):
        super().__init__()
        self._worded = worded

    def emit(self, record: logging.LogRecord) -> None:
        kind = "warning: " if record.levelno >= logging.WARNING else ""
        print(f"{PREFIX}{kind}{self._worded(record.getMessage())}", file=sys.stderr, flush=True)
