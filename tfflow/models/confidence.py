"""The forward-backward check, and the confidence that is computed from its residual."""

from __future__ import annotations

import cv2
import numpy as np

HALF = 1.0  # px; the residual at which the confidence is 0.5
FLAT = 1.0  # grey levels; a window with a smaller standard deviation has no texture to match
WINDOW = 33  # px; side of that window


def residual(flow12: np.ndarray, flow21: np.ndarray) -> np.ndarray:
    """The forward-backward residual |f + b|: flows [h, w, 2] twice -> [h, w], px.

    f is the forward flow, b the backward flow at its target. b is 0 outside the frame.
    """
    return np.linalg.norm(flow12.astype(np.float64) + _warp(flow21, flow12), axis=-1).astype(np.float32)


def visible_by_check(flow12: np.ndarray, flow21: np.ndarray) -> np.ndarray:
    """The forward-backward check of two flows [h, w, 2], px: bool [h, w], True for pixels that are visible in image2.

    |f + b|^2 <= 0.01 (|f|^2 + |b|^2) + 0.5, with b = flow21 at the pixel's target, 0 outside the frame.
    Source: Sundaram et al. 2010, eq. 5; the thresholds of UnFlow and DDFlow.
    """
    return passes_check(flow12.astype(np.float64), _warp(flow21, flow12).astype(np.float64))


def passes_check(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """The condition of `visible_by_check` for flow [..., 2] and the backward flow at its targets: bool [...]."""
    apart = np.square(forward + backward).sum(axis=-1)
    return apart <= 0.01 * (np.square(forward).sum(axis=-1) + np.square(backward).sum(axis=-1)) + 0.5


def confidence(flow12: np.ndarray, flow21: np.ndarray, image1: np.ndarray) -> np.ndarray:
    """Confidence in the flow of each pixel, float32 [h, w]: 1 / (1 + residual / 1 px), and 0 without texture.

    flow12, flow21: [h, w, 2], px. image1: [h, w, 3] float in [0, 1]. A residual of 1 px gives 0.5, one of 9 px gives
    0.1. A pixel without texture within 16 px has confidence 0, because nothing can be matched there.
    `tfflow evaluate --confidence` measures how well it ranks errors.
    """
    grey = 255 * cv2.cvtColor(np.ascontiguousarray(image1, np.float32), cv2.COLOR_RGB2GRAY)
    window = (WINDOW, WINDOW)
    mean = cv2.blur(grey, window)
    variance = cv2.blur(grey * grey, window) - mean * mean
    flat = variance < FLAT**2
    return np.where(flat, 0.0, HALF / (HALF + residual(flow12, flow21))).astype(np.float32)


def _warp(values: np.ndarray, flow12: np.ndarray) -> np.ndarray:
    from tfflow.ops.arrays import warp  # needs TensorFlow, which takes seconds to import

    return warp(values, flow12)
