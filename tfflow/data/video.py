"""A video file: its frames one after the other, or all of them in a cache folder, where any pair can be read."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import math
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read at the first VideoCapture: no decoder noise on stderr

import cv2
import numpy as np
import platformdirs
from rich.console import Console
from rich.progress import Progress

from tfflow.data import headers
from tfflow.data.damage import warn
from tfflow.data.images import read_bytes
from tfflow.data.records import Record, Records
from tfflow.data.tree import files
from tfflow.errors import InputError
from tfflow.files import write_json

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv")
LONG = 100  # frames; from here on extracting shows a progress bar


class VideoInfo(NamedTuple):
    """What a video's header claims; `frames` is 0 where it says nothing, fps is 25 then."""

    frames: int
    fps: float
    height: int
    width: int


def video_info(path: str | os.PathLike) -> VideoInfo:
    """Frames, frames a second, height and width of a video. Raises InputError if it cannot be opened."""
    capture = _open(path)
    try:
        return _info(path, capture)
    finally:
        capture.release()


def read_frames(path: str | os.PathLike, on_error: str = "stop") -> Iterator[np.ndarray]:
    """The frames of a video in order, float32 RGB [h, w, 3] in [0, 1], read as they are asked for.

    Where the video stops before the end that its header names: InputError after its last frame, or, with
    on_error="skip", a warning. Raises InputError if it cannot be opened or has no frame.
    """
    for frame in _decode(path, on_error):
        image = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.float32)
        image /= np.float32(255)
        yield image


def open_video(path: Path, name: str, on_error: str = "stop") -> Records:
    """Pairs of consecutive frames of a video; all frames are extracted once, as PNG, into `cache_folder()`.

    A video that stops in the middle is refused, or, with on_error="skip", used up to there with a warning.
    Raises InputError if it cannot be opened or has fewer than two frames.
    """
    folder = _cached(path, on_error)
    frames = files(folder, (".png",))
    size = headers.png_size(read_bytes(frames[0], 64))
    pairs = zip(itertools.pairwise(frames), [None, *frames], [*frames[2:], None], strict=False)
    return Records(name, [Record(a.stem, a, b, size=size, before=x, after=y) for (a, b), x, y in pairs])


def cache_folder() -> Path:
    """Where extracted frames are kept: the environment's TFFLOW_CACHE, else the user's cache folder on this system."""
    chosen = os.environ.get("TFFLOW_CACHE")
    return (Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("tfflow", False))) / "video"


def _cached(path: Path, on_error: str) -> Path:
    """The folder with the frames of `path`; its name holds path, size and time of change, so that no stale one fits."""
    read_bytes(path, 1)  # a missing or unreadable file is refused as such
    path = path.resolve()
    state = path.stat()
    key = hashlib.sha256(f"{path}\0{state.st_size}\0{state.st_mtime_ns}".encode("utf-8", "surrogatepass")).hexdigest()
    folder = cache_folder() / f"{re.sub('[^A-Za-z0-9]+', '_', path.stem)[:40]}-{key[:16]}"
    stopped = _stopped_at(folder)
    if stopped is None:
        _extract(path, folder, on_error)
    elif stopped:
        _tell(stopped, on_error)
    return folder


def _stopped_at(folder: Path) -> str | None:
    """What is to be said of a cached video ("" if it is whole), None if the folder is not there or not complete."""
    try:
        note = json.loads((folder / "frames.json").read_text("utf-8"))
        complete = len(files(folder, (".png",))) == note["frames"] >= 2
        return str(note["stopped"]) if complete else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _extract(path: Path, folder: Path, on_error: str) -> None:
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        count = 0
        stopped: list[str] = []
        total = video_info(path).frames
        bar = Progress(console=Console(stderr=True), transient=True, disable=total < LONG)
        with bar as progress, ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            task = progress.add_task(f"extracting the frames of {path.name}", total=total or None)
            frames = _decode(path, on_error, stopped)
            while batch := list(itertools.islice(frames, 32)):  # encoding takes ten times as long as decoding
                names = (part / f"frame_{count + k:06d}.png" for k in range(1, len(batch) + 1))
                list(pool.map(_save, names, batch))
                count += len(batch)
                progress.advance(task, len(batch))
        if count < 2:
            raise InputError(f"'{path}' holds one frame: expected two or more")
        write_json(part / "frames.json", {"video": str(path), "frames": count, "stopped": "".join(stopped)})
        shutil.rmtree(folder, ignore_errors=True)
        try:
            part.rename(folder)
        except OSError:
            if _stopped_at(folder) is None:  # else another process was faster with the same frames
                raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise InputError(
                f"cannot keep the frames of '{path}' in '{folder.parent}': {error.strerror}; "
                "set TFFLOW_CACHE to a folder with more space that you may write to"
            ) from None
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _save(path: Path, frame: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(".png", frame)[1].tobytes())


def _decode(path: str | os.PathLike, on_error: str, stopped: list[str] | None = None) -> Iterator[np.ndarray]:
    """uint8 BGR frames; at the end says where the video stopped early, also into the list `stopped`."""
    capture = _open(path)
    try:
        info = _info(path, capture)
        count, position, why = 0, -1.0, ""
        while True:
            ok, frame = _read(capture)
            if not ok or frame is None:
                break
            if frame.shape != (info.height, info.width, 3):
                (height, width), expected = frame.shape[:2], f"{info.width} x {info.height}"
                why = f"then a frame of {width} x {height} pixels came, expected {expected}"
                break
            count += 1
            # Where frames were dropped at recording, header and file disagree in number, but not in time.
            position = max(position, capture.get(cv2.CAP_PROP_POS_MSEC) * info.fps / 1000)
            yield frame
        if not count:
            raise InputError(f"'{path}' cannot be used: it opens as a video, but no frame can be read from it")
        if max(count, position + 1) < info.frames - 2:
            why = f"its header says {info.frames}"
        if why:
            text = f"'{path}' stops in the middle: {count} frame{'s' * (count > 1)} read, {why}"
            if stopped is not None:
                stopped.append(text)
            _tell(text, on_error)
    finally:
        capture.release()


def _tell(text: str, on_error: str) -> None:
    if on_error == "stop":
        raise InputError(f"{text}; repair it, or go on with what is there by --on-error skip")
    warn(text)


def _open(path: str | os.PathLike) -> cv2.VideoCapture:
    read_bytes(path, 1)
    try:  # absolute, so that a colon in a relative path does not name a protocol
        capture = cv2.VideoCapture(str(Path(path).absolute()), cv2.CAP_FFMPEG)
        if capture.isOpened():
            return capture
    except cv2.error:
        pass
    raise InputError(f"'{path}' cannot be used: it is no video that OpenCV reads, or it is damaged; play or convert it")


def _info(path: str | os.PathLike, capture: cv2.VideoCapture) -> VideoInfo:
    frames, fps, height, width = (
        capture.get(key)
        for key in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH)
    )
    try:
        headers.check_size(int(width), int(height))
    except headers.Damaged as error:
        raise InputError(f"'{path}' cannot be used: {error}") from None
    known = math.isfinite(frames) and math.isfinite(fps) and 0 < frames < 1e9 and 0 < fps < 1e5
    return VideoInfo(int(frames) if known else 0, float(fps) if known else 25.0, int(height), int(width))


def _read(capture: cv2.VideoCapture) -> tuple[bool, np.ndarray | None]:
    try:
        return capture.read()
    except cv2.error:
        return False, None
