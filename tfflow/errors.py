"""Refusals: one line that says what was expected, what came, and what to do."""

from __future__ import annotations

import difflib
import errno
import functools
import os
import sys
from collections.abc import Callable, Iterable

from tfflow.interrupt import second_interrupt_ends
from tfflow.memory import keep_freed_memory
from tfflow.messages import PREFIX, printed, with_options

LONGEST_LINE = 300
"""Characters of a refusal with its prefix: what a file or a name holds may be of any length."""
LONGEST_END = 100
"""Characters of a longer text's end that are kept: what to do stands there."""


def one_line(text: str) -> str:
    """The text as one line of printable characters. Of a text that is too long: its beginning and its end."""
    most = LONGEST_LINE - len(PREFIX)
    if len(text) > 4 * LONGEST_LINE:  # cut before it is copied again
        text = f"{text[: 2 * LONGEST_LINE]} ... {text[-2 * LONGEST_LINE :]}"
    text = " ".join(text.split())
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(text) <= most:
        return text
    gap = " ... "
    return text[: most - LONGEST_END - len(gap)] + gap + text[-LONGEST_END:]


class InputError(ValueError):
    """What the user gave cannot be used. Its text is one line, which commands print, with exit code 2.

    It names parameters in backquotes, as `crop`; commands print their options instead, see `tfflow.messages`.
    """

    def __init__(self, text: object = ""):
        super().__init__(one_line(str(text)))


def unknown_name(kind: str, name: str, known: Iterable[str]) -> InputError:
    """The refusal of a misspelt name: `unknown_name("model", "pwcnt", MODELS)` offers the nearest and lists all."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return InputError(f"unknown {kind} {name!r}: {hint}known are {', '.join(known)}")


def command(main: Callable[..., int | None]) -> Callable[..., int]:
    """Turns `main(argv=None)` into a command: refusals become one line on stderr and exit code 2, Ctrl-C exit 130, a
    second Ctrl-C at once. Warnings and news of the library become lines on stderr, too.

    Where the module of `main` has `parser()`, its options stand in these lines for the parameters of the library.
    """

    def shown(text: str) -> str:
        parser = getattr(sys.modules[main.__module__], "parser", None)
        return with_options(text, parser().options()) if parser else text

    @functools.wraps(main)
    def run(argv: list[str] | None = None) -> int:
        keep_freed_memory()
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")  # names of files need not be UTF-8
        try:
            with second_interrupt_ends(), printed(shown):
                return main(argv) or 0
        except InputError as error:
            text = shown(str(error))
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `tfflow ... | head` is no error
            return 0
        except OSError as error:
            text = _os_error(error)
        except MemoryError:
            text = "memory does not suffice: take smaller frames, a smaller batch, or a larger machine"
        except KeyboardInterrupt as stop:  # of a training: with what was kept
            print(f"{PREFIX}{shown(str(stop))}" if str(stop) else f"\n{PREFIX}stopped", file=sys.stderr)
            return 130
        print(PREFIX + one_line(text), file=sys.stderr)
        return 2

    return run


def _os_error(error: OSError) -> str:
    where = f" {error.filename!r}" if error.filename else ""
    advice = {
        errno.ENOSPC: "free some space or choose another folder; nothing half-written was left",
        errno.EACCES: "choose a folder that you may write to",
        errno.EROFS: "choose a folder that you may write to",
        errno.ENOENT: "check the path",
    }.get(error.errno or 0, "check the path and the disk")
    return f"cannot use{where}: {error.strerror or error}; {advice}"
