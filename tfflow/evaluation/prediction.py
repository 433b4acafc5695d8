"""Flow of two images, a folder of frames, or a video."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfflow.data.colours import robust_scale
from tfflow.data.cuts import CutFinder, is_cut, thumbnail
from tfflow.data.damage import Skipping
from tfflow.data.decoding import sample_pairs
from tfflow.data.frames import clip_records
from tfflow.data.images import IMAGE_SUFFIXES, read_image
from tfflow.data.records import Records, Sample, Source
from tfflow.data.sources import open_source
from tfflow.data.tree import in_order
from tfflow.data.video import VIDEO_SUFFIXES, numbered_frames, video_info
from tfflow.errors import InputError
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.predicting import predict, require_finite, stacked
from tfflow.evaluation.reading import read_ahead, same_size
from tfflow.messages import warn
from tfflow.models.estimate import Estimate

FEW = 16  # number of pairs, evenly spaced over all, that the scale of pictures is computed from
VIDEOS = ("video:", "video-nocuts:")

Pair = tuple[str, Sample]


@dataclass(frozen=True)
class Frames:
    """The input of a prediction.

    pairs: pairs(neighbours) gives (name, sample) in order; with `neighbours`, samples have image0 and image3, the
    frames before and after the pair. total: number of pairs, 0 if unknown. fps: of a video of the flow. sampled:
    sampled(count) gives pairs that are evenly spaced over all. cuts: names of the pairs that shot cuts exclude; the
    list grows as frames are read.
    """

    name: str
    pairs: Callable[[bool], Iterator[Pair]]
    total: int
    fps: float
    video: bool = False
    sampled: Callable[[int], Iterable[Sample]] = lambda count: ()
    cuts: list[str] = field(default_factory=list)


def open_inputs(inputs: list[str], on_error: str = "stop", cuts: bool = True) -> Frames:
    """Opens two or more images (consecutive pairs), or one folder, video or KIND:PATH.

    A video is read frame by frame, so any length fits into memory. on_error: as in `open_source`. cuts: whether pairs
    across shot cuts are excluded; two images are always a pair.
    Raises InputError for one image, frames of different sizes, and a path that is missing or cannot be read.
    """
    first = inputs[0]
    if len(inputs) > 1:  # a shell's *.png
        return _of_source(_images(inputs, on_error, cuts))
    kind = next((kind for kind in VIDEOS if first.startswith(kind)), "")
    path = Path(first.removeprefix(kind)).expanduser()
    if kind or (path.is_file() and path.suffix.lower() not in IMAGE_SUFFIXES):
        return _of_video(first, path, on_error, cuts and kind != "video-nocuts:")
    if path.is_file():
        raise InputError(f"'{first}' is one frame: flow needs two, give the second one too, a folder or a video")
    if not cuts and path.is_dir():
        first = f"frames-nocuts:{first}"
    elif not cuts and first.startswith("frames:"):
        first = f"frames-nocuts:{first.removeprefix('frames:')}"
    return _of_source(open_source(first, on_error))


def of_arrays(frames: Iterable[np.ndarray], cuts: bool = True) -> Frames:
    """Opens an iterable of frames, float32 RGB [h, w, 3], read one at a time. A new size begins a new clip."""
    found: list[str] = []
    numbered = enumerate(frames, 1)
    return Frames("frames", lambda neighbours: _stream(numbered, neighbours, cuts, found), 0, 10.0, cuts=found)


def predict_all(predictor: Predictor, frames: Frames, batch: int = 1, both: bool = False) -> Iterator[Estimate]:
    """The flow of every pair, in order, `batch` pairs at a time. Raises InputError if it is not finite.

    A network of three frames also gets the frame before the pair. For the first pair, image1 replaces it.
    """
    for group in same_size(frames.pairs(getattr(predictor, "frames", 2) > 2), batch):
        images = stacked([sample for _, sample in group])
        flows12, flows21 = predict(predictor, images, both)
        for i, (name, sample) in enumerate(group):
            flow21 = None if flows21 is None else flows21[i]
            require_finite(predictor.name, name, flows12[i], flow21)
            yield Estimate(flows12[i], sample["image1"], sample["image2"], flow21, name)


def with_scale(
    predictor: Predictor, frames: Frames, predicted: Iterable[Estimate]
) -> tuple[float, str, Iterator[Estimate]]:
    """Returns one scale for all pictures, px, a text that states its origin, and the predictions.

    The scale is the 99th percentile of flow lengths over at most `FEW` pairs, evenly spaced over all. If reading them
    fails, the predictions before the failure still come first, then the error.
    """
    predicted = iter(predicted)
    if frames.total > FEW:
        flows = []
        for sample in frames.sampled(FEW):
            flow = predict(predictor, stacked([sample]), both=False)[0][0]
            flows.append(flow[::2, ::2])
        if flows:
            text = f"99th percentile of the lengths over {len(flows)} pairs, spread over all"
            return robust_scale(flows), text, predicted
    first: list[Estimate] = []
    stopped: list[InputError] = []
    try:
        for e in itertools.islice(predicted, FEW):
            first.append(e)
    except InputError as error:
        stopped.append(error)
    scale = robust_scale(flow for e in first for flow in (e.flow, e.flow21) if flow is not None)
    all_of_them = stopped or len(first) < FEW or frames.total == FEW
    text = f"99th percentile of the lengths over {'all' if all_of_them else f'the first {FEW}'} pairs"
    return scale, text, _resumed(first, stopped, predicted)


def _resumed(first: list[Estimate], stopped: list[InputError], rest: Iterator[Estimate]) -> Iterator[Estimate]:
    yield from first
    if stopped:
        raise stopped[0]
    yield from rest


def _of_source(source: Source) -> Frames:
    def pairs(neighbours: bool) -> Iterator[Pair]:
        return read_ahead(source.with_neighbours() if neighbours else source, len(source), [])

    def some(count: int) -> Iterator[Sample]:
        for k in range(count):
            try:
                yield source.sample(k * len(source) // count)
            except InputError:  # raised when the pair itself is read
                continue

    cuts = list(getattr(getattr(source, "source", source), "cuts", ()))
    return Frames(source.name, pairs, len(source), fps=10.0, sampled=some, cuts=cuts)


def _images(paths: list[str], on_error: str, cuts: bool) -> Source:
    """Images in the given order, except that of a shell. A pair has the name of its first image, or a number."""
    files = in_order([Path(path).expanduser() for path in paths])
    for path in files:
        if path.is_dir() or (path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES):
            raise InputError(f"'{path}' is no image: expected two or more images, or one folder, or one video")
    records, after = clip_records(files, "", on_error, cuts and len(files) > 2)
    if not records:
        raise InputError(f"no two of these {len(files)} images show one scene: to pair them all the same, `cuts=False`")
    if cuts and len(files) == 2 and _different(files):
        warn(f"'{files[0].name}' and '{files[1].name}' seem to show different scenes: flow means little there")
    if len({record.name for record in records}) < len(records):
        records = [dataclasses.replace(r, name=f"{i:06d}_{r.image1.stem}") for i, r in enumerate(records, 1)]
    source = Records(" ".join(paths[:2] + ["..."] * (len(paths) > 2)), records, cuts=after)
    return Skipping(source) if on_error == "skip" else source


def _different(files: list[Path]) -> bool:
    try:
        small1, small2 = (thumbnail(read_image(path)) for path in files)
    except InputError:  # raised when it is read for its flow
        return False
    return small1.shape == small2.shape and is_cut(small1, small2)


def _of_video(name: str, path: Path, on_error: str, cuts: bool) -> Frames:
    info = video_info(path)
    found: list[str] = []

    def pairs(neighbours: bool) -> Iterator[Pair]:
        count = 0
        for pair in _stream(numbered_frames(path, on_error), neighbours, cuts, found):
            count += 1
            yield pair
        if not count:
            advice = "to pair frames across shot cuts, `cuts=False`" if found else "take a longer video"
            raise InputError(f"'{path}' has no two consecutive frames of one shot, and flow needs a pair: {advice}")

    def some(count: int) -> Iterator[Sample]:
        for pair in sample_pairs(path, count):
            if not cuts or not is_cut(*map(thumbnail, pair)):
                yield {f"image{k}": frame.astype(np.float32) / np.float32(255) for k, frame in enumerate(pair, 1)}

    return Frames(name, pairs, max(0, info.frames - 1), info.fps, video=True, sampled=some, cuts=found)


def _stream(
    numbered: Iterable[tuple[int, np.ndarray]], neighbours: bool, cuts: bool, found: list[str]
) -> Iterator[Pair]:
    """Consecutive pairs of a stream. There is no pair across missing frames or a shot cut.

    found: receives the names of the pairs that a shot cut excludes. An InputError is raised after the pairs before it.
    """
    finder = CutFinder(cuts)
    last: tuple[int, np.ndarray] | None = None
    waiting: Pair | None = None  # with `neighbours`: the pair whose image3 is the next frame
    stopped: InputError | None = None

    def complete(pair: Pair, image3: np.ndarray) -> Pair:
        return pair[0], {**pair[1], "image3": image3}

    try:
        for number, frame in numbered:
            joined = last is not None and number == last[0] + 1 and last[1].shape == frame.shape
            cut = finder(frame) if joined else finder.begin(frame)
            if cut and last is not None:
                found.append(_name(last[0]))
            if last is None or not joined or cut:
                if waiting:
                    yield complete(waiting, waiting[1]["image2"])
                waiting, last = None, (number, frame)
                continue
            name, sample = _name(last[0]), {"image1": last[1], "image2": frame}
            if not neighbours:
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


def _name(number: int) -> str:
    return f"frame_{number:06d}"
