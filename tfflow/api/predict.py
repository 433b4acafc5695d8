"""`tfflow.predict`: the flow of a video, a folder, or frames as they come; and `predict_files`, which writes it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfflow import models
from tfflow.api.estimate import network
from tfflow.data.arrays import as_image
from tfflow.data.images import IMAGE_SUFFIXES
from tfflow.data.tree import files
from tfflow.errors import InputError, unknown_name
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.flow_video import LAYOUTS, encoder
from tfflow.evaluation.prediction import Frames, of_arrays, open_inputs, predict_all, with_scale
from tfflow.evaluation.refinement import refined
from tfflow.evaluation.writer import CHECKED, FORMATS, OF_ALL, SCALED, SETTINGS, Writer, format_of_file
from tfflow.files import check_writable
from tfflow.models.estimate import Estimate
from tfflow.models.scales import ONCE, check_scales

FEW_PAIRS = 8
"""Fewer pairs than these are computed without a graph: building it takes as long as about ten pairs."""


def predict(
    frames: Any,
    weights: Any = None,
    *,
    both: bool = False,
    scales: Sequence[float] = ONCE,
    refine: str | None = None,
    warm_start: bool = False,
    cuts: bool = True,
    batch: int = 1,
    on_error: str = "stop",
    channels: str = "rgb",
) -> Iterator[Estimate]:
    """Flow of each frame to the next, one result after the other. Only a few frames are held at a time.

        for result in tfflow.predict("holiday.mp4", both=True):
            result.flow, result.visible, result.name          # [h, w, 2] px, bool [h, w], "frame_000001"

    frames: a video, a folder of images, a KIND:PATH, a list of image paths, or any iterable of images as
        `FlowModel.flow` takes them.
    weights, scales: as of `tfflow.load`, or a loaded network.
    both: compute the flow back, too. A result then has visibility and confidence.
    refine: "variational" adds OpenCV's refinement after the network.
    warm_start: each pair starts from the flow of the pair before.
    cuts: leave out pairs that a shot cut separates. False takes every pair.
    batch: pairs at a time. on_error: "stop" or "skip", at a damaged frame. channels: "bgr" for arrays from OpenCV.
    Raises InputError at once where an argument does not fit, and where a frame does not, when it is read.
    """
    _check_numbers(batch=batch)
    opened = _opened(frames, on_error, cuts, channels)
    predictor = _predictor(weights, scales, refine, warm_start, opened.total)
    return predict_all(predictor, opened, batch, both)


@dataclass(frozen=True)
class Predictions:
    """What was written: where, in which formats, of how many pairs; the length shown in full colour, px (None: no
    picture), the stretch of arrows, and the names of the pairs that a shot cut left out."""

    out: Path
    formats: tuple[str, ...]
    pairs: int
    scale: float | None
    stretch: int
    cuts: tuple[str, ...]


def predict_files(
    inputs: Sequence[str],
    out: str | os.PathLike = "flow",
    weights: Any = None,
    *,
    formats: Sequence[str] | None = None,
    both: bool = False,
    scales: Sequence[float] = ONCE,
    refine: str | None = None,
    warm_start: bool = False,
    cuts: bool = True,
    full: float | None = None,
    fps: float | None = None,
    layout: str = "side",
    batch: int = 1,
    on_error: str = "stop",
    overwrite: bool = False,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Predictions:
    """Writes the flow of two or more images, a folder, a video or a KIND:PATH.

    out: a folder, or one file. A .flo, .npy, .npz or .png holds one pair; a .csv, .mp4 or .webm holds all.
    formats: of `tfflow.evaluation.writer.FORMATS`. Default: flo, colour and arrows; for a video, a video.
    full: the length shown in full colour, px. Default: the robust range over all pairs.
    fps, layout: of the video. Default: the input's speed; layouts are `tfflow.evaluation.flow_video.LAYOUTS`.
    overwrite: replace what is at `out`. The other parameters are those of `predict`.
    progress: called with the name of the input, the pairs done, and their total (0 = unknown).
    Raises InputError before any work where an argument does not fit, and at the frame that cannot be read.
    """
    out = Path(out)
    _check_numbers(batch=batch, full=full, fps=fps)
    if layout not in LAYOUTS:
        raise unknown_name("layout", layout, LAYOUTS)
    given = _checked_formats(formats)
    file = out if (of_file := format_of_file(out, given)) else None
    frames = open_inputs([os.fspath(path) for path in inputs], on_error, cuts)
    kept = [of_file] if of_file else given or (["video"] if frames.video else ["flo", "colour", "arrows"])
    if file and frames.total > 1 and not OF_ALL & set(kept):
        raise InputError(f"`out` {out} is one file for one pair, and {frames.name} has {frames.total}: give a folder")
    if "video" in kept:
        encoder(file or out / "flow.mp4")  # refused now, not after the first network pass
    _check_out(out, file, inputs, overwrite)
    predictor = _predictor(weights, scales, refine, warm_start, frames.total)
    predicted: Iterator[Estimate] = predict_all(predictor, frames, batch, both or bool(CHECKED & set(kept)))
    scale, source = full, "given"
    if scale is None and SCALED & set(kept):
        scale, source, predicted = with_scale(predictor, frames, predicted)
    settings = {
        "inputs": list(inputs),
        "weights": models.DEFAULT if weights is None else str(weights),
        "model": predictor.name,
        "scales": ",".join(f"{float(s):g}" for s in check_scales(scales)),
        "refine": refine,
        "warm_start": warm_start,
        "formats": kept,
        "scale_px": scale,
        "scale_from": None if scale is None else source,
    }
    count = 0
    with Writer(
        out, kept, scale, fps or frames.fps, settings, file=file, layout=layout, back=both, cuts=frames.cuts
    ) as writer:
        for e in predicted:
            writer.write(e)
            count += 1
            progress(frames.name, count, max(0, frames.total - len(frames.cuts) * frames.video))
    return Predictions(
        out, tuple(kept), count, scale if SCALED & set(kept) else None, writer.stretch, tuple(frames.cuts)
    )


def _opened(frames: Any, on_error: str, cuts: bool, channels: str) -> Frames:
    if isinstance(frames, str | os.PathLike):
        return open_inputs([os.fspath(frames)], on_error, cuts)
    if not isinstance(frames, Iterable):
        raise InputError(f"`frames` must be a path or frames one after the other, got {type(frames).__name__}")
    first = list(itertools.islice(iter(frames), 1)) if isinstance(frames, Sequence) else []
    if first and isinstance(first[0], str | os.PathLike):
        return open_inputs([os.fspath(path) for path in frames], on_error, cuts)
    return of_arrays((as_image("frame", frame, channels) for frame in frames), cuts)


def _predictor(weights: Any, scales: Sequence[float], refine: str | None, warm_start: bool, pairs: int) -> Predictor:
    """The network for so many pairs (0: unknown), with what is added to it."""
    predictor: Predictor = network(weights, scales, few=0 < pairs < FEW_PAIRS)
    if warm_start:
        from tfflow.models.warm_start import WarmStart

        predictor = WarmStart(predictor)  # type: ignore[arg-type]
    return refined(predictor, refine) if refine else predictor


def _checked_formats(given: Sequence[str] | None) -> list[str] | None:
    if given is None:
        return None
    formats = [name.strip() for name in given if name.strip()]
    for name in formats:
        if name not in FORMATS:
            raise unknown_name("format", name, FORMATS)
    if not formats:
        raise InputError(f"`formats` names none: choose of {','.join(FORMATS)}")
    return formats


def _check_numbers(**values: float | None) -> None:
    for option, value in values.items():
        if value is not None and not 0 < value < 1e9:
            raise InputError(f"`{option}` must be above 0, got {value:g}")


def _check_out(out: Path, file: Path | None, inputs: Sequence[str], overwrite: bool) -> None:
    """Raises InputError where `out` cannot be written, holds something already, or lies among the frames."""
    if inside := _among(out, inputs, file is not None):
        raise InputError(
            f"`out` {out} is where the frames of '{inside}' are: a picture of flow would be taken for one; choose "
            "another place"
        )
    if not overwrite and (file is not None and file.exists()):
        raise InputError(f"'{out}' is there already: choose another `out`, or add `overwrite=True`")
    if not overwrite and file is None and (out / SETTINGS).exists():
        raise InputError(f"{out} holds predictions already: choose another `out`, or add `overwrite=True`")
    check_writable(out if file is None else out.parent)  # refused now, not after the first network pass


def _among(out: Path, inputs: Sequence[str], one_file: bool) -> str | None:
    """The input among whose frames the files in `out`, or that one file, would lie."""
    out = out.expanduser().resolve()
    for given in inputs:
        path = Path(given.removeprefix("frames:").removeprefix("frames-nocuts:")).expanduser().resolve()
        if one_file:
            if out == path or (path.is_dir() and out.parent == path and out.suffix.lower() in IMAGE_SUFFIXES):
                return given
            continue
        if out == (path if path.is_dir() else path.parent if path.suffix.lower() in IMAGE_SUFFIXES else None):
            return given
        if out.parent == path and out.is_dir() and files(out) and not (out / SETTINGS).exists():  # one clip of several
            return given
    return None
