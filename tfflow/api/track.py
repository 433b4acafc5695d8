"""`tfflow.track`: points followed through a video by the flow of each pair of frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfflow.api.predict import predict
from tfflow.errors import InputError
from tfflow.models.estimate import Estimate
from tfflow.models.points import follow


@dataclass(frozen=True, eq=False, repr=False)
class Tracks:
    """Where points are in each frame. points: float32 [frames, n, 2], (x, y) px. visible: bool [frames, n].

    A point is lost where it is occluded, leaves the frame or meets a shot cut. It stays lost, at its last place.
    """

    points: np.ndarray
    visible: np.ndarray

    def __repr__(self) -> str:
        frames, count, _ = self.points.shape
        return f"<Tracks of {count} points in {frames} frames, {int(self.visible[-1].sum())} visible in the last>"


def track(frames: Any, points: Any, weights: Any = None, **settings: Any) -> Tracks:
    """Tracks points of the first frame through all others.

        tracks = tfflow.track("holiday.mp4", [(20, 30), (33.5, 60)])
        tracks.points[4][tracks.visible[4]]          # the points that frame 5 still shows, (x, y) px

    frames, weights and the settings: as of `tfflow.predict`.
    points: [n, 2], (x, y) in px, x right and y down from the centre of the top left pixel.
    A point moves by the bilinear flow at its place. It is visible while the forward-backward check holds there.
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
        assert e.flow21 is not None
        place, visible = follow(places[-1], e.flow, e.flow21)
        places.append(np.where((seen[-1] & visible)[:, None], place, places[-1]))
        seen.append(seen[-1] & visible)
        last = e
    return Tracks(np.stack(places).astype(np.float32), np.stack(seen))


def _check(points: np.ndarray, shape: tuple[int, ...]) -> None:
    height, width = shape[:2]
    outside = ~((points >= -0.5) & (points < (width - 0.5, height - 0.5))).all(-1)
    if outside.any():
        x, y = points[outside][0]
        raise InputError(f"`points` must lie in the first frame, {width} x {height} pixels, got ({x:g}, {y:g})")
