"""Flow in array files: NumPy's .npy and .npz, Spring's .flo5 (HDF5). No code in them runs; no other file is read."""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Callable
from typing import IO

import numpy as np

from tfflow.data.headers import MAX_PIXELS
from tfflow.data.images import read_bytes
from tfflow.errors import InputError

LIMIT = 2 * MAX_PIXELS  # two numbers for each pixel


def read_npy(path: str | os.PathLike) -> np.ndarray:
    """The flow [h, w, 2] of a .npy file of floats, [h, w, 2] or [2, h, w]. InputError for any other file."""
    data = read_bytes(path)
    return _flow_of(path, io.BytesIO(data), len(data))


def read_npz(path: str | os.PathLike) -> np.ndarray:
    """The flow [h, w, 2] of a .npz file: its array "flow", or "u" and "v", both [h, w]. InputError for any other file.

    The header of each array is read first, and then no more bytes than it states.
    """
    data = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {member.filename: member for member in archive.infolist()}

            def array(name: str, read: Callable) -> np.ndarray:
                member = members[f"{name}.npy"]
                with archive.open(member) as file:
                    return read(path, file, member.file_size)

            if "flow.npy" in members:
                return array("flow", _flow_of)
            if not {"u.npy", "v.npy"} <= members.keys():
                raise InputError(f"'{path}' is no flow: expected an array 'flow', or 'u' and 'v', in it")
            u, v = array("u", _plane_of), array("v", _plane_of)
    except InputError:
        raise
    except Exception as error:  # from zipfile and its decoders: zlib, bz2, lzma
        raise InputError(f"'{path}' is no .npz file, or it is damaged ({str(error)[:80]})") from None
    if u.shape != v.shape:
        raise InputError(f"'{path}' is no flow: expected u and v of one shape, got {u.shape} and {v.shape}")
    return np.stack([u, v], axis=2).astype(np.float32)


def _flow_of(path: str | os.PathLike, file: IO[bytes], size: int) -> np.ndarray:
    return _last(_npy(path, file, size, _check))


def _plane_of(path: str | os.PathLike, file: IO[bytes], size: int) -> np.ndarray:
    return _npy(path, file, size, _check_plane)


def _npy(path: str | os.PathLike, file: IO[bytes], size: int, check: Callable) -> np.ndarray:
    """The array of a .npy file of `size` bytes. check: called first, with its shape and type."""
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran, dtype = read(file)
    except Exception:  # from NumPy, and Python's parser and tokenizer
        raise InputError(f"'{path}' is no .npy file, or it is damaged: expected an array that NumPy wrote") from None
    check(path, shape, dtype)
    need, left = math.prod(shape) * dtype.itemsize, size - file.tell()
    data = file.read(need + 1) if left == need else b""  # a member of an archive may hold more than it states
    if len(data) != need:
        raise InputError(f"'{path}' is damaged: {shape} {dtype} need {need:,} bytes, got {max(left, len(data)):,}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def read_flo5(path: str | os.PathLike) -> np.ndarray:
    """The flow [h, w, 2] of a .flo5 file: the data set "flow" of an HDF5 file. InputError for any other file."""
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
            if math.prod(values.chunks or (1,)) > LIMIT:  # a chunk is allocated at once
                raise InputError(f"'{path}' comes in chunks of {values.chunks}: expected at most {LIMIT:,} numbers")
            return _last(values[()])
    except InputError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise InputError(f"'{path}' is no HDF5 file, or it is damaged ({str(error)[:80]})") from None


def _check(path: str | os.PathLike, shape: tuple[int, ...] | None, dtype: np.dtype) -> None:
    fits = shape is not None and len(shape) == 3 and 2 in (shape[0], shape[2]) and min(shape) > 0
    if not fits or shape is None or dtype.kind != "f":
        raise InputError(f"'{path}' is no flow: expected floats [h, w, 2] or [2, h, w], got {shape} {dtype}")
    _check_count(path, shape)


def _check_plane(path: str | os.PathLike, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if len(shape) != 2 or min(shape) < 1 or dtype.kind != "f":
        raise InputError(f"'{path}' is no flow: expected floats [h, w] as u and v, got {shape} {dtype}")
    _check_count(path, shape)


def _check_count(path: str | os.PathLike, shape: tuple[int, ...]) -> None:
    if math.prod(shape) > LIMIT:
        raise InputError(f"'{path}' claims {shape}: expected at most {LIMIT:,} numbers")


def _last(values: np.ndarray) -> np.ndarray:
    values = values if values.shape[2] == 2 else np.moveaxis(values, 0, 2)
    return np.ascontiguousarray(values, np.float32)
