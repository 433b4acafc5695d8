"""Whether frames show what a network can learn motion from: a few pairs of a source, measured before training."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from tfflow.data.noise import grain
from tfflow.data.records import Source
from tfflow.errors import InputError

PAIRS = 24  # that are measured, evenly spread
SIDE = 320  # px; larger frames are measured at this width
STILL = (0.15, 0.5)  # px; a pair moves where half of its edges do by the first, or 1% of them by the second
FLAT = 2.0  # grey levels (of 255) a pixel; what is not steeper shows no motion
NOISY = 0.8  # times the deviation of the noise: nor does what is not steeper than that, since noise alone is not
ENOUGH = 0.005  # share of pixels that must be steeper


class Survey(NamedTuple):
    """Of `pairs` measured: how many do not move, and how many have no texture, so that motion cannot be seen."""

    pairs: int
    still: int
    flat: int


def survey(source: Source, pairs: int = PAIRS) -> Survey:
    """Measures up to `pairs` of a source by OpenCV's DIS flow at the edges in them. Damaged ones are left out."""
    count = min(pairs, len(source))
    kinds = []
    for k in range(count):
        try:
            sample = source.sample(k * len(source) // count)
        except InputError:  # who reads it for its own sake says so
            continue
        kinds.append(kind(sample["image1"], sample["image2"]))
    return Survey(len(kinds), kinds.count("still"), kinds.count("flat"))


class Motion(NamedTuple):
    """Of a pair: "moving", "still", or "flat", without texture; and how far the fastest tenth of its edges move, px."""

    kind: str
    fast: float


def kind(image1: np.ndarray, image2: np.ndarray) -> str:
    """What a pair of float RGB frames [h, w, 3] is: "moving", "still", or "flat", without texture."""
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
    if min(grey1.shape) < 16:  # DIS takes no less: then whether they differ at all
        differs = np.abs(grey1.astype(np.float32) - grey2)[steep].mean() > 2
        return Motion("moving", 1.0) if differs else Motion("still", 0.0)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(grey1, grey2, None)  # type: ignore[call-overload]
    length = np.hypot(flow[..., 0], flow[..., 1])[steep] / scale
    moves = np.any(np.percentile(length, (50, 99)) > STILL)  # less is the noise of a camera
    return Motion("moving" if moves else "still", float(np.percentile(length, 90)))


def remark(found: Survey, name: str) -> str:
    """A line to print before training; "" where most pairs move."""
    dull = found.still + found.flat
    if 2 * dull <= found.pairs:
        return ""
    what = "the frames do not move" if found.still >= found.flat else "the frames have no texture"
    return (
        f"{what}: of {found.pairs} pairs measured in {name} {found.still} do not move, {found.flat} have no texture; "
        "a network learns from them that nothing moves; take other frames, or leave out those that stand still"
    )


def _grey(image: np.ndarray, scale: float) -> np.ndarray:
    grey = cv2.cvtColor(np.ascontiguousarray(image, np.float32), cv2.COLOR_RGB2GRAY)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)
