"""Flow in array files, NumPy's .npy and Spring's .flo5 (HDF5): nothing in them is run, no other file is followed."""

from __future__ import annotations

import io
import os

import numpy as np

from tfflow.data.headers import MAX_PIXELS
from tfflow.data.images import read_bytes
from tfflow.errors import InputError

LIMIT = 2 * MAX_PIXELS  # numbers: two a pixel


def read_npy(path: str | os.PathLike) -> np.ndarray:
    """The flow [h, w, 2] of a .npy file of floats, [h, w, 2] or [2, h, w]. Raises InputError on any other."""
    data = read_bytes(path)
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran, dtype = read(file)
    except Exception:  # of NumPy, Python's parser and its tokenizer
        raise InputError(f"'{path}' is no .npy file, or it is damaged: expected an array that NumPy wrote") from None
    _check(path, shape, dtype)
    start, size = file.tell(), int(np.prod(shape)) * dtype.itemsize
    if len(data) - start != size:
        raise InputError(f"'{path}' is damaged: {shape} {dtype} need {size:,} bytes, got {len(data) - start:,}")
    values = np.frombuffer(data, dtype, offset=start).reshape(shape, order="F" if fortran else "C")
    return _last(values)


def read_flo5(path: str | os.PathLike) -> np.ndarray:
    """The flow [h, w, 2] of a .flo5 file: the data set "flow" of an HDF5 file. Raises InputError on any other."""
    try:
        import h5py
    except ImportError:
        raise InputError("reading .flo5 needs h5py: pip install 'tfflow[spring]'") from None
    read_bytes(path, 1)
    try:
        with h5py.File(path, "r") as file:
            link = file.get("flow", getlink=True)
            values = file["flow"] if isinstance(link, h5py.HardLink) else None
            if not isinstance(values, h5py.Dataset) or values.is_virtual or values.external:
                raise InputError(f"'{path}' holds no data set 'flow' of its own: expected Spring's .flo5")
            _check(path, values.shape, values.dtype)
            if np.prod(values.chunks or (1,), dtype=float) > LIMIT:  # each is allocated whole
                raise InputError(f"'{path}' comes in chunks of {values.chunks}: expected at most {LIMIT:,} numbers")
            return _last(values[()])
    except InputError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise InputError(f"'{path}' is no HDF5 file, or it is damaged ({str(error)[:80]})") from None


def _check(path: str | os.PathLike, shape: tuple[int, ...] | None, dtype: np.dtype) -> None:
    fits = shape is not None and len(shape) == 3 and 2 in (shape[0], shape[2]) and np.prod(shape, dtype=float) > 0
    if not fits or shape is None or dtype.kind != "f":
        raise InputError(f"'{path}' is no flow: expected floats [h, w, 2] or [2, h, w], got {shape} {dtype}")
    if np.prod(shape, dtype=float) > LIMIT:
        raise InputError(f"'{path}' claims {shape}: expected at most {LIMIT:,} numbers")


def _last(values: np.ndarray) -> np.ndarray:
    values = values if values.shape[2] == 2 else np.moveaxis(values, 0, 2)
    return np.ascontiguousarray(values, np.float32)
