"""Listing of folders: natural order, files by suffix, and errors for missing ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from tfflow.data.images import IMAGE_SUFFIXES
from tfflow.errors import InputError
from tfflow.messages import warn


def natural_key(name: str) -> list:
    """A sort key that puts "frame_2" before "frame_10". Digits of any script count, but not "²"."""
    parts: list = re.split(r"(\d+)", name)  # alternates text and numbers
    parts[1::2] = map(int, parts[1::2])
    return parts


def in_order(paths: list[Path]) -> list[Path]:
    """Restores the natural order of files on a command line that a shell sorted alphabetically ("1, 10, 2").

    Three or more files in alphabetical order are sorted, with a warning. Two files, and files in any other order, keep
    their order; two files in alphabetical order give a warning.
    """
    names = [str(path) for path in paths]
    natural = sorted(paths, key=lambda path: natural_key(str(path)))
    if paths == natural or not any(names == sorted(names, key=key) for key in (str, str.casefold)):
        return paths
    first = next(k for k, (a, b) in enumerate(zip(paths, natural, strict=True)) if a != b)
    if len(paths) == 2:
        warn(f"'{paths[0].name}' is taken for the first frame, as given, and '{paths[1].name}' for the second")
        return paths
    warn(
        f"the files came in the order of a shell, '{paths[first].name}' before '{natural[first].name}'; they are taken "
        "in the order of their numbers"
    )
    return natural


def entries(folder: Path) -> list[os.DirEntry]:
    """The entries of a folder in natural order, without hidden ones. InputError if it cannot be listed."""
    try:
        with os.scandir(folder) as scan:
            return sorted((e for e in scan if not e.name.startswith(".")), key=lambda e: natural_key(e.name))
    except NotADirectoryError:
        raise InputError(f"'{folder}' is a file: expected a folder") from None
    except FileNotFoundError:
        raise InputError(f"no such folder: '{folder}'; check the path") from None
    except OSError as error:
        raise InputError(f"cannot list '{folder}': {error.strerror or error}") from None


def files(folder: Path, suffixes: Iterable[str] = IMAGE_SUFFIXES) -> list[Path]:
    """The files of a folder with one of these suffixes (any case), in natural order."""
    suffixes = tuple(suffixes)
    return [Path(e.path) for e in entries(folder) if e.name.lower().endswith(suffixes) and e.is_file()]


def folders(folder: Path) -> list[Path]:
    """The folders in a folder, in natural order."""
    return [Path(e.path) for e in entries(folder) if e.is_dir()]


def first_with(roots: Iterable[Path], inside: Iterable[str], what: str) -> Path:
    """The first of `roots` that holds one of the folders `inside`. InputError if none does."""
    roots, inside = list(roots), list(inside)
    entries(roots[0])  # raises if the path is missing
    for root in roots:
        if any((root / name).is_dir() for name in inside):
            return root
    raise InputError(f"'{roots[0]}' is not {what}: expected a folder {' or '.join(inside)} in it; check the path")
