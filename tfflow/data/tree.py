"""Looking into folders: natural order, files by suffix, and refusals of missing and wrong ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from tfflow.data.images import IMAGE_SUFFIXES
from tfflow.errors import InputError


def natural_key(name: str) -> list:
    """Sorts "frame_2" before "frame_10"."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name)]


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
    """The first of `roots` that holds a folder named in `inside`; InputError says what was looked for if none does."""
    roots, inside = list(roots), list(inside)
    entries(roots[0])  # a missing path is refused as such
    for root in roots:
        if any((root / name).is_dir() for name in inside):
            return root
    raise InputError(f"'{roots[0]}' is not {what}: expected a folder {' or '.join(inside)} in it; check the path")
