"""A lock on a run folder, so that it has one writer. The system releases it when the process ends."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from tfflow.errors import InputError
from tfflow.messages import warn

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK = ".lock"
"""The lock file. It stays in the folder; only the lock on it counts. It names the last process that held the lock."""


@contextlib.contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Makes `folder` and locks it. InputError if another process holds the lock; a warning if a disk has no locks."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        try:
            _lock(file.fileno())
        except (BlockingIOError, PermissionError):
            file.seek(0)
            raise InputError(
                f"`out` {str(folder)!r} is in use by another training ({file.read(80).strip() or 'just begun'}): stop "
                "it, wait for its end, or choose another `out`"
            ) from None
        except OSError as error:
            warn(f"{str(folder)!r} cannot be locked ({error.strerror}): let no other training write there")
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        os.lseek(descriptor, 1000, os.SEEK_SET)  # outside the text, which others may read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
