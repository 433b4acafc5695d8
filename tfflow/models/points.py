"""Tracking of points by the flow, at sub-pixel positions."""

from __future__ import annotations

import numpy as np

from tfflow.models.confidence import passes_check


def follow(points: np.ndarray, flow12: np.ndarray, flow21: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions in image2 of points [n, 2] of image1, (x, y) px, and whether they are visible: [n, 2], bool [n].

    flow12, flow21: [h, w, 2], px. A point is visible if it stays inside the frame and passes the forward-backward
    check.
    """
    height, width = flow12.shape[:2]
    forward = sampled(flow12, points)
    there = points + forward
    inside = ((there >= 0) & (there <= (width - 1, height - 1))).all(-1)
    return there, inside & passes_check(forward, sampled(flow21, there))


def sampled(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Samples `values` [h, w, c] bilinearly at points [n, 2], (x, y) px, clipped to the frame: float64 [n, c]."""
    h, w = values.shape[:2]
    x, y = (np.clip(points[:, k].astype(np.float64), 0, n - 1) for k, n in enumerate((w, h)))
    x0, y0 = np.minimum(x.astype(int), max(w - 2, 0)), np.minimum(y.astype(int), max(h - 2, 0))
    x1, y1 = np.minimum(x0 + 1, w - 1), np.minimum(y0 + 1, h - 1)
    right, below = (x - x0)[:, None], (y - y0)[:, None]
    top = values[y0, x0] * (1 - right) + values[y0, x1] * right
    bottom = values[y1, x0] * (1 - right) + values[y1, x1] * right
    return top * (1 - below) + bottom * below
