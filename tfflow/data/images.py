"""Reading and writing of image files. Images in memory are float32 RGB in [0, 1], [h, w, 3]."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from tfflow.data import headers
from tfflow.data.headers import Damaged
from tfflow.errors import InputError
from tfflow.files import write_whole

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".ppm", ".pgm", ".pnm", ".webp", ".bmp", ".tif", ".tiff")

warnings.filterwarnings("ignore", module=r"PIL\.")  # what a decoder would print, readers raise

_LOG = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # OpenCV 4 and 5 keep the setting in different places
_LOG_LOCK = threading.Lock()


def read_bytes(path: str | os.PathLike, limit: int = -1) -> bytes:
    """The bytes of a file, or the first `limit` of them. InputError with the reason if it cannot be read."""
    try:
        mode = Path(path).stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # reading a pipe may never end; folders raise below
            raise InputError(f"cannot read '{path}': it is no regular file; save it as one")
        with Path(path).open("rb") as file:
            return file.read(limit)
    except FileNotFoundError:
        raise InputError(f"no such file: '{path}'; check the path") from None
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror or error}") from None
    except InputError:
        raise
    except ValueError:  # a NUL in the path, as from a damaged list of files
        raise InputError(f"no such file: '{path}'; no file has such a name") from None


def read_image(path: str | os.PathLike) -> np.ndarray:
    """An image file as float32 RGB in [0, 1], [h, w, 3].

    It reads png, jpg, ppm, pgm, webp, bmp and tif, recognised by content, of 8 and 16 bits. Grey is repeated to three
    channels, alpha is dropped, and the EXIF orientation is applied.
    Raises InputError if the file is missing, truncated or damaged.
    """
    pixels, maximum = decode_image(read_bytes(path), path)
    image = pixels.astype(np.float32)
    image /= np.float32(maximum)
    return image


def read_mask(path: str | os.PathLike) -> np.ndarray:
    """A black and white image as float32 [h, w, 1], 1 = white. Raises InputError as `read_image` does."""
    pixels, maximum = decode_image(read_bytes(path), path)
    return (pixels[:, :, :1] > maximum // 2).astype(np.float32)


def image_size(path: str | os.PathLike) -> tuple[int, int]:
    """(height, width) of the result of `read_image`, from the header alone. Raises InputError."""
    start = read_bytes(path, 4096)
    try:
        kind = headers.image_format(start)
        if kind == "pnm":
            header = headers.pnm_header(start)
            return header.height, header.width
        if kind == "png":
            height, width = headers.png_size(start)
            with Path(path).open("rb") as file:
                orientation = _orientation(headers.png_exif(file))
        elif kind == "tiff":
            height, width, orientation, _ = headers.tiff_header(read_bytes(path))
        else:
            with _quiet_decoder(kind), Image.open(path, formats=[kind.upper()]) as image:
                width, height = image.size
                headers.check_size(width, height)
                orientation = image.getexif().get(headers.ORIENTATION, 1)
        return (width, height) if orientation in (5, 6, 7, 8) else (height, width)
    except Damaged as error:
        raise InputError(f"'{path}' cannot be used: {error}; replace or remove it") from None


def decode_image(data: bytes, path: str | os.PathLike) -> tuple[np.ndarray, int]:
    """Decodes the bytes of an image file: (integer RGB [h, w, 3], the value of white). path: for error messages."""
    try:
        kind = headers.image_format(data)
        if kind == "pnm":
            return _decode_pnm(data)
        if kind == "png":
            pixels = _decode_png(data)
        elif kind == "tiff":
            pixels = _decode_tiff(data)
        else:
            if kind == "jpeg":
                headers.jpeg_scans(data)
            with _quiet_decoder(kind), Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
                headers.check_size(*image.size)
                pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        return pixels, 65535 if pixels.dtype == np.uint16 else 255
    except Damaged as error:
        raise InputError(f"'{path}' cannot be used: {error}; replace or remove it") from None


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Rotates an image [h, w, ...] by its EXIF orientation, 1 to 8. Other values count as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def write_image(path: str | os.PathLike, image: np.ndarray) -> None:
    """Writes RGB [h, w, 3] or grey [h, w], float in [0, 1], uint8 or uint16. The file is complete or absent.

    The suffix chooses the format. Floats are rounded to 8 bits. Raises InputError for other shapes, types or suffixes.
    """
    path, image = Path(path), np.asarray(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3)) or image.size == 0:
        raise InputError(f"an image to write must be [h, w, 3] or [h, w], got {image.shape}")
    if np.issubdtype(image.dtype, np.floating):
        image = np.rint(np.clip(np.nan_to_num(image), 0, 1) * 255).astype(np.uint8)
    if image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"an image to write must be float, uint8 or uint16, got {image.dtype}")
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise InputError(f"cannot write '{path}': expected a suffix of {', '.join(IMAGE_SUFFIXES)}")
    if image.dtype == np.uint16 and path.suffix.lower() not in (".png", ".tif", ".tiff", ".ppm", ".pgm", ".pnm"):
        raise InputError(f"cannot write 16 bits to '{path}': choose .png, .tif or .ppm")
    bgr = image[:, :, ::-1] if image.ndim == 3 and image.shape[2] == 3 else image
    if path.suffix.lower() == ".ppm" and bgr.shape[2:] != (3,):
        bgr = np.repeat(bgr.reshape(*bgr.shape[:2], 1), 3, axis=2)
    ok, coded = cv2.imencode(path.suffix.lower(), np.ascontiguousarray(bgr))
    if not ok:
        raise InputError(f"cannot write '{path}': this OpenCV has no encoder for {path.suffix}")
    with write_whole(path) as part:
        part.write_bytes(coded.tobytes())


@contextlib.contextmanager
def _quiet_decoder(kind: str) -> Iterator[None]:
    """Turns any exception of Pillow into Damaged. Its plugins have no common exception."""
    try:
        yield
    except (Damaged, InputError):
        raise
    except Image.DecompressionBombError:
        raise Damaged(f"its header claims more than {headers.MAX_PIXELS:,} pixels (the limit; shrink it)") from None
    except Exception:
        raise Damaged(f"truncated or damaged {kind} image") from None


def _orientation(exif: bytes) -> int:
    """The orientation in EXIF data; 1 if it cannot be read."""
    found = Image.Exif()
    try:
        found.load(exif)
        return int(found.get(headers.ORIENTATION, 1))
    except Exception:  # as in `_quiet_decoder`; damaged EXIF data do not matter
        return 1


def _decode_png(data: bytes) -> np.ndarray:
    png = headers.whole_png(data)
    pixels = _decode_cv2("png", png.data)
    if png.palette is not None:
        indices = pixels[:, :, 0] // (255 // (2**png.bits - 1))
        if indices.max() >= len(png.palette):
            raise Damaged(f"damaged PNG: a colour above the {len(png.palette)} of its palette")
        pixels = png.palette[indices]
    return upright(pixels, _orientation(png.exif)) if png.exif else pixels


def _decode_tiff(data: bytes) -> np.ndarray:
    *_, orientation, data = headers.tiff_header(data)  # OpenCV versions differ in which orientations they apply
    with _LOG_LOCK:  # libtiff reports to OpenCV's log
        level = _LOG.getLogLevel()
        _LOG.setLogLevel(0)
        try:
            return upright(_decode_cv2("tiff", data), orientation)
        finally:
            _LOG.setLogLevel(level)


def _decode_cv2(kind: str, data: bytes) -> np.ndarray:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise Damaged(f"truncated or damaged {kind} image")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise Damaged(f"expected 8 or 16 bits a channel, it holds {pixels.dtype}")
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        return cv2.cvtColor(np.ascontiguousarray(pixels.reshape(*pixels.shape[:2], -1)[:, :, 0]), cv2.COLOR_GRAY2RGB)
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)


def _decode_pnm(data: bytes) -> tuple[np.ndarray, int]:
    header = headers.pnm_header(data)
    shape = (header.height, header.width, header.channels)
    count = header.height * header.width * header.channels
    if header.text:
        try:
            values = np.array(data[header.start :].split(), dtype=np.int64)
        except (ValueError, OverflowError):
            raise Damaged("damaged .ppm: expected numbers") from None
    else:
        dtype = np.dtype(np.uint8 if header.maximum < 256 else ">u2")
        extra = len(data) - header.start - count * dtype.itemsize
        if extra < 0:
            raise Damaged(f"truncated .ppm: {-extra:,} bytes are missing")
        if data[len(data) - extra :].strip():
            raise Damaged(f"damaged .ppm: {extra:,} bytes more than {header.width} x {header.height} pixels need")
        values = np.frombuffer(data, dtype, count, header.start)
    if values.size != count:
        raise Damaged(f"damaged .ppm: expected {count:,} numbers, got {values.size:,}")
    bounded = not header.text and header.maximum in (255, 65535)  # then no sample can be too large
    if not bounded and (values.min() < 0 or values.max() > header.maximum):
        raise Damaged(f"damaged .ppm: a value above its maximum {header.maximum}")
    pixels = values.reshape(shape)
    return (pixels if header.channels == 3 else np.repeat(pixels, 3, axis=2)), header.maximum
