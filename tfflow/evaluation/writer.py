"""Writes predicted flow: fields, pictures with one scale, masks, a table, a video. Each file is complete or absent."""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfflow.data.formats import write_flo, write_kitti_png, write_npy
from tfflow.data.images import write_image
from tfflow.errors import InputError, unknown_name
from tfflow.evaluation import pictures
from tfflow.evaluation.flow_video import ENCODERS, FlowVideo, picture
from tfflow.files import sweep, write_json, write_text
from tfflow.models.estimate import Estimate

STEP = 16  # px between arrows
LEGEND, SETTINGS, TABLE = "legend.png", "predict.json", "magnitude.csv"

SUFFIXES = {
    "flo": ".flo", "kitti": ".png", "npy": ".npy", "npz": ".npz", "colour": ".png", "arrows": ".png", "sheet": ".png",
    "occlusion": ".png", "confidence": ".png", "warped": ".png", "csv": ".csv", "video": ".mp4",
}  # fmt: skip
FORMATS = tuple(SUFFIXES)
SCALED = frozenset(("colour", "arrows", "sheet", "video"))  # pictures that need a scale
CHECKED = frozenset(("occlusion", "confidence"))  # formats that need the backward flow
OF_ALL = frozenset(("video", "csv"))  # one file for all pairs
OF_SUFFIX = {
    ".flo": "flo", ".npy": "npy", ".npz": "npz", ".png": "colour", ".csv": "csv", **dict.fromkeys(ENCODERS, "video"),
}  # fmt: skip


def format_of_file(out: Path, formats: Sequence[str] | None) -> str | None:
    """The format of one file named `out`, None if `out` is a folder. InputError if it does not fit `formats`."""
    suffix = out.suffix.lower()
    if out.is_dir() or suffix not in OF_SUFFIX:
        return None
    if formats is None:
        return OF_SUFFIX[suffix]
    fits = ENCODERS if formats[0] == "video" else (SUFFIXES[formats[0]],)
    if len(formats) > 1 or suffix not in fits:
        raise InputError(f"`out` {out} is one file, and `formats` {','.join(formats)} are not: give a folder")
    return formats[0]


class Writer:
    """Writes predictions below a folder; each file is complete or absent. Use it as a context manager.

    It writes flo/NAME.flo, kitti/NAME.png (16 bit), npy/, npz/, colour/NAME.png, arrows/, sheet/, occlusion/ (white =
    occluded), confidence/ (white = high), warped/ (frame 2 warped to frame 1), magnitude.csv with a row for each pair,
    and flow.mp4. legend.png states the scale. Backward flows go to flo_back/, colour_back/ and so on.
    predict.json keeps `settings`, and at the end `cuts`, the pairs that shot cuts exclude. Incomplete files that a
    killed process left in the folder are removed.

    scale: px, None if no format needs it. Arrows are drawn `stretch` times as long as the flow. file: writes only this
    file, in one format. layout: of the video. back: whether to write backward flows.
    """

    def __init__(
        self,
        folder: Path,
        formats: Iterable[str],
        scale: float | None,
        fps: float,
        settings: dict[str, Any] | None = None,
        *,
        file: Path | None = None,
        layout: str = "side",
        back: bool = True,
        cuts: Sequence[str] = (),
    ):
        self.folder, self.formats, self.fps = folder, frozenset(formats), fps
        for name in self.formats - set(FORMATS):
            raise unknown_name("format", name, FORMATS)
        self.scale = scale or 1.0
        self.settings = settings or {}
        self.stretch = max(1, round(STEP / self.scale))  # else small motions would be dots
        self._file, self._layout, self._back, self._cuts = file, layout, back, cuts
        self._said: list[str] | None = None
        self._video: FlowVideo | None = None
        self._clip = Path()
        self._last: Estimate | None = None  # in the video
        self._videos: set[Path] = set()
        self._rows: list[dict[str, object]] = []
        self._written: set[Path] = set()

    def __enter__(self) -> Writer:
        if self._file is None:
            sweep(Path(place) for place, _, _ in os.walk(self.folder))
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._close_video()
        if self._rows:
            self._write_table()
        if self._said is not None and self._said != list(self._cuts):
            self._say()

    def write(self, e: Estimate) -> None:
        self._fields(e.name, e.flow, "")
        if e.flow21 is not None and self._back and self._file is None:
            self._fields(e.name, e.flow21, "_back")
        if "npz" in self.formats:
            e.save(self._place("npz", e.name))
        for kind, make in (
            ("arrows", self._arrows),
            ("sheet", self._sheet),
            ("occlusion", lambda e: np.where(e.visible, 0, 255).astype(np.uint8)),
            ("confidence", lambda e: e.confidence),
            ("warped", lambda e: e.warp()),
        ):
            if kind in self.formats:
                write_image(self._place(kind, e.name), make(e))
        if "csv" in self.formats:
            self._rows.append(row(e))
        if "video" in self.formats:
            self._add_to_video(e)
        if self.formats - OF_ALL and self._said is None:
            self._say()

    def _place(self, kind: str, name: str, suffix: str = "") -> Path:
        """The path of a file of one pair."""
        path = self._file or self.folder / f"{kind}{suffix}" / f"{name}{SUFFIXES[kind]}"
        if self._file and path in self._written:
            raise InputError(f"'{path}' is one file for one pair, and there are more: give a folder as `out`")
        self._written.add(path)
        return path

    def _say(self) -> None:
        """Writes the scale and the settings, once the first file is complete."""
        if self._file is not None:
            return
        self._said = list(self._cuts)
        stretch = {"arrow_stretch": self.stretch} if self.formats & SCALED else {}
        write_json(self.folder / SETTINGS, {**self.settings, **stretch, "cuts_after": self._said})
        if self.formats & {"colour", "sheet", "video"}:
            write_image(self.folder / LEGEND, pictures.legend(self.scale))

    def _fields(self, name: str, flow: np.ndarray, suffix: str) -> None:
        for kind, write in (("flo", write_flo), ("kitti", write_kitti_png), ("npy", write_npy)):
            if kind in self.formats:
                write(self._place(kind, name, suffix), flow)
        if "colour" in self.formats:
            write_image(self._place("colour", name, suffix), pictures.flow_to_colour(flow, self.scale))

    def _arrows(self, e: Estimate) -> np.ndarray:
        return pictures.arrows(e.image1, e.flow, STEP, self.stretch)

    def _sheet(self, e: Estimate) -> np.ndarray:
        colour = pictures.with_legend(pictures.flow_to_colour(e.flow, self.scale), self.scale)
        title = f"flow, full colour = {self.scale:.3g} px"
        cells = [
            (e.name, e.image1),
            (f"flow x {self.stretch}", self._arrows(e)),
            (title, colour),
        ]
        wide = e.image1.shape[1] > 1.8 * e.image1.shape[0]
        return pictures.contact_sheet([[cell] for cell in cells] if wide else [cells])

    def _add_to_video(self, e: Estimate) -> None:
        """Adds a frame to the clip's video. Another clip, or another size, starts another video.

        At a shot cut, the last frame of the pair before is added without flow, so that the video has the duration of
        its source.
        """
        shown = picture(e.image1, e.flow, self.scale, self._layout)
        clip = Path(e.name).parent
        if self._video is not None and (clip != self._clip or shown.shape != self._video.shape):
            self._close_video()
        if self._video is None:
            self._video, self._clip = FlowVideo(self._new_video(clip), shown.shape, self.fps), clip
        elif self._last is not None and not np.array_equal(self._last.image2, e.image1):
            self._video.write(picture(self._last.image2, None, self.scale, self._layout))
        self._video.write(shown)
        self._last = e

    def _new_video(self, clip: Path) -> Path:
        if self._file is not None and self._videos:
            raise InputError(
                f"'{self._file}' is one video, and there are several clips or sizes: give a folder as `out`"
            )
        numbered = (f"flow_{n}.mp4" if n > 1 else "flow.mp4" for n in itertools.count(1))
        places = [self._file] if self._file else (self.folder / clip / name for name in numbered)
        path = next(path for path in places if path not in self._videos)
        self._videos.add(path)
        return path

    def _close_video(self) -> None:
        if self._video is not None:
            video, self._video = self._video, None
            video.close()
            self._say()

    def _write_table(self) -> None:
        text = io.StringIO()
        table = csv.DictWriter(text, list(self._rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(self._rows)
        write_text(self._file or self.folder / TABLE, text.getvalue())
        self._say()


def row(e: Estimate) -> dict[str, object]:
    """A row of magnitude.csv: lengths of the flow, px, and, with a backward flow, the share of occluded pixels."""
    length = np.hypot(e.flow[..., 0], e.flow[..., 1])
    values = {"mean_px": length.mean(), "median_px": np.median(length), "p99_px": np.percentile(length, 99)}
    values |= {"max_px": length.max(), "mean_u_px": e.flow[..., 0].mean(), "mean_v_px": e.flow[..., 1].mean()}
    if e.flow21 is not None:
        values["occluded_percent"] = 100 * (1 - e.visible.mean())
    return {"name": e.name, **{key: f"{value:.4f}" for key, value in values.items()}}
