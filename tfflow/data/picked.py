"""Selects training pairs of a user's frames: pairs that move, with a larger distance where motion is slow."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from tfflow.data.records import Records, Sample, Source
from tfflow.data.survey import Motion, measured
from tfflow.errors import InputError
from tfflow.messages import counted

FARTHEST = 4  # largest distance of the frames of a pair, in frames
ENOUGH = 1.0  # px that the faster edges of a pair should move, at the size that is measured
MEASURED, LONGEST = 512, 1280  # px; larger frames are resized to this to measure their motion, and for training


class OwnPairs(Source):
    """Pairs of a source's frames, without ground truth: image1 of one sample, image2 of the same or a later one.

    places: (first sample, last sample) of each pair. longest: px of the longer side; larger frames are resized.
    """

    truth: frozenset[str] = frozenset()
    sequences = False

    def __init__(self, source: Source, places: Sequence[tuple[int, int]], longest: int = LONGEST):
        self.source, self.places, self.longest, self.name = source, list(places), longest, source.name

    def __len__(self) -> int:
        return len(self.places)

    def record_name(self, index: int) -> str:
        first, last = self.places[index]
        return self.source.record_name(first) + (f"_{last - first + 1}" if last > first else "")

    def sample(self, index: int) -> Sample:
        first, last = self.places[index]
        sample = self.source.sample(first)
        image2 = sample["image2"] if first == last else self.source.sample(last)["image2"]
        return {"image1": smaller(sample["image1"], self.longest), "image2": smaller(image2, self.longest)}

    def with_neighbours(self) -> Source:
        raise InputError(
            f"{self.name}: selected pairs have no frames before and after them: take a network of two frames"
        )


class Picked:
    """The result of the selection. places: pairs that move. tried: number of measured pairs. flat: without texture."""

    def __init__(self) -> None:
        self.places: list[tuple[int, int]] = []
        self.tried = self.flat = 0

    def text(self) -> str:
        """One line: numbers of pairs that move or have no texture, and the distances of their frames."""
        apart = [last - first + 1 for first, last in self.places]
        counts = ", ".join(f"{apart.count(d)} at distance {d}" for d in range(1, FARTHEST + 1) if d in apart)
        still = self.tried - self.flat - len(self.places)
        return (
            f"of {counted(self.tried, 'pair')} measured {len(self.places)} move{f' ({counts})' * bool(apart)}, "
            f"{still} stand still, {self.flat} have no texture"
        )


def pick_moving(source: Source, runs: Sequence[range], wanted: int, longest: int = MEASURED) -> Picked:
    """Selects up to `wanted` pairs that move, evenly spaced over the runs of consecutive samples.

    The frames of a pair are 1 to 4 frames apart: the smallest distance with a motion of `ENOUGH`, else the largest with
    any motion. Damaged frames are left out.
    """
    every = [(run, number) for run in runs for number in run]
    count = min(wanted, len(every))
    picked = Picked()
    for k in range(count):
        run, first = every[k * len(every) // count]
        try:
            kinds = _by_distance(source, run, first, longest)
        except InputError:  # raised again when the frame is used
            continue
        picked.tried += 1
        picked.flat += all(motion.kind == "flat" for motion in kinds)
        moving = [d for d, motion in enumerate(kinds) if motion.kind == "moving"]
        if moving:
            picked.places.append((first, first + moving[-1]))
    return picked


def _by_distance(source: Source, run: range, first: int, longest: int) -> list[Motion]:
    """The motion at distances 1, 2, ... up to the first with enough motion."""
    found: list[Motion] = []
    image1 = smaller(source.sample(first)["image1"], longest)
    for last in range(first, min(first + FARTHEST, run.stop)):
        if last > first and not _follows(source, last):
            break
        found.append(measured(image1, smaller(source.sample(last)["image2"], longest)))
        if found[-1].kind == "moving" and found[-1].fast >= ENOUGH:
            break
    return found


def _follows(source: Source, number: int) -> bool:
    """Whether a sample's first frame is the last frame of the sample before it."""
    if not isinstance(source, Records):
        return False
    return source.records[number - 1].image2 == source.records[number].image1


def smaller(image: np.ndarray, longest: int) -> np.ndarray:
    """The image, resized so that its longer side is at most `longest` px."""
    h, w = image.shape[:2]
    scale = longest / max(h, w)
    if scale >= 1:
        return image
    return cv2.resize(image, (max(1, round(w * scale)), max(1, round(h * scale))), interpolation=cv2.INTER_AREA)
