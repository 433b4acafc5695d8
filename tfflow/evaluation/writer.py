"""Predicted flow to files: fields, pictures with one fixed scale, masks, a table, a video. Each is whole or absent."""

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
from tfflow.evaluation.film import ENCODERS, Film, picture
from tfflow.files import sweep, write_json, write_text
from tfflow.models.estimate import Estimate

STEP = 16  # px from arrow to arrow
LEGEND, SETTINGS, TABLE = "legend.png", "predict.json", "magnitude.csv"

SUFFIXES = {
    "flo": ".flo", "kitti": ".png", "npy": ".npy", "npz": ".npz", "colour": ".png", "arrows": ".png", "sheet": ".png",
    "occlusion": ".png", "confidence": ".png", "warped": ".png", "csv": ".csv", "video": ".mp4",
}  # fmt: skip
FORMATS = tuple(SUFFIXES)
SCALED = frozenset(("colour", "arrows", "sheet", "video"))  # pictures that need a scale
CHECKED = frozenset(("occlusion", "confidence"))  # made of the flow back
OF_ALL = frozenset(("video", "csv"))  # one file for all pairs
OF_SUFFIX = {
    ".flo": "flo", ".npy": "npy", ".npz": "npz", ".png": "colour", ".csv": "csv", **dict.fromkeys(ENCODERS, "video"),
}  # fmt: skip


def format_of_file(out: Path, formats: Sequence[str] | None) -> str | None:
    """Which format one file named `out` has, None where `out` names a folder. InputError: it does not fit."""
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
    """Writes predictions below a folder; each file is whole or absent. Use as a context: its end closes the video.

    flo/NAME.flo, kitti/NAME.png (16 bit), npy/, npz/, colour/NAME.png, arrows/, sheet/, occlusion/ (white = occluded),
    confidence/ (white = sure), warped/ (the second frame as the first saw it); magnitude.csv with a row a pair; and
    flow.mp4. legend.png says the scale. Backward flows, where they are asked for, in flo_back/, colour_back/ and so on.
    Arrows are drawn `stretch` times as long as the flow. With the first of these that is whole come legend.png and
    predict.json, which keeps `settings`, and at the end `cuts`, the pairs that a shot cut left out. What a killed
    process left half-written in the folder is removed.

    file: instead of all that, this one file in the one format. layout: of the video. back: whether to write backward
    flows. scale: px, None where no format needs it.
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
        self.stretch = max(1, round(STEP / self.scale))  # small motions would be dots
        self._file, self._layout, self._back, self._cuts = file, layout, back, cuts
        self._said: list[str] | None = None
        self._film: Film | None = None
        self._clip = Path()
        self._last: Estimate | None = None  # in the film
        self._films: set[Path] = set()
        self._rows: list[dict[str, object]] = []
        self._written: set[Path] = set()

    def __enter__(self) -> Writer:
        if self._file is None:
            sweep(Path(place) for place, _, _ in os.walk(self.folder))
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._close_film()
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
            self._add_to_film(e)
        if self.formats - OF_ALL and self._said is None:
            self._say()

    def _place(self, kind: str, name: str, suffix: str = "") -> Path:
        """Where a file of one pair goes."""
        path = self._file or self.folder / f"{kind}{suffix}" / f"{name}{SUFFIXES[kind]}"
        if self._file and path in self._written:
            raise InputError(f"'{path}' is one file for one pair, and there are more: give a folder as `out`")
        self._written.add(path)
        return path

    def _say(self) -> None:
        """The scale and the settings of what is here, once there is something whole."""
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

    def _add_to_film(self, e: Estimate) -> None:
        """Adds a frame to the clip's video; another clip, or another size, starts another one.

        Where the last pair did not end with this one's first frame, as at a cut, that last frame comes first, without
        flow, so that the video keeps the time of its source.
        """
        shown = picture(e.image1, e.flow, self.scale, self._layout)
        clip = Path(e.name).parent
        if self._film is not None and (clip != self._clip or shown.shape != self._film.shape):
            self._close_film()
        if self._film is None:
            self._film, self._clip = Film(self._new_film(clip), shown.shape, self.fps), clip
        elif self._last is not None and not np.array_equal(self._last.image2, e.image1):
            self._film.write(picture(self._last.image2, None, self.scale, self._layout))
        self._film.write(shown)
        self._last = e

    def _new_film(self, clip: Path) -> Path:
        if self._file is not None and self._films:
            raise InputError(
                f"'{self._file}' is one video, and there are several clips or sizes: give a folder as `out`"
            )
        numbered = (f"flow_{n}.mp4" if n > 1 else "flow.mp4" for n in itertools.count(1))
        places = [self._file] if self._file else (self.folder / clip / name for name in numbered)
        path = next(path for path in places if path not in self._films)
        self._films.add(path)
        return path

    def _close_film(self) -> None:
        if self._film is not None:
            film, self._film = self._film, None
            film.close()
            self._say()

    def _write_table(self) -> None:
        text = io.StringIO()
        table = csv.DictWriter(text, list(self._rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(self._rows)
        write_text(self._file or self.folder / TABLE, text.getvalue())
        self._say()


def row(e: Estimate) -> dict[str, object]:
    """How far the pixels of a pair move, px: a row of magnitude.csv; with the flow back, what is occluded, too."""
    length = np.hypot(e.flow[..., 0], e.flow[..., 1])
    values = {"mean_px": length.mean(), "median_px": np.median(length), "p99_px": np.percentile(length, 99)}
    values |= {"max_px": length.max(), "mean_u_px": e.flow[..., 0].mean(), "mean_v_px": e.flow[..., 1].mean()}
    if e.flow21 is not None:
        values["occluded_percent"] = 100 * (1 - e.visible.mean())
    return {"name": e.name, **{key: f"{value:.4f}" for key, value in values.items()}}
