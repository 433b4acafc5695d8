"""How far a flow can be trusted, by the flow back: the forward-backward check, and a confidence made of it."""

from __future__ import annotations

import cv2
import numpy as np

from tfflow.ops.arrays import warp

HALF = 1.0  # px; a residual as large halves the confidence
FLAT = 1.0  # grey levels; the deviation of what has no texture, where nothing can be matched
WINDOW = 33  # px; around a pixel, in which there is no texture then


def residual(flow12: np.ndarray, flow21: np.ndarray) -> np.ndarray:
    """How far the flow there and the flow back end from where they began: [h, w, 2] twice -> [h, w], px.

    |f + b|, b = flow21 at the pixel's target, 0 beyond the frame: so the length of what leaves the frame.
    """
    return np.linalg.norm(flow12.astype(np.float64) + warp(flow21, flow12), axis=-1).astype(np.float32)


def visible_by_check(flow12: np.ndarray, flow21: np.ndarray) -> np.ndarray:
    """The forward-backward check: True where the flows [h, w, 2] agree, so where the other frame shows image1's pixel.

    |f + b|^2 <= 0.01 (|f|^2 + |b|^2) + 0.5, b = flow21 at the pixel's target, 0 beyond the frame. Returns bool [h, w].
    Source: Sundaram et al. 2010, eq. 5; the thresholds of UnFlow and DDFlow.
    """
    return agree(flow12.astype(np.float64), warp(flow21, flow12).astype(np.float64))


def agree(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """The condition of `visible_by_check` for motions [..., 2] and those back from where they lead: bool [...]."""
    apart = np.square(forward + backward).sum(axis=-1)
    return apart <= 0.01 * (np.square(forward).sum(axis=-1) + np.square(backward).sum(axis=-1)) + 0.5


def confidence(flow12: np.ndarray, flow21: np.ndarray, image1: np.ndarray) -> np.ndarray:
    """From 1, where both flows agree, to 0: 1 / (1 + residual / 1 px), float32 [h, w]; 0 where nothing can be matched.

    image1: [h, w, 3] float in [0, 1]. A residual of 1 px gives 0.5, one of 9 px 0.1. Without any texture within 16 px
    around there is nothing to match, whatever the flows say. `tfflow.evaluate --confidence` says what it is worth.
    """
    grey = 255 * cv2.cvtColor(np.ascontiguousarray(image1, np.float32), cv2.COLOR_RGB2GRAY)
    window = (WINDOW, WINDOW)
    mean = cv2.blur(grey, window)
    variance = cv2.blur(grey * grey, window) - mean * mean
    flat = variance < FLAT**2
    return np.where(flat, 0.0, HALF / (HALF + residual(flow12, flow21))).astype(np.float32)
