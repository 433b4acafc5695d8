"""The frames of a video file, one after the other, or all of them in the cache, for pairs in any order."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from tfflow.data import headers
from tfflow.data.cache import cache_folder
from tfflow.data.cuts import CutFinder, cuts_of_files, log_cuts
from tfflow.data.decoding import Notes, VideoInfo, decode, video_info
from tfflow.data.images import read_bytes
from tfflow.data.records import Record, Records
from tfflow.data.tree import files
from tfflow.errors import InputError
from tfflow.files import sweep, write_json, write_whole_folder
from tfflow.limits import parse_json
from tfflow.terminal import reading_bar

__all__ = ["VIDEO_SUFFIXES", "VideoInfo", "cache_folder", "numbered_frames", "open_video", "read_frames", "video_info"]

VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".vob", ".mxf", ".wmv",
    ".flv", ".3gp", ".ogv",
)  # fmt: skip


def read_frames(path: str | os.PathLike, on_error: str = "stop") -> Iterator[np.ndarray]:
    """The frames of a video in order, float32 RGB [h, w, 3] in [0, 1], read one by one.

    Frames that cannot be decoded are left out, with a warning. A video that ends before the end in its header raises
    InputError after its last frame; with on_error="skip" it warns.
    Raises InputError if the video cannot be opened or has no frame.
    """
    for _, frame in numbered_frames(path, on_error):
        yield frame


def numbered_frames(path: str | os.PathLike, on_error: str = "stop") -> Iterator[tuple[int, np.ndarray]]:
    """(number, frame) as from `read_frames`. Numbers count from 1; missing frames leave gaps."""
    for number, frame in decode(path, on_error):
        image = frame.astype(np.float32)
        image /= np.float32(255)
        yield number, image


def open_video(path: Path, name: str, on_error: str = "stop", cuts: bool = True) -> Records:
    """Pairs of consecutive frames of a video. All frames are extracted once, as PNG, into `cache_folder()`.

    There is no pair across missing frames. cuts: nor across shot cuts.
    on_error: if a video ends early, "stop" raises InputError; "skip" warns and uses its frames.
    Raises InputError if the video cannot be opened or has fewer than two frames.
    """
    folder = _cached(path, on_error)
    frames = files(folder, (".png",))
    size = headers.png_size(read_bytes(frames[0], 64))
    at = {int(frame.stem.rpartition("_")[2]): frame for frame in frames}
    new = _first_of_shots(folder, frames) & at.keys() if cuts else set()  # the first frames of shots
    records = [
        Record(
            frame.stem,
            frame,
            at[n + 1],
            size=size,
            before=None if n in new else at.get(n - 1),
            after=None if n + 2 in new else at.get(n + 2),
        )
        for n, frame in at.items()
        if n + 1 in at and n + 1 not in new
    ]
    after = [at[n - 1].stem for n in sorted(new) if n - 1 in at]
    log_cuts(name, after)
    return Records(name, records, cuts=after)


def _first_of_shots(folder: Path, frames: list[Path]) -> set[int]:
    """The numbers of the cached frames that begin a shot."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return set(map(int, parse_json((folder / "frames.json").read_bytes())["cuts"]))
    return {int(frames[k].stem.rpartition("_")[2]) for k in cuts_of_files(frames)}  # an old cache without cuts


def _cached(path: Path, on_error: str) -> Path:
    """The folder with the frames of `path`. Its name depends on path, size and time, so outdated ones are not used."""
    read_bytes(path, 1)  # raises if the file is missing or unreadable
    path = path.resolve()
    state = path.stat()
    key = hashlib.sha256(f"{path}\0{state.st_size}\0{state.st_mtime_ns}".encode("utf-8", "surrogatepass")).hexdigest()
    folder = cache_folder() / f"{re.sub('[^A-Za-z0-9]+', '_', path.stem)[:40]}-{key[:16]}"
    notes = _notes(folder)
    if notes is None:
        _extract(path, folder, on_error)
    else:
        notes.report(on_error)
    return folder


def _notes(folder: Path) -> Notes | None:
    """The damage of a cached video; None if the folder is missing or incomplete."""
    try:
        note = parse_json((folder / "frames.json").read_bytes())
        complete = len(files(folder, (".png",))) == note["frames"] >= 2
        return Notes(str(note["stopped"]), str(note["damage"])) if complete else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _extract(path: Path, folder: Path, on_error: str) -> None:
    sweep([folder.parent])
    try:
        if folder.is_dir():  # incomplete
            shutil.rmtree(folder)
        with write_whole_folder(folder) as part:
            count, finder, new = 0, CutFinder(), []
            notes = Notes()
            total = video_info(path).frames
            with reading_bar(total) as progress, ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
                task = progress.add_task("extracting the frames of the video", total=total or None)
                frames = decode(path, on_error, notes)
                while batch := list(
                    itertools.islice(frames, 32)
                ):  # threads encode, since encoding takes ten times as long as decoding
                    names = [part / f"frame_{number:06d}.png" for number, _ in batch]
                    list(pool.map(_save, names, (frame for _, frame in batch)))
                    new += [number for number, frame in batch if finder(frame)]
                    count += len(batch)
                    progress.advance(task, len(batch))
            if count < 2:
                raise InputError(f"'{path}' holds one frame: expected two or more")
            write_json(part / "frames.json", {"video": str(path), "frames": count, "cuts": new, **vars(notes)})
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise InputError(
                f"cannot keep the frames of '{path}' in '{folder.parent}': {error.strerror}; "
                "set TFFLOW_CACHE to a folder with more space that you may write to"
            ) from None
        raise


def _save(path: Path, frame: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes())
