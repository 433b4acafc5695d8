"""Files of optical flow: Middlebury's .flo, KITTI's 16-bit PNG, .pfm and NumPy arrays.

Channel 0 is u (right), channel 1 is v (down), in pixels. Readers give (flow [h, w, 2], valid [h, w, 1]), float32, with
flow 0 where valid is 0. Errors name the file. The size in a header must agree with the length of the file.
"""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

import cv2
import numpy as np

from tfflow.data.flow_arrays import read_flo5, read_npy, read_npz
from tfflow.data.images import decode_image, read_bytes
from tfflow.errors import InputError
from tfflow.files import write_whole

UNKNOWN = 1e9  # in .flo and .pfm a pixel is unknown if |u| or |v| is above this (Baker et al. 2011)
MAX_SIDE = 99_999  # px; a larger size in a header counts as damage

_FLO_MAGIC = b"PIEH"  # float32 202021.25
_PFM = re.compile(rb"P([Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+.0-9eE]{1,30})\s")


def read_flow(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Reads a flow file, .flo, KITTI's .png, .pfm, .flo5, .npy or .npz: (flow [h, w, 2], valid [h, w, 1]), float32.

    valid is 1 for known flow. Flow that is not finite or above 1e9 is unknown.
    Raises InputError if the file is missing, of another format, truncated, too long or too large.
    """
    readers = {".flo": read_flo, ".png": read_kitti_png, ".pfm": _read_pfm_flow}
    readers |= {
        ".flo5": lambda path: _split_unknown(read_flo5(path)),
        ".npy": lambda path: _split_unknown(read_npy(path)),
        ".npz": lambda path: _split_unknown(read_npz(path)),
    }
    return _by_suffix(readers, path)(path)


def write_flow(path: str | os.PathLike, flow: np.ndarray, valid: np.ndarray | None = None) -> None:
    """Writes flow [h, w, 2]. The suffix chooses .flo, KITTI's .png, .pfm or .npy. The file is complete or absent."""
    writers = {".flo": write_flo, ".png": write_kitti_png, ".pfm": write_pfm, ".npy": write_npy}
    _by_suffix(writers, path)(path, flow, valid)


def read_flo(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Middlebury's format: "PIEH", int32 width and height, then (u, v) float32 row by row, little-endian.

    Pixels that are not finite or above 1e9 are unknown (valid 0). Raises InputError as `read_flow` does.
    """
    data = read_bytes(path)
    if data[:4] != _FLO_MAGIC:
        raise InputError(f"'{path}' is no .flo file: expected it to begin with {_FLO_MAGIC!r}, got {data[:4]!r}")
    if len(data) < 12:
        raise InputError(f"'{path}' is truncated: expected a header of 12 bytes, got {len(data)}")
    width, height = struct.unpack_from("<ii", data, 4)
    _check_length(path, len(data) - 12, height, width, 2)
    return _split_unknown(np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2))


def write_flo(path: str | os.PathLike, flow: np.ndarray, valid: np.ndarray | None = None) -> None:
    """Writes flow [h, w, 2] as .flo. Pixels with `valid` [h, w, 1] of 0 become 1e10, unknown."""
    flow = _mark_unknown(*_checked(flow, valid))
    height, width = flow.shape[:2]
    with write_whole(path) as part, part.open("wb") as file:
        file.write(_FLO_MAGIC + struct.pack("<ii", width, height))
        file.write(flow.astype("<f4").tobytes())


def read_kitti_png(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """KITTI's format: 16-bit RGB PNG, u = (R - 32768) / 64, v = (G - 32768) / 64, B > 0 = valid (methods 6.2).

    Raises InputError as `read_flow` does.
    """
    coded, white = decode_image(read_bytes(path), path)
    if white != 65535:
        raise InputError(f"'{path}' is no KITTI flow: expected a 16-bit RGB PNG, got an 8-bit image")
    valid = (coded[:, :, 2:] > 0).astype(np.float32)
    flow = (coded[:, :, :2].astype(np.float32) - 32768) / 64
    return np.where(valid > 0, flow, np.float32(0)), valid


def write_kitti_png(path: str | os.PathLike, flow: np.ndarray, valid: np.ndarray | None = None) -> None:
    """Writes flow [h, w, 2] as KITTI's PNG: rounded to 1/64 px and clipped to [-512, 512). Invalid pixels are 0."""
    flow, known = _checked(flow, valid)
    coded = np.rint(np.clip(np.where(known, flow, 0).astype(np.float64) * 64 + 32768, 0, 65535))
    rgb = np.concatenate([coded, np.ones_like(coded[:, :, :1])], axis=2) * known
    ok, png = cv2.imencode(".png", np.ascontiguousarray(rgb[:, :, ::-1].astype(np.uint16)))
    if not ok:
        raise InputError(f"cannot write '{path}': OpenCV refused to encode a 16-bit PNG")
    with write_whole(path) as part:
        part.write_bytes(png.tobytes())


def write_npy(path: str | os.PathLike, flow: np.ndarray, valid: np.ndarray | None = None) -> None:
    """Writes flow [h, w, 2] as a float32 .npy. Pixels with `valid` [h, w, 1] of 0 become 1e10, unknown."""
    flow = _mark_unknown(*_checked(flow, valid))
    with write_whole(path) as part, part.open("wb") as file:
        np.save(file, flow.astype("<f4"))


def read_pfm(path: str | os.PathLike) -> np.ndarray:
    """Reads a .pfm file: float32 [h, w, 1] ("Pf") or [h, w, 3] ("PF"), top row first. Files store the bottom row first.

    The sign of the scale is the byte order. Its absolute value is ignored, as by all flow data sets. Raises InputError.
    """
    data = read_bytes(path)
    header = _PFM.match(data)
    if not header:
        raise InputError(f"'{path}' is no .pfm file: expected Pf or PF, width, height and scale, got {data[:16]!r}")
    channels, width, height = (3 if header[1] == b"F" else 1), int(header[2]), int(header[3])
    try:
        scale = float(header[4])
    except ValueError:
        scale = 0.0
    if scale == 0:
        raise InputError(f"'{path}' is damaged: expected a scale below or above 0, got {header[4].decode()!r}")
    _check_length(path, len(data) - header.end(), height, width, channels)
    values = np.frombuffer(data, "<f4" if scale < 0 else ">f4", offset=header.end())
    return values.reshape(height, width, channels)[::-1].astype(np.float32)


def write_pfm(path: str | os.PathLike, values: np.ndarray, valid: np.ndarray | None = None) -> None:
    """Writes [h, w], [h, w, 1] or [h, w, 3] float32 as .pfm; a flow [h, w, 2] gets a third channel of zeros.

    Flow pixels with `valid` [h, w, 1] of 0 become 1e10, unknown. Raises InputError for other shapes.
    """
    values = np.asarray(values, np.float32)
    values = values[:, :, None] if values.ndim == 2 else values
    if values.ndim == 3 and values.shape[2] == 2:
        flow = _mark_unknown(*_checked(values, valid))
        values = np.concatenate([flow, np.zeros_like(flow[:, :, :1])], axis=2)
    elif values.ndim != 3 or values.shape[2] not in (1, 3) or values.size == 0 or valid is not None:
        raise InputError(f"a .pfm holds [h, w, 1] or [h, w, 3], or a flow [h, w, 2] with `valid`, got {values.shape}")
    height, width, channels = values.shape
    with write_whole(path) as part, part.open("wb") as file:
        file.write(f"{'PF' if channels == 3 else 'Pf'}\n{width} {height}\n-1.0\n".encode())
        file.write(values[::-1].astype("<f4").tobytes())


def _read_pfm_flow(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    values = read_pfm(path)
    if values.shape[2] != 3:
        raise InputError(f"'{path}' is no flow: expected 3 channels (u, v, 0), got 1")
    return _split_unknown(values[:, :, :2])


def _by_suffix(table: dict, path: str | os.PathLike):
    suffix = Path(path).suffix.lower()
    if suffix not in table:
        raise InputError(f"'{path}' is no flow file: expected a suffix of {', '.join(table)}, got {suffix!r}")
    return table[suffix]


def _check_length(path: str | os.PathLike, came: int, height: int, width: int, channels: int) -> None:
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise InputError(
            f"'{path}' is damaged: its header claims {width} x {height} pixels, expected 1 to {MAX_SIDE:,} a side"
        )
    expected = 4 * height * width * channels
    if came != expected:
        state = "is truncated" if came < expected else "has bytes left over"
        raise InputError(f"'{path}' {state}: {width} x {height} pixels need {expected:,} bytes, got {came:,}")


def _split_unknown(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if flow.max() <= UNKNOWN and flow.min() >= -UNKNOWN:  # fast path for most files; false for NaN
        return flow.astype(np.float32), np.ones((*flow.shape[:2], 1), np.float32)
    known = np.all(np.abs(flow) <= UNKNOWN, axis=2, keepdims=True)  # False for NaN too
    return np.where(known, flow, np.float32(0)), known.astype(np.float32)


def _mark_unknown(flow: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.where(known, flow, np.float32(10 * UNKNOWN))


def _checked(flow: np.ndarray, valid: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Float32 flow [h, w, 2] and bool [h, w, 1]. InputError if they could not be read back unchanged."""
    flow = np.asarray(flow, np.float32)
    if flow.ndim != 3 or flow.shape[2] != 2 or flow.size == 0:
        raise InputError(f"`flow` must be [h, w, 2] in (u, v) order, got {flow.shape}")
    if valid is None:
        known = np.ones((*flow.shape[:2], 1), bool)
    else:
        known = np.asarray(valid) > 0
        if known.shape not in (flow.shape[:2], (*flow.shape[:2], 1)):
            raise InputError(f"`valid` must be [h, w, 1] of the flow's size {flow.shape[:2]}, got {known.shape}")
        known = known.reshape(*flow.shape[:2], 1)
    wrong = int(np.sum(~np.all(np.abs(flow) <= UNKNOWN, axis=2, keepdims=True) & known))
    if wrong:
        raise InputError(f"`flow` must be finite where it is valid, {wrong} pixels are not; give `valid` = 0 there")
    return flow, known
