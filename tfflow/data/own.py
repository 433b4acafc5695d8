"""A user's own data set as a source: any object with a length and samples. Its samples are checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfflow.data.arrays import as_image
from tfflow.data.records import Sample, Source
from tfflow.errors import InputError

CHANNELS = {"flow12": 2, "flow21": 2, "valid1": 1, "valid2": 1, "visible1": 1, "visible2": 1}
"""The optional arrays of a sample, and the number of channels of each."""


def as_source(data: Any, name: str = "") -> Source:
    """Makes a source of a data set of your own.

    data: an object with `len(data)` and `data.sample(index)` or `data[index]`, which must depend on the index alone. A
        sample is a pair (image1, image2), or a dict with image1 and image2 as `flow` takes them. The dict may also hold
        flow12 and flow21 [h, w, 2], px, and the masks valid1, valid2, visible1 and visible2, [h, w] or [h, w, 1], 1 =
        use. The object may have a `name`. Sources of this package are returned unchanged.
    Raises InputError for another object, and for one without samples.
    """
    if type(data).__module__.startswith("tfflow.data."):
        return data
    if not hasattr(data, "__len__") or not (hasattr(data, "sample") or hasattr(data, "__getitem__")):
        raise InputError(
            f"data must be KIND:PATH, a path, or an object with len() and sample(index), got {type(data).__name__}"
        )
    if isinstance(data, np.ndarray | dict | list | tuple):
        raise InputError(
            f"data must be KIND:PATH, a path, or an object with len() and sample(index), got a {type(data)}"
        )
    return Own(data, name or getattr(data, "name", "") or type(data).__name__)


class Own(Source):
    """A user's object, with checks: images as for `flow`, ground truth of the images' size."""

    sequences = False

    def __init__(self, data: Any, name: str):
        if not len(data):
            raise InputError(f"{name} holds no samples")
        self.name, self._data = name, data
        self.truth = frozenset(self.sample(0)) - {"image1", "image2"}

    def __len__(self) -> int:
        return len(self._data)

    def record_name(self, index: int) -> str:
        return f"{index:06d}"

    def with_neighbours(self) -> Source:
        raise InputError(f"{self.name} has only pairs: networks of three frames need video: or frames:")

    def sample(self, index: int) -> Sample:
        given = self._data.sample(index) if hasattr(self._data, "sample") else self._data[index]
        if isinstance(given, tuple) and len(given) == 2:
            given = {"image1": given[0], "image2": given[1]}
        where = f"sample {index} of {self.name}"
        if not isinstance(given, dict) or not {"image1", "image2"} <= given.keys():
            raise InputError(f"{where} must be a dict with image1 and image2, got {_shown(given)}")
        sample = {key: as_image(f"{key} of {where}", given[key]) for key in ("image1", "image2")}
        height, width = sample["image1"].shape[:2]
        if sample["image2"].shape != sample["image1"].shape:
            raise InputError(f"{where}: image1 and image2 must be of one size, got {_shapes(sample)}")
        for key, channels in CHANNELS.items():
            if key in given:
                sample[key] = _array(f"{key} of {where}", given[key], (height, width, channels))
        for flow, valid in (("flow12", "valid1"), ("flow21", "valid2")):
            if flow in sample:
                known = np.isfinite(sample[flow]).all(-1, keepdims=True).astype(np.float32)
                sample[valid] = sample[valid] * known if valid in sample else known
                sample[flow] = np.where(known > 0, sample[flow], np.float32(0))
        return sample


def _array(name: str, given: Any, shape: tuple[int, int, int]) -> np.ndarray:
    x = np.asarray(given)
    x = x[..., None] if x.ndim == 2 and shape[2] == 1 else x
    if x.shape != shape or x.dtype.kind not in "fiub":
        raise InputError(f"`{name}` must be numbers {shape}, got {np.shape(given)} {x.dtype}")
    return x.astype(np.float32)


def _shown(given: Any) -> str:
    return f"a dict with {', '.join(map(str, given)) or 'nothing'}" if isinstance(given, dict) else type(given).__name__


def _shapes(sample: Sample) -> str:
    return " and ".join(f"{x.shape[1]}x{x.shape[0]}" for x in sample.values())
