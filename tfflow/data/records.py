"""The interface of a data set, `Source`, and sources made of records, which name the files of each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from tfflow.data.formats import read_flow
from tfflow.data.images import read_image, read_mask
from tfflow.errors import InputError

Sample = dict[str, np.ndarray]


class Source(Protocol):
    """A finite list of samples. A sample depends on its index alone, so that any step of training can be repeated.

    name: as on the command line, "sintel-final:/data/sintel".
    truth: the keys of the ground truth that every sample has; empty for plain frames.
    sequences: whether there are frames before and after the pairs, for networks of three frames.
    """

    name: str
    truth: frozenset[str]
    sequences: bool

    def __len__(self) -> int: ...

    def record_name(self, index: int) -> str:
        """A unique name, usable as the stem of a relative path: "alley_1/frame_0001"."""
        ...

    def sample(self, index: int) -> Sample:
        """image1, image2 [h, w, 3] float32 RGB in [0, 1], and the arrays that `truth` names. Thread-safe.

        A sample may hold more than `truth`: some data sets have occlusions for some pairs only.
        Raises InputError if a file is missing, damaged or of another size.
        """
        ...

    def with_neighbours(self) -> Source:
        """The same pairs with image0, the frame before image1, and image3, the frame after image2.

        At the beginning of a sequence image1 replaces image0; at its end image2 replaces image3.
        """
        ...


@dataclass(frozen=True)
class Record:
    """The files of one sample. None means that the data set has no such file.

    flow_noc: KITTI's flow of visible pixels. occluded, occluded2: masks, white = occluded in the other frame.
    invalid: mask, white = no ground truth. size: (height, width) that the frames must have; None = any.
    flow_step: number of flow values for each pixel along each axis; the first one is used.
    before, after: the frames before and after the pair.
    """

    name: str
    image1: Path
    image2: Path
    flow: Path | None = None
    flow_noc: Path | None = None
    occluded: Path | None = None
    invalid: Path | None = None
    flow21: Path | None = None
    occluded2: Path | None = None
    flow_step: int = 1
    size: tuple[int, int] | None = None
    before: Path | None = None
    after: Path | None = None

    @property
    def truth(self) -> frozenset[str]:
        """The keys of the ground truth that `read_record` reads from these files."""
        keys = {
            "flow12": self.flow,
            "valid1": self.flow,
            "visible1": self.occluded or self.flow_noc,
            "flow21": self.flow21,
            "valid2": self.flow21,
            "visible2": self.occluded2,
        }
        return frozenset(key for key, path in keys.items() if path is not None)


class Records(Source):
    """A source made of records, for data sets whose samples are in files."""

    def __init__(self, name: str, records: Sequence[Record], neighbours: bool = False, cuts: Sequence[str] = ()):
        """neighbours: samples have the frames before and after the pair, too. cuts: names of pairs that shot cuts
        exclude. Raises InputError if there is no record.
        """
        if not records:
            raise InputError(f"{name}: expected pairs of frames, found none; check the path and its layout")
        self.name = name
        self.records = tuple(records)
        self.truth = frozenset.intersection(*(record.truth for record in self.records))
        self.sequences = any(record.before or record.after for record in self.records)
        self.neighbours = neighbours
        self.cuts = tuple(cuts)

    def __len__(self) -> int:
        return len(self.records)

    def record_name(self, index: int) -> str:
        return self.records[index].name

    def sample(self, index: int) -> Sample:
        return read_record(self.records[index], self.neighbours)

    def with_neighbours(self) -> Records:
        return Records(self.name, self.records, neighbours=True, cuts=self.cuts)


def read_record(record: Record, neighbours: bool = False) -> Sample:
    """Reads the arrays of one record; masks are 1 = use. InputError for a damaged file or one of another size.

    neighbours: reads image0 and image3 too; if there is no such frame, image1 and image2 replace them.
    """
    sample = {"image1": read_image(record.image1), "image2": read_image(record.image2)}
    size = record.size or sample["image1"].shape[:2]
    _same_size(size, sample["image1"], record.image1)
    _same_size(size, sample["image2"], record.image2)
    if record.flow:
        sample["flow12"], sample["valid1"] = _flow(record.flow, record.flow_step)
        _same_size(size, sample["flow12"], record.flow)
    if record.invalid:
        known = 1 - _mask(record.invalid, size)
        sample["valid1"] = sample["valid1"] * known
        sample["flow12"] = sample["flow12"] * known
    if record.flow_noc:
        _, sample["visible1"] = read_flow(record.flow_noc)
        _same_size(size, sample["visible1"], record.flow_noc)
    if record.occluded:
        sample["visible1"] = 1 - _mask(record.occluded, size)
    if record.flow21:
        sample["flow21"], sample["valid2"] = _flow(record.flow21, record.flow_step)
        _same_size(size, sample["flow21"], record.flow21)
    if record.occluded2:
        sample["visible2"] = 1 - _mask(record.occluded2, size)
    if neighbours:
        for key, path, nearest in (("image0", record.before, "image1"), ("image3", record.after, "image2")):
            sample[key] = read_image(path) if path else sample[nearest]
            if path:
                _same_size(size, sample[key], path)
    return sample


def _flow(path: Path, step: int) -> tuple[np.ndarray, np.ndarray]:
    flow, valid = read_flow(path)
    return np.ascontiguousarray(flow[::step, ::step]), np.ascontiguousarray(valid[::step, ::step])


def _mask(path: Path, size: tuple[int, ...]) -> np.ndarray:
    mask = read_mask(path)
    _same_size(size, mask, path)
    return mask


def _same_size(expected: tuple[int, ...], array: np.ndarray, path: Path) -> None:
    if array.shape[:2] != tuple(expected):
        raise InputError(
            f"'{path}' is of another size than its neighbours: expected {expected[1]} x {expected[0]} pixels, "
            f"got {array.shape[1]} x {array.shape[0]}; resize or remove it"
        )
