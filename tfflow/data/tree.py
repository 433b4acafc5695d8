"""Listing folders: natural order, files by suffix, and refusals of missing and wrong ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from tfflow.data.images import IMAGE_SUFFIXES
from tfflow.errors import InputError
from tfflow.messages import warn


def natural_key(name: str) -> list:
    """Sorts "frame_2" before "frame_10", in the digits of any script; "²" is none."""
    parts: list = re.split(r"(\d+)", name)  # texts and numbers in turn
    parts[1::2] = map(int, parts[1::2])
    return parts


def in_order(paths: list[Path]) -> list[Path]:
    """Files of a command line in natural order, where a shell had sorted them by letters ("1, 10, 2").

    Three or more files in the order of their letters are sorted, with a warning. Two in that order stay as they are,
    with a warning, too. Any other order was meant, and stays.
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
    """The entries of a folder in natural order, hidden ones left out. Raises InputError if it cannot be listed."""
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
    """The first of `roots` that holds a folder named in `inside`; InputError names what is missing if none does."""
    roots, inside = list(roots), list(inside)
    entries(roots[0])  # a missing path is refused as such
    for root in roots:
        if any((root / name).is_dir() for name in inside):
            return root
    raise InputError(f"'{roots[0]}' is not {what}: expected a folder {' or '.join(inside)} in it; check the path")
