"""Flow as colour: Middlebury's colour code, and a scale for several flows. Arrays in, 8-bit RGB arrays out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

# Middlebury's wheel: the number of steps from each corner of the colour cube to the next, from red on.
_CORNERS = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1))  # red yellow green cyan blue magenta
_STEPS = (15, 6, 4, 11, 13, 6)


def colour_wheel() -> np.ndarray:
    """The 55 hues of the Middlebury flow coding, float [55, 3] RGB in [0, 1]. Source: Baker et al. 2007."""
    corners = np.array(_CORNERS + _CORNERS[:1], np.float64)
    spans = [
        corners[i] + (corners[i + 1] - corners[i]) * (np.arange(steps) / steps)[:, None]
        for i, steps in enumerate(_STEPS)
    ]
    return np.concatenate(spans)  # [55, 3]


def flow_to_colour(flow: np.ndarray, scale: float) -> np.ndarray:
    """Colours a flow, with its direction as hue and its length as saturation: [h, w, 2] px -> uint8 RGB [h, w, 3].

    scale: the length, px, at full saturation. Zero flow is white. Flow longer than `scale` is darker. Unknown flow (not
    finite, or above 1e9) is black. Right is red, down yellow, left cyan, up violet.
    Raises ValueError for another shape, or a scale of 0 or less. Source: Baker et al. 2007.
    """
    check_flow(flow)
    if not scale > 0:
        raise ValueError(f"`scale` must be above 0 px, got {scale}")
    known = known_pixels(flow)
    u, v = np.moveaxis(np.where(known[..., None], flow, 0.0).astype(np.float64) / scale, -1, 0)
    length = np.hypot(u, v)[..., None]
    wheel = colour_wheel()
    turn = np.arctan2(v, u) % (2.0 * np.pi) / (2.0 * np.pi)  # 0 = right, 1/4 = down
    position = turn * (len(wheel) - 1)  # as in the code of 2007, the last step of the wheel is not used
    low = np.floor(position).astype(int)
    part = (position - low)[..., None]
    hue = (1.0 - part) * wheel[low] + part * wheel[(low + 1) % len(wheel)]
    colour = np.where(length <= 1.0, 1.0 - length * (1.0 - hue), 0.75 * hue)
    return np.where(known[..., None], np.floor(255.0 * colour), 0.0).astype(np.uint8)


def robust_scale(flows: Iterable[np.ndarray], percentile: float = 99.0) -> float:
    """A scale for `flow_to_colour`: the percentile of the lengths of all `flows`, px, and at least 1 px.

    The minimum keeps small errors in a still scene from looking like motion.
    """
    lengths = np.concatenate([np.zeros(0), *(np.linalg.norm(flow, axis=-1)[known_pixels(flow)] for flow in flows)])
    return max(1.0, float(np.percentile(lengths, percentile))) if lengths.size else 1.0


def to_bytes(image: np.ndarray) -> np.ndarray:
    """Converts float in [0, 1] or uint8 [h, w, 3 or 1] to uint8 RGB [h, w, 3]. Values that are not finite are black."""
    if image.dtype != np.uint8:
        image = np.clip(np.rint(255.0 * np.nan_to_num(image.astype(np.float64))), 0, 255).astype(np.uint8)
    return np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image


def known_pixels(flow: np.ndarray) -> np.ndarray:
    """bool [h, w]: True if both components are finite and at most 1e9, Middlebury's limit of known flow."""
    with np.errstate(invalid="ignore"):
        return (np.abs(flow) < 1e9).all(axis=-1)


def check_flow(flow: np.ndarray) -> None:
    if flow.ndim != 3 or flow.shape[-1] != 2:
        raise ValueError(f"`flow` must be [h, w, 2] in (u, v) order, got {flow.shape}")
