"""Shot cuts: changes of scene between consecutive frames. Such frames are no pair.

At a shot cut, flow finds almost no textured patch of one frame in the other. The flow is OpenCV's DIS on thumbnails.
Unlike measures of colour (PySceneDetect's content score), this one does not report fast motion, changes of light or
noise as shot cuts. `docs/video.md` compares the two.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from tfflow.data.cache import cache_folder
from tfflow.data.images import read_image
from tfflow.errors import InputError
from tfflow.files import write_json
from tfflow.limits import parse_json
from tfflow.messages import counted, inform
from tfflow.terminal import reading_bar

SIDE = 160  # px; longer side of a thumbnail
LEAST_SIDE = 32  # px; smallest side that DIS takes; smaller frames have no cuts
FOUND = 0.12  # share of matched patches below which there is a cut (measured: at cuts at most 0.05, else at least 0.2)
ALIKE = 0.5  # correlation above which two patches of 9 x 9 px match
TEXTURE = 16.0  # smallest variance, grey levels squared, of a patch with texture
SHOWN = 8  # number of cuts that a message names
_PATCH = (9, 9)


class CutFinder:
    """Called with the frames of a video in order. Returns whether there is a cut between the last frame and this one.

    on: False finds no cuts.
    """

    def __init__(self, on: bool = True):
        self._on = on
        self._last: np.ndarray | None = None

    def __call__(self, frame: np.ndarray) -> bool:
        if not self._on or _tiny(frame.shape):
            return False
        last, self._last = self._last, thumbnail(frame)
        return last is not None and last.shape == self._last.shape and is_cut(last, self._last)

    def begin(self, frame: np.ndarray) -> bool:
        """As a call, for a frame that does not follow the last one. Returns False."""
        self._last = None
        return self(frame)


def is_cut(grey1: np.ndarray, grey2: np.ndarray) -> bool:
    """Whether the scene changes between two frames, given as thumbnails of one size, uint8 [h, w]."""
    if np.array_equal(grey1, grey2) or _coarsely_alike(grey1, grey2):
        return False
    if _found(grey1, grey2, None) >= FOUND:
        return False
    return all(_found(grey1, grey2, start) < FOUND for start in _shifts(grey1, grey2))


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Converts RGB [h, w, 3], uint8 or float in [0, 1], to grey uint8 [h, w] with sides of 32 to 160 px."""
    height, width = image.shape[:2]
    share = SIDE / max(height, width)
    size = (max(LEAST_SIDE, round(width * share)), max(LEAST_SIDE, round(height * share)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if small.dtype != np.uint8:
        small = np.rint(255 * np.clip(small, 0, 1)).astype(np.uint8)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)


def cuts_of_files(frames: Sequence[Path]) -> list[int]:
    """The indices k of a clip's images for which there is a shot cut between k - 1 and k. The cache keeps them.

    An image that cannot be read counts as no cut. An error is raised when it is read as a frame.
    """
    note = cache_folder("cuts") / f"{_key(frames)}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = parse_json(note.read_bytes())["cuts"]
        if isinstance(found, list) and all(isinstance(k, int) and 0 < k < len(frames) for k in found):
            return found
    found = []
    with reading_bar(len(frames)) as progress, ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        task = progress.add_task("looking for shot cuts", total=len(frames))
        last: np.ndarray | None = None
        places = iter(range(len(frames)))
        while batch := list(itertools.islice(places, 32)):
            for k, small in zip(batch, pool.map(_read, (frames[k] for k in batch)), strict=True):
                if last is not None and small is not None and last.shape == small.shape and is_cut(last, small):
                    found.append(k)
                last = small
            progress.advance(task, len(batch))
    with contextlib.suppress(OSError):  # without a cache it only takes longer
        write_json(note, {"frames": len(frames), "first": str(frames[0]), "cuts": found})
    return found


def log_cuts(name: str, after: Sequence[str]) -> None:
    """Logs one line with the frames before the cuts, if there are any."""
    if not after:
        return
    named = ", ".join(after[:SHOWN]) + (f" and {len(after) - SHOWN} more" if len(after) > SHOWN else "")
    several = len(after) > 1
    inform(
        f"{counted(len(after), 'shot cut')} in '{name}', after {named}: no pair of frames crosses "
        f"{'them' if several else 'it'}"
    )


def _read(path: Path) -> np.ndarray | None:
    try:
        image = read_image(path)
        return None if _tiny(image.shape) else thumbnail(image)
    except InputError:
        return None


def _key(frames: Sequence[Path]) -> str:
    """A hash of the files' paths, sizes and times, so that outdated entries are not used."""
    digest = hashlib.sha256()
    for frame in frames:
        with contextlib.suppress(OSError):
            state = frame.stat()
            text = f"{frame.resolve()}\0{state.st_size}\0{state.st_mtime_ns}\0"
            digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def _tiny(shape: tuple[int, ...]) -> bool:
    """Whether a frame is too small for flow. Then there is no cut."""
    return min(shape[:2]) < LEAST_SIDE


def _shifts(grey1: np.ndarray, grey2: np.ndarray) -> list[np.ndarray]:
    """Constant initial flows [h, w, 2], for pans that are too fast for DIS alone."""
    h, w = grey1.shape
    (u, v), _ = cv2.phaseCorrelate(grey1.astype(np.float32), grey2.astype(np.float32))
    wrapped = (u - math.copysign(w, u), v - math.copysign(h, v))  # phase correlation assumes periodic frames
    starts = np.array([(u, v), (wrapped[0], v), (u, wrapped[1])], np.float32)
    return [np.broadcast_to(start, (h, w, 2)).copy() for start in starts]


def _coarsely_alike(grey1: np.ndarray, grey2: np.ndarray) -> bool:
    """Whether the means of large tiles are almost equal, as if two frames differ by noise alone."""
    tiles1, tiles2 = (
        cv2.resize(grey, (8, 6), interpolation=cv2.INTER_AREA).astype(np.float32) for grey in (grey1, grey2)
    )
    return float(np.abs(tiles1 - tiles2).mean()) < 2.0 + 0.05 * float(max(tiles1.std(), tiles2.std()))


def _found(grey1: np.ndarray, grey2: np.ndarray, start: np.ndarray | None) -> float:
    """The share of textured patches that match by appearance and pass the forward-backward check; 1 without texture."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow12 = search.calc(grey1, grey2, start)  # type: ignore[arg-type]
    flow21 = search.calc(grey2, grey1, None if start is None else -start)  # type: ignore[arg-type]
    first, second = grey1.astype(np.float32), _fetched(grey2.astype(np.float32), flow12)
    returns = np.linalg.norm(flow12 + _fetched(flow21, flow12), axis=-1)
    mean1, mean2 = cv2.blur(first, _PATCH), cv2.blur(second, _PATCH)
    var1 = np.maximum(cv2.blur(first * first, _PATCH) - mean1 * mean1, 0)
    var2 = np.maximum(cv2.blur(second * second, _PATCH) - mean2 * mean2, 0)
    alike = (cv2.blur(first * second, _PATCH) - mean1 * mean2) / np.sqrt(var1 * var2 + 25.0)
    steep = np.maximum(var1, var2) > TEXTURE
    if not steep.any():
        return 1.0
    consistent = returns < 1.0 + 0.1 * np.linalg.norm(flow12, axis=-1)
    return float(((alike > ALIKE) & consistent)[steep].mean())


def _fetched(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return cv2.remap(values, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
