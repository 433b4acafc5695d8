"""Predicted flow to files: fields, pictures with one fixed scale, a video. Each file is whole or absent."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from tfflow.data.formats import write_flo, write_kitti_png
from tfflow.data.images import write_image
from tfflow.data.video import video_info
from tfflow.errors import InputError
from tfflow.evaluation import pictures
from tfflow.evaluation.prediction import Predicted
from tfflow.files import write_whole

STEP = 16  # px from arrow to arrow


class Writer:
    """Writes predictions below a folder; each file is whole or absent. Use as a context: its end closes the video.

    flo/NAME.flo, kitti/NAME.png (16 bit), colour/NAME.png, arrows/NAME.png, sheet/NAME.png, and flow.mp4 beside
    legend.png, which says the scale. Backward flows, where there are any, in flo_back/, colour_back/ and so on.
    Arrows are drawn `stretch` times as long as the flow.
    """

    FORMATS = ("flo", "kitti", "colour", "arrows", "sheet", "video")

    def __init__(self, folder: Path, formats: Iterable[str], scale: float, fps: float):
        self.folder, self.formats, self.scale, self.fps = folder, frozenset(formats), scale, fps
        self.stretch = max(1, round(STEP / scale))  # small motions would be dots
        self._video: _Video | None = None
        self._films: set[Path] = set()

    def __enter__(self) -> Writer:
        if self.formats & {"colour", "sheet", "video"}:
            write_image(self.folder / "legend.png", pictures.legend(self.scale))
        return self

    def __exit__(self, kind, error, trace) -> None:
        if self._video is not None:
            self._video.close()

    def write(self, p: Predicted) -> None:
        self._fields(p.name, p.flow12, "")
        if p.flow21 is not None:
            self._fields(p.name, p.flow21, "_back")
        if "arrows" in self.formats:
            write_image(self.folder / "arrows" / f"{p.name}.png", self._arrows(p))
        if "sheet" in self.formats:
            write_image(self.folder / "sheet" / f"{p.name}.png", self._sheet(p))
        if "video" in self.formats:
            colour = pictures.flow_to_colour(p.flow12, self.scale)
            wide = p.image1.shape[1] > 1.8 * p.image1.shape[0]
            picture = pictures.with_legend(np.concatenate([p.image1, colour], axis=0 if wide else 1), self.scale)
            self._film(Path(p.name).parent, picture)

    def _fields(self, name: str, flow: np.ndarray, suffix: str) -> None:
        if "flo" in self.formats:
            write_flo(self.folder / f"flo{suffix}" / f"{name}.flo", flow)
        if "kitti" in self.formats:
            write_kitti_png(self.folder / f"kitti{suffix}" / f"{name}.png", flow)
        if "colour" in self.formats:
            colour = pictures.flow_to_colour(flow, self.scale)
            write_image(self.folder / f"colour{suffix}" / f"{name}.png", colour)

    def _arrows(self, p: Predicted) -> np.ndarray:
        return pictures.arrows(p.image1, p.flow12, STEP, self.stretch)

    def _sheet(self, p: Predicted) -> np.ndarray:
        colour = pictures.with_legend(pictures.flow_to_colour(p.flow12, self.scale), self.scale)
        title = f"flow, full colour = {self.scale:.3g} px"
        cells = [
            (p.name, p.image1),
            (f"flow x {self.stretch}", self._arrows(p)),
            (title, colour),
        ]
        wide = p.image1.shape[1] > 1.8 * p.image1.shape[0]
        return pictures.contact_sheet([[cell] for cell in cells] if wide else [cells])

    def _film(self, clip: Path, picture: np.ndarray) -> None:
        """Adds a frame to the clip's video; another clip, or another size, starts another one."""
        if self._video is not None and not self._video.takes(clip, picture):
            self._video.close()
            self._video = None
        if self._video is None:
            numbered = (f"flow_{n}.mp4" if n > 1 else "flow.mp4" for n in itertools.count(1))
            path = next(path for path in (self.folder / clip / name for name in numbered) if path not in self._films)
            self._films.add(path)
            self._video = _Video(path, clip, picture, self.fps)
        self._video.write(picture)


class _Video:
    """An MPEG-4 file that appears under its name when it is closed, with every frame that was written."""

    def __init__(self, path: Path, clip: Path, picture: np.ndarray, fps: float):
        self.path, self.clip, self.shape, self.count = path, clip, picture.shape, 0
        h, w = (side + side % 2 for side in picture.shape[:2])  # the codec takes even sides only
        with contextlib.ExitStack() as stack:
            self._part = stack.enter_context(write_whole(path))
            self._writer = cv2.VideoWriter(str(self._part), cv2.VideoWriter.fourcc(*"mp4v"), fps, (w, h))
            if not self._writer.isOpened():
                raise InputError(f"cannot write '{path}': OpenCV made no mp4v video of {w} x {h}; leave video out")
            self._stack = stack.pop_all()

    def takes(self, clip: Path, picture: np.ndarray) -> bool:
        return clip == self.clip and picture.shape == self.shape

    def write(self, picture: np.ndarray) -> None:
        h, w = picture.shape[:2]
        even = np.pad(picture, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge")
        self._writer.write(cv2.cvtColor(even, cv2.COLOR_RGB2BGR))
        self.count += 1

    def close(self) -> None:
        self._writer.release()
        with self._stack:  # the encoder tells of no failure, so the file is asked
            if not self._whole():
                raise InputError(f"cannot write '{self.path}': it lacks some of {self.count} frames; is the disk full?")

    def _whole(self) -> bool:
        try:
            return video_info(self._part).frames == self.count
        except InputError:
            return False
