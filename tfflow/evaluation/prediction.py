"""Flow of whatever frames there are: two images, a folder, a video."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfflow.data.damage import Skipping
from tfflow.data.frames import clip_records
from tfflow.data.images import IMAGE_SUFFIXES
from tfflow.data.records import Records, Sample, Source
from tfflow.data.sources import open_source
from tfflow.data.tree import in_order
from tfflow.data.video import VIDEO_SUFFIXES, numbered_frames, video_info
from tfflow.errors import InputError
from tfflow.evaluation import pictures
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.benchmark import predict, require_finite, stacked
from tfflow.evaluation.reading import read_ahead, same_size

LOOK = 8  # pairs that the scale of the pictures is taken from, where none is given


@dataclass(frozen=True)
class Frames:
    """What to predict on: `pairs(around)` gives (name, sample) in order; total 0 = unknown; fps for a video made of it.

    around: whether samples have image0 and image3, too, the frames before and after the pair.
    """

    name: str
    pairs: Callable[[bool], Iterator[tuple[str, Sample]]]
    total: int
    fps: float
    video: bool = False


@dataclass(frozen=True)
class Predicted:
    """One pair's first frame, uint8 RGB, and its flow [h, w, 2], px; flow21 lives on the second frame's pixels."""

    name: str
    image1: np.ndarray
    flow12: np.ndarray
    flow21: np.ndarray | None


def open_inputs(inputs: list[str], on_error: str = "stop") -> Frames:
    """Two or more images (consecutive pairs), or one folder, video or KIND:PATH.

    A video is read frame by frame, so that any length fits into memory. on_error as of `open_source`.
    Raises InputError: one image, frames of different sizes, a path that is missing or cannot be read.
    """
    first = inputs[0]
    if len(inputs) > 1:  # a shell's *.png
        return _of_source(_images(inputs, on_error))
    path = Path(first.removeprefix("video:")).expanduser()
    if first.startswith("video:") or (path.is_file() and path.suffix.lower() not in IMAGE_SUFFIXES):
        info = video_info(path)
        return Frames(
            first, lambda around: _video_pairs(path, on_error, around), max(0, info.frames - 1), info.fps, video=True
        )
    if path.is_file():
        raise InputError(f"'{first}' is one frame: flow needs two, give the second one too, a folder or a video")
    return _of_source(open_source(first, on_error))


def predict_all(predictor: Predictor, frames: Frames, batch: int = 1, both: bool = False) -> Iterator[Predicted]:
    """The flow of every pair, in order, `batch` pairs at a time. Raises InputError where it is not finite.

    A network of three frames is given the frame before the pair, too; to a sequence's first pair its own first frame
    stands for it.
    """
    for group in same_size(frames.pairs(getattr(predictor, "frames", 2) > 2), batch):
        images = stacked([sample for _, sample in group])
        flows12, flows21 = predict(predictor, images, both)
        for i, (name, _) in enumerate(group):
            flow21 = None if flows21 is None else flows21[i]
            require_finite(predictor.name, name, flows12[i], flow21)
            yield Predicted(name, pictures.to_bytes(images["image1"][i]), flows12[i], flow21)


def with_scale(predicted: Iterable[Predicted], scale: float | None) -> tuple[float, Iterator[Predicted]]:
    """One scale for all pictures, px: the given one, or the 99th percentile of the lengths over the first `LOOK` pairs.

    Where reading stops among these, the pairs before it are still given back, and the refusal after them.
    """
    predicted = iter(predicted)
    if scale is not None:
        return scale, predicted
    first: list[Predicted] = []
    stopped: list[InputError] = []
    try:
        for p in itertools.islice(predicted, LOOK):
            first.append(p)
    except InputError as error:
        stopped.append(error)
    scale = pictures.robust_scale(flow for p in first for flow in (p.flow12, p.flow21) if flow is not None)
    return scale, _resumed(first, stopped, predicted)


def _resumed(first: list[Predicted], stopped: list[InputError], rest: Iterator[Predicted]) -> Iterator[Predicted]:
    yield from first
    if stopped:
        raise stopped[0]
    yield from rest


def _of_source(source: Source) -> Frames:
    def pairs(around: bool) -> Iterator[tuple[str, Sample]]:
        return read_ahead(source.around() if around else source, len(source), [])

    return Frames(source.name, pairs, len(source), fps=10.0)


def _images(paths: list[str], on_error: str) -> Source:
    """Images in the order given, but for a shell's. A pair has the name of its first one, or a number."""
    files = in_order([Path(path).expanduser() for path in paths])
    for path in files:
        if path.is_dir() or (path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES):
            raise InputError(f"'{path}' is no image: expected two or more images, or one folder, or one video")
    records, _ = clip_records(files, "", on_error, cuts=False)
    if len({record.name for record in records}) < len(records):
        records = [dataclasses.replace(r, name=f"{i:06d}_{r.image1.stem}") for i, r in enumerate(records, 1)]
    source = Records(" ".join(paths[:2] + ["..."] * (len(paths) > 2)), records)
    return Skipping(source) if on_error == "skip" else source


def _video_pairs(path: Path, on_error: str, around: bool) -> Iterator[tuple[str, Sample]]:
    """The pairs of neighbours; frames with missing ones between them are none."""
    last: tuple[int, np.ndarray] | None = None
    waiting: tuple[str, Sample] | None = None  # with `around`: the pair before, whose image3 is to come
    count = 0
    stopped: InputError | None = None

    def complete(pair: tuple[str, Sample], image3: np.ndarray) -> tuple[str, Sample]:
        return pair[0], {**pair[1], "image3": image3}

    try:
        for number, frame in numbered_frames(path, on_error):
            if last is None or number != last[0] + 1:
                if waiting:
                    yield complete(waiting, waiting[1]["image2"])
                waiting, last = None, (number, frame)
                continue
            count += 1
            name, sample = f"frame_{last[0]:06d}", {"image1": last[1], "image2": frame}
            if not around:
                yield name, sample
            else:
                if waiting:
                    yield complete(waiting, frame)
                waiting = name, {**sample, "image0": waiting[1]["image1"] if waiting else last[1]}
            last = number, frame
    except InputError as error:
        stopped = error
    if waiting:
        yield complete(waiting, waiting[1]["image2"])
    if stopped:
        raise stopped
    if not count:
        raise InputError(f"'{path}' holds no two frames one after the other: flow needs them")
