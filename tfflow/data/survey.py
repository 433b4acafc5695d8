"""Checks before training whether the frames of a source move and have texture, on a few pairs."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from tfflow.data.noise import grain
from tfflow.data.records import Source
from tfflow.errors import InputError
from tfflow.messages import counted

PAIRS = 24  # number of pairs that are measured, evenly spaced
SIDE = 320  # px; larger frames are measured at this width
STILL = (0.15, 0.5)  # px; a pair moves if half of its edges move by the first, or 1 % of them by the second
FLAT = 2.0  # grey levels a pixel; smallest gradient of an edge
NOISY = 0.8  # the same, in standard deviations of the noise
ENOUGH = 0.005  # smallest share of pixels with such a gradient


class Survey(NamedTuple):
    """Numbers of measured pairs, of pairs that do not move, and of pairs without texture."""

    pairs: int
    still: int
    flat: int


def survey(source: Source, pairs: int = PAIRS) -> Survey:
    """Measures up to `pairs` of a source by OpenCV's DIS flow at edges. Damaged pairs are left out."""
    count = min(pairs, len(source))
    kinds = []
    for k in range(count):
        try:
            sample = source.sample(k * len(source) // count)
        except InputError:  # raised again when the pair is used
            continue
        kinds.append(kind(sample["image1"], sample["image2"]))
    return Survey(len(kinds), kinds.count("still"), kinds.count("flat"))


class Motion(NamedTuple):
    """kind: "moving", "still", or "flat" (without texture). fast: motion of the fastest tenth of the edges, px."""

    kind: str
    fast: float


def kind(image1: np.ndarray, image2: np.ndarray) -> str:
    """The kind of a pair of float RGB frames [h, w, 3]: "moving", "still", or "flat" (without texture)."""
    return measured(image1, image2).kind


def measured(image1: np.ndarray, image2: np.ndarray) -> Motion:
    """The motion of a pair of float RGB frames [h, w, 3] at the edges in them."""
    scale = min(1.0, SIDE / image1.shape[1])
    grey1, grey2 = (_grey(image, scale) for image in (image1, image2))
    slopes = [
        cv2.Sobel(cv2.GaussianBlur(grey1, (0, 0), 1), cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))
    ]
    steep = np.hypot(*slopes) > max(FLAT, NOISY * grain(grey1.astype(np.float32)))
    if steep.mean() < ENOUGH:
        return Motion("flat", 0.0)
    if min(grey1.shape) < 16:  # too small for DIS: a difference counts as motion
        differs = np.abs(grey1.astype(np.float32) - grey2)[steep].mean() > 2
        return Motion("moving", 1.0) if differs else Motion("still", 0.0)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(grey1, grey2, None)  # type: ignore[call-overload]
    length = np.hypot(flow[..., 0], flow[..., 1])[steep] / scale
    moves = np.any(np.percentile(length, (50, 99)) > STILL)  # less may be camera noise
    return Motion("moving" if moves else "still", float(np.percentile(length, 90)))


def remark(found: Survey, name: str) -> str:
    """A line to print before training; "" if most pairs move."""
    dull = found.still + found.flat
    if 2 * dull <= found.pairs:
        return ""
    what = "the frames do not move" if found.still >= found.flat else "the frames have no texture"
    return (
        f"{what}: of {counted(found.pairs, 'pair')} measured in {name} {found.still} do not move, "
        f"{found.flat} have no texture; "
        "a network learns from them that nothing moves; take other frames, or leave out those that stand still"
    )


def _grey(image: np.ndarray, scale: float) -> np.ndarray:
    grey = cv2.cvtColor(np.ascontiguousarray(image, np.float32), cv2.COLOR_RGB2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)
