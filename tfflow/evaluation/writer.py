"""Predicted flow to files: fields, pictures with one fixed scale, a video. Each file is whole or absent."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tfflow.data.formats import write_flo, write_kitti_png
from tfflow.data.images import write_image
from tfflow.data.video import video_info
from tfflow.errors import InputError
from tfflow.evaluation import pictures
from tfflow.evaluation.prediction import Predicted
from tfflow.files import sweep, write_json, write_whole

STEP = 16  # px from arrow to arrow
LEGEND, SETTINGS = "legend.png", "predict.json"


class Writer:
    """Writes predictions below a folder; each file is whole or absent. Use as a context: its end closes the video.

    flo/NAME.flo, kitti/NAME.png (16 bit), colour/NAME.png, arrows/NAME.png, sheet/NAME.png, and flow.mp4 beside
    legend.png, which says the scale. Backward flows, where there are any, in flo_back/, colour_back/ and so on.
    Arrows are drawn `stretch` times as long as the flow. With the first of these that is whole come legend.png and
    predict.json, which keeps `settings`. What a killed process left half-written in the folder is removed.
    """

    FORMATS = ("flo", "kitti", "colour", "arrows", "sheet", "video")

    def __init__(
        self,
        folder: Path,
        formats: Iterable[str],
        scale: float,
        fps: float,
        settings: dict[str, Any] | None = None,
    ):
        self.folder, self.formats, self.scale, self.fps = folder, frozenset(formats), scale, fps
        self.settings = settings or {}
        self._said = False
        self.stretch = max(1, round(STEP / scale))  # small motions would be dots
        self._video: _Video | None = None
        self._films: set[Path] = set()

    def __enter__(self) -> Writer:
        sweep(Path(place) for place, _, _ in os.walk(self.folder))
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._close()

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
        if self.formats - {"video"}:
            self._say()

    def _say(self) -> None:
        """The scale and the settings of what is here, once there is something whole."""
        if self._said:
            return
        self._said = True
        write_json(self.folder / SETTINGS, {**self.settings, "arrow_stretch": self.stretch})
        if self.formats & {"colour", "sheet", "video"}:
            write_image(self.folder / LEGEND, pictures.legend(self.scale))

    def _close(self) -> None:
        if self._video is not None:
            self._video.close()
            self._video = None
            self._say()

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
            self._close()
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
        rate = max(Fraction(1, 1001), Fraction(fps).limit_denominator(1001))
        with contextlib.ExitStack() as stack:
            self._part = stack.enter_context(write_whole(path))
            with self._refusing():
                self._container = stack.enter_context(av.open(str(self._part), "w", format="mp4"))
                self._stream = self._container.add_stream("mpeg4", rate=rate)
                self._stream.height, self._stream.width = (n + n % 2 for n in picture.shape[:2])  # even sides only
                self._stream.pix_fmt = "yuv420p"
                self._stream.bit_rate = min(2**30, int(4 * rate * self._stream.height * self._stream.width))
            self._stack = stack.pop_all()

    def takes(self, clip: Path, picture: np.ndarray) -> bool:
        return clip == self.clip and picture.shape == self.shape

    def write(self, picture: np.ndarray) -> None:
        h, w = picture.shape[:2]
        even = np.pad(picture, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge")
        with self._refusing():
            self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        self.count += 1

    def close(self) -> None:
        with self._stack, self._refusing():
            self._container.mux(self._stream.encode())
            self._container.close()
            if video_info(self._part).frames != self.count:
                raise InputError(f"cannot write '{self.path}': it lacks some of {self.count} frames; is the disk full?")

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            why = getattr(error, "strerror", None) or error
            raise InputError(f"cannot write '{self.path}': {why}; is the disk full? else leave video out") from None
