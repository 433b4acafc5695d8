"""`tfflow.track`: points followed through a video by the flow of each pair of frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfflow.api.predict import predict
from tfflow.errors import InputError
from tfflow.models.confidence import agree
from tfflow.models.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Tracks:
    """Where points are in each frame. points: float32 [frames, n, 2], (x, y) px; visible: bool [frames, n].

    A point that is lost, as it is occluded, leaves the frame or meets a shot cut, stays lost; its last place is kept.
    """

    points: np.ndarray
    visible: np.ndarray


def track(frames: Any, points: Any, weights: Any = "pwcnet_mobile", **settings: Any) -> Tracks:
    """Follows points of the first frame through all others.

        tracks = tfflow.track("holiday.mp4", [(120, 80), (33.5, 60)])
        tracks.points[40][tracks.visible[40]]        # where those are that frame 41 still shows

    frames, weights, settings: as of `tfflow.predict`. points: [n, 2], (x, y) px, x right, y down from the centre of the
    top left pixel. A point is followed by bilinear flow, to fractions of a pixel, and visible while the
    forward-backward check holds where it stands.
    Raises InputError where a point is outside the first frame, or as `tfflow.predict`.
    """
    start = np.array(points, np.float32, ndmin=2)
    if start.ndim != 2 or start.shape[1] != 2 or not np.isfinite(start).all():
        raise InputError(f"`points` must be [n, 2], (x, y) px, got {np.shape(points)}")
    places, seen = [start], [np.ones(len(start), bool)]
    last: Estimate | None = None
    for e in predict(frames, weights, both=True, **settings):
        if last is None:
            _check(start, e.flow.shape)
        elif not np.array_equal(last.image2, e.image1):  # a cut, or frames that are missing: nothing leads across
            places.append(places[-1])
            seen.append(np.zeros_like(seen[-1]))
        place, visible = follow(e, places[-1])
        places.append(np.where((seen[-1] & visible)[:, None], place, places[-1]))
        seen.append(seen[-1] & visible)
        last = e
    return Tracks(np.stack(places).astype(np.float32), np.stack(seen))


def follow(e: Estimate, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where points [n, 2] of image1 are in image2, and whether it shows them: [n, 2], bool [n]."""
    if e.flow21 is None:
        raise InputError("to follow points, ask for both directions")
    height, width = e.flow.shape[:2]
    forward = sampled(e.flow, points)
    there = points + forward
    inside = ((there >= 0) & (there <= (width - 1, height - 1))).all(-1)
    return there, inside & agree(forward, sampled(e.flow21, there))


def sampled(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """`values` [h, w, c] at points [n, 2], (x, y) px, bilinear, beyond the frame as at its edge: float64 [n, c]."""
    h, w = values.shape[:2]
    x, y = (np.clip(points[:, k].astype(np.float64), 0, n - 1) for k, n in enumerate((w, h)))
    x0, y0 = np.minimum(x.astype(int), max(w - 2, 0)), np.minimum(y.astype(int), max(h - 2, 0))
    x1, y1 = np.minimum(x0 + 1, w - 1), np.minimum(y0 + 1, h - 1)
    right, below = (x - x0)[:, None], (y - y0)[:, None]
    top = values[y0, x0] * (1 - right) + values[y0, x1] * right
    bottom = values[y1, x0] * (1 - right) + values[y1, x1] * right
    return top * (1 - below) + bottom * below


def _check(points: np.ndarray, shape: tuple[int, ...]) -> None:
    height, width = shape[:2]
    outside = ~((points >= -0.5) & (points < (width - 0.5, height - 0.5))).all(-1)
    if outside.any():
        x, y = points[outside][0]
        raise InputError(f"`points` must lie in the first frame, {width} x {height} pixels, got ({x:g}, {y:g})")
