"""Converts Torch's tensors, which are views of a flat storage, to arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfflow.limits import Limit

MOST_AXES = 16


def strided(storage: np.ndarray, offset: int, size: Sequence[int], stride: Sequence[int], made: Limit) -> np.ndarray:
    """The elements offset + sum(index * stride) of a flat `storage`, as a contiguous array of shape `size`.

    made: limits the bytes of all arrays of the file, before anything is copied.
    Raises ValueError if this is no view of the storage.
    """
    if len(size) != len(stride) or len(size) > MOST_AXES:
        raise ValueError(f"a tensor of {len(size)} axes with {len(stride)} strides is none")
    if not all(type(n) is int and 0 <= n < 2**63 for n in (offset, *size, *stride)):  # before they are printed
        raise ValueError("a tensor whose size, stride or offset is no whole number of 0 or more is none")
    count, last = 1, offset
    for n, step in zip(size, stride, strict=True):
        count *= n
        last += (n - 1) * step
    if count == 0:
        return np.zeros(size, storage.dtype)
    if count > storage.size or last >= storage.size:
        raise ValueError(f"a tensor of size {tuple(size)} does not fit into its storage of {storage.size} numbers")
    made.add(count * storage.itemsize)
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False).copy(order="C")
