"""Estimation and removal of the noise of a frame."""

from __future__ import annotations

import cv2
import numpy as np

GRAIN = 0.004  # about one grey level; frames with less noise are not changed


def grain(image: np.ndarray) -> float:
    """Standard deviation of the noise of a frame, from its second differences. Source: Immerkaer 1996."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return 1.4826 * float(np.median(np.abs(cv2.filter2D(image, -1, kernel)))) / 6


def without_noise(image: np.ndarray, deviation: float) -> np.ndarray:
    """The frame after a bilateral filter, which keeps edges, if its noise is above `GRAIN`."""
    return cv2.bilateralFilter(image, 7, 3 * deviation, 2) if deviation > GRAIN else image
