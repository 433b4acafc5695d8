"""A tensor as Torch writes it, a view of a flat storage -> an array of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def strided(storage: np.ndarray, offset: int, size: Sequence[int], stride: Sequence[int]) -> np.ndarray:
    """The elements offset + sum(index * stride) of a flat `storage`, as a contiguous array of shape `size`.

    Raises ValueError where that is no view of the storage: other lengths, negative numbers, more than it holds.
    """
    numbers = [offset, *size, *stride]
    if len(size) != len(stride) or not all(isinstance(n, int) and n >= 0 for n in numbers):
        raise ValueError(f"a tensor of size {tuple(size)}, stride {tuple(stride)} and offset {offset} is none")
    count, last = 1, offset
    for n, step in zip(size, stride, strict=True):
        count *= n
        last += (n - 1) * step
    if count == 0:
        return np.zeros(size, storage.dtype)
    if count > storage.size or last >= storage.size:
        raise ValueError(f"a tensor of size {tuple(size)} does not fit into its storage of {storage.size} numbers")
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False).copy(order="C")
