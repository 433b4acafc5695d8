"""The noise of a frame: how strong it is, and the frame without it."""

from __future__ import annotations

import cv2
import numpy as np

GRAIN = 0.004  # a grey level; frames of less noise are used as they are


def grain(image: np.ndarray) -> float:
    """The deviation of a frame's noise, from its second differences (Immerkaer 1996), of which texture has few."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return 1.4826 * float(np.median(np.abs(cv2.filter2D(image, -1, kernel)))) / 6


def without_noise(image: np.ndarray, deviation: float) -> np.ndarray:
    """The frame, its noise smoothed and its edges kept (bilateral filter), where there is more than `GRAIN` of it."""
    return cv2.bilateralFilter(image, 7, 3 * deviation, 2) if deviation > GRAIN else image
