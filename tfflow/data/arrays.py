"""Converts images of any type to float32 RGB in [0, 1], and checks them.

`FlowModel`, `TFLiteModel` and all commands pass their frames through `as_image` (one image) or `as_batch` (many). So
range, order of colours, orientation, size and type are checked in one place.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tfflow.data.headers import MAX_PIXELS
from tfflow.data.images import read_image
from tfflow.errors import InputError

PIL_MODES = ("L", "RGB", "RGBA", "I;16", "I", "F")
"""PIL modes whose numbers are colours or grey levels. Others ("P", "1", "LA", "CMYK", ...) are converted."""

SLACK = 1e-3  # tolerance outside [0, 1], for images that were resized


def as_image(name: str, image: Any, channels: str = "rgb") -> np.ndarray:
    """One image as float32 RGB [h, w, 3] in [0, 1].

    image: a path; an array [h, w], [h, w, 1], [h, w, 3] or [h, w, 4] (alpha is dropped) of uint8, uint16 or float in
        [0, 1]; or a PIL image, which is rotated by its EXIF orientation.
    channels: order of an array's colours, "rgb" or "bgr". name: of the image in error messages.
    Raises InputError for other shapes, types and ranges, and for more than `MAX_PIXELS` pixels.
    """
    if channels not in ("rgb", "bgr"):
        raise InputError(f'`channels` must be "rgb" or "bgr", got {channels!r}')
    if image is None:
        raise InputError(f"`{name}` is None: expected an array, a PIL image or a path; does the file exist?")
    if isinstance(image, str | os.PathLike):
        return read_image(image)
    if hasattr(image, "mode") and hasattr(image, "getexif"):
        image = _of_pil(name, image)
    x = np.asarray(image)
    if x.ndim == 2:
        x = x[..., None]
    if x.ndim != 3 or x.shape[-1] not in (1, 3, 4) or 0 in x.shape:
        raise InputError(f"`{name}` must be [h, w], [h, w, 1], [h, w, 3] or [h, w, 4], got {np.asarray(image).shape}")
    _check_size(name, *x.shape[1::-1])
    if x.dtype in (np.uint8, np.uint16):
        x = x.astype(np.float32) / np.iinfo(x.dtype).max
    elif np.issubdtype(x.dtype, np.floating):
        x = x.astype(np.float32)
        _check_range(name, x)
    else:
        raise InputError(f"`{name}` must be uint8, uint16 or float, got {x.dtype}")
    x = x[..., :3]
    if x.shape[-1] == 1:
        return np.repeat(x, 3, axis=-1)
    return np.ascontiguousarray(x[..., ::-1] if channels == "bgr" else x)


def as_pair(image1: Any, image2: Any, channels: str = "rgb") -> tuple[np.ndarray, np.ndarray]:
    """Two images of one size by `as_image`. InputError if their sizes differ."""
    first, second = as_image("image1", image1, channels), as_image("image2", image2, channels)
    if first.shape != second.shape:
        raise InputError(
            f"image1 and image2 must be of one size, got {_size(first)} and {_size(second)} (width x height)"
        )
    return first, second


def as_batch(images1: Any, images2: Any, *neighbours: Any) -> list[np.ndarray]:
    """Checks many pairs, and the frames before and after them if given: float32 RGB [b, h, w, 3] in [0, 1], one shape.

    Nothing is converted. Raises InputError for other arrays.
    """
    first, second, *others = arrays = [np.asarray(images) for images in (images1, images2, *neighbours)]
    if any(other.shape != first.shape or other.dtype != np.float32 for other in others):
        came = ", ".join(f"{other.shape} {other.dtype}" for other in others)
        raise InputError(f"frames around a pair must be float32 {first.shape} as it, got {came}")
    if (
        first.shape != second.shape
        or first.ndim != 4
        or first.shape[-1] != 3
        or {first.dtype, second.dtype} != {np.dtype(np.float32)}
    ):
        raise InputError(
            f"images must be two float32 [b, h, w, 3] of one shape, got {first.shape} {first.dtype} and "
            f"{second.shape} {second.dtype}"
        )
    if 0 in first.shape:
        raise InputError(f"images must hold a pixel or more, got {first.shape}")
    _check_size("images1", *first.shape[2:0:-1])
    names = ("images1", "images2", *(f"frames around them, {n}" for n in range(1, len(others) + 1)))
    for name, array in zip(names, arrays, strict=True):
        _check_range(name, array)
    return arrays


def at_rest(flows: np.ndarray, images1: np.ndarray, images2: np.ndarray) -> np.ndarray:
    """Sets flows [b, h, w, 2] to 0 for pairs of identical images.

    A network may give other flow where nothing can be matched, as on a black frame. `batch` and `both` of every model
    return the result of this function.
    """
    same = [np.array_equal(image1, image2) for image1, image2 in zip(images1, images2, strict=True)]
    if any(same):
        flows = np.where(np.array(same)[:, None, None, None], np.float32(0), flows)
    return flows


def _of_pil(name: str, image: Any) -> Any:
    from PIL import ImageOps

    _check_size(name, *image.size)  # before decoding
    image = ImageOps.exif_transpose(image)
    return image if image.mode in PIL_MODES else image.convert("RGB")  # indices of a palette are not grey levels


def _check_size(name: str, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise InputError(f"`{name}` must have at most {MAX_PIXELS:,} pixels, got {width}x{height}: shrink it")


def _check_range(name: str, x: np.ndarray) -> None:
    if not (x.min() >= -SLACK and x.max() <= 1 + SLACK):  # also refuses NaN
        raise InputError(f"`{name}` is float and must be in [0, 1], got {x.min():.4g} to {x.max():.4g}: divide by 255?")


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]}"
