"""Files appear whole or not at all: written beside their place, synced, then renamed.

What is being written has a short name by chance, made exclusively: a link that lies there is not followed. It is locked
until it is done, so that what a killed process left is known by its lack of a lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

_PART = re.compile(r"\.tfflow-[0-9a-f]{8}\.part(\..+)?")


@contextlib.contextmanager
def write_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path` (same suffix); renames it to `path` at the end, removes it on failure.

    Parent folders are made. A crash at any moment leaves either the old file or the new one under `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= 20 else ""
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    part, handle = _exclusive(path.parent, suffix, lambda new: os.open(new, flags, 0o666))
    try:
        _lock(handle)
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
        os.close(handle)


@contextlib.contextmanager
def write_whole_folder(folder: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary folder beside `folder`; at the end moves it there, unless something is there already.

    Removes it on failure. Raises OSError where it cannot be moved, and nothing is at `folder`.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part, _ = _exclusive(folder.parent, "", os.mkdir)
    handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(handle)
        yield part
        try:
            part.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        os.close(handle)


def sweep(folders: Iterable[Path]) -> None:
    """Removes what killed processes left half-written right in these folders; what is being written stays."""
    for folder in folders:
        with contextlib.suppress(OSError):
            for part in [entry for entry in os.scandir(folder) if _PART.fullmatch(entry.name)]:
                with contextlib.suppress(OSError):
                    _remove(part)


def check_writable(folder: str | os.PathLike) -> None:
    """Raises OSError where no file can be made in `folder`, which need not be there yet. Leaves nothing behind."""
    folder = Path(folder)
    there = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from None


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes `text` as UTF-8, whole or not at all."""
    with write_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Writes `value` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def _exclusive(folder: Path, suffix: str, make: Callable[[Path], Any]) -> tuple[Path, Any]:
    """A new name in `folder`, and what `make` gave for it; `make` fails where there is something of that name."""
    while True:
        part = folder / f".tfflow-{secrets.token_hex(4)}.part{suffix}"
        try:
            return part, make(part)
        except FileExistsError:
            continue


def _lock(handle: int) -> None:
    with contextlib.suppress(OSError):  # not all network disks can
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove(part: os.DirEntry) -> None:
    if part.is_symlink():
        Path(part.path).unlink()
        return
    handle = os.open(part.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: it is being written
        if part.is_dir(follow_symlinks=False):
            shutil.rmtree(part.path)
        else:
            Path(part.path).unlink()
    finally:
        os.close(handle)
