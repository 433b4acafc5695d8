"""One layer of a scene, and the positions of its points in both frames: affine, bending, or a plane in space."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tfflow.data.scenes.bending import Bend
from tfflow.data.scenes.motion import compose, invert, move

if TYPE_CHECKING:
    from tfflow.data.scenes.light import Highlight, Shadow

WARP = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
Box = tuple[int, int, int, int]  # left, upper, right, lower


@dataclass(frozen=True)
class Layer:
    """A painted layer and its position in each frame.

    paint: uint8 RGB [h, w, 3] on the layer's raster. alpha: uint8 [h, w]; a point belongs to the layer if the
    interpolated alpha is at least 127.5; None for the background, which is everywhere.
    to_frames: matrices from a point (x, y) of the raster to frame 1 and to frame 2; 2x3, or 3x3 for a plane before a
    moving camera.
    bend: displaces the raster before the matrix is applied (2x3 only).
    path: time -> matrix, if the motion is not the same in every step; frame 1 has time 0, frame 2 has time 1.
    time: of the first of the two frames.
    nearness: three numbers; 1 / depth of a plane at a point of the raster is (x, y, 1) . nearness.
    shadow: on all layers behind. highlight: a highlight on this layer. Both change light, not visibility.
    """

    paint: np.ndarray
    alpha: np.ndarray | None
    to_frames: tuple[np.ndarray, np.ndarray]
    bend: Bend | None = None
    path: Callable[[float], np.ndarray] | None = None
    time: float = 0
    nearness: np.ndarray | None = None
    shadow: Shadow | None = None
    highlight: Highlight | None = None

    def motion(self, frame: int) -> np.ndarray:
        """2x3 or 3x3: from the given frame (0 or 1) to the other one, without the bend."""
        if self.to_frames[0] is self.to_frames[1]:
            return np.eye(3)[: len(self.to_frames[0])]
        return compose(self.to_frames[1 - frame], invert(self.to_frames[frame]))

    def stepped(self, forwards: bool) -> Layer:
        """The layer one step later, or earlier, if its motion continues."""
        first, second = self.to_frames
        time = self.time + (1 if forwards else -1)
        if self.path is not None:
            moved = (self.path(time), self.path(time + 1))
        else:
            moved = (second, compose(self.motion(0), second)) if forwards else (compose(self.motion(1), first), first)
        return dataclasses.replace(self, to_frames=moved, time=time)

    def at(self, time: float) -> Layer:
        """The layer with its position at `time` as that of frame 1. time: between the frames, or a little outside."""
        first, second = self.to_frames
        between = first + (second - first) * time if self.path is None else self.path(self.time + time)
        return dataclasses.replace(self, to_frames=(between, second), time=self.time + time)

    def still(self) -> Layer:
        """The layer without motion, at its position in frame 1."""
        first = self.to_frames[0]
        highlight = None if self.highlight is None else dataclasses.replace(self.highlight, shift=(0.0, 0.0))
        return dataclasses.replace(self, to_frames=(first, first), path=None, bend=None, highlight=highlight)

    def covers(self, points: np.ndarray, frame: int) -> np.ndarray:
        """Whether the layer covers points [n, 2] of a frame, by bilinear alpha in float64."""
        if self.alpha is None:
            return np.ones(len(points), bool)
        at = move(invert(self.to_frames[frame]), points)
        if self.bend is not None:
            at = self.bend.raster(at, self.time + frame)
        height, width = self.alpha.shape
        base = np.floor(at)
        fx, fy = (at - base).T
        x, y = base.astype(np.int64).T
        held = (x >= 0) & (y >= 0) & (x < width - 1) & (y < height - 1)
        start = np.where(held, y * width + x, 0)
        alpha = self.alpha.reshape(-1)
        above = alpha[start] * (1 - fx) + alpha[start + 1] * fx
        below = alpha[start + width] * (1 - fx) + alpha[start + width + 1] * fx
        return held & (above * (1 - fy) + below * fy >= 127.5)

    def box(self, frame: int, size: tuple[int, int], offset: tuple[int, int] = (0, 0), margin: int = 0) -> Box | None:
        """The bounding box of the raster in a frame: left, upper, right, lower; None if it is outside.

        offset, margin: px by which the bounding box is moved and grown before it is clipped to the frame.
        """
        height, width = self.paint.shape[:2]
        low, high = np.zeros(2), np.array([width, height], np.float64)
        if self.bend is not None:
            reach = abs(self.time + frame - self.bend.flat) * self.bend.reach
            low, high = low - reach, high + reach
        rectangle = np.array([low, [high[0], low[1]], [low[0], high[1]], high])
        if len(self.to_frames[frame]) == 3 and in_front(self.to_frames[frame], (height + 1, width + 1)) < 0.05:
            return (0, 0, size[1], size[0])  # part of the raster is behind the camera
        corners = move(self.to_frames[frame], rectangle)
        left, upper = np.maximum(np.floor(corners.min(axis=0)) + offset - margin, 0).astype(int)
        right, lower = np.minimum(np.ceil(corners.max(axis=0)) + 1 + offset + margin, size[::-1]).astype(int)
        return (int(left), int(upper), int(right), int(lower)) if left < right and upper < lower else None

    def warp(self, frame: int, box: Box, *images: np.ndarray) -> list[np.ndarray]:
        """Warps paint, alpha or both to a bounding box in a frame. It may be outside the frame."""
        left, upper, right, lower = box
        place = compose(invert(self.to_frames[frame]), _shift(left, upper))
        shape = (right - left, lower - upper)
        edge = cv2.BORDER_REFLECT_101 if self.alpha is None else cv2.BORDER_CONSTANT
        if self.bend is not None:
            maps = self.bend.maps(place, shape[::-1], self.time + frame)
            linear = cv2.INTER_LINEAR
            return [cv2.remap(i, maps, None, linear, borderMode=edge) for i in images]  # type: ignore[call-overload]
        through = cv2.warpAffine if len(place) == 2 else cv2.warpPerspective
        return [through(image, place, shape, flags=WARP, borderMode=edge) for image in images]

    def flow(self, frame: int, box: Box) -> np.ndarray:
        """The flow from each pixel of a box of a frame to the other frame, float32 [h, w, 2]."""
        left, upper, right, lower = box
        size = (lower - upper, right - left)
        motion = self.motion(frame)
        if len(motion) == 3:
            return _projective(motion, left, upper, size)
        flow = _displacement(motion, left, upper, size)
        if self.bend is not None:
            place = compose(invert(self.to_frames[frame]), _shift(left, upper))
            x, y = self.bend.shift(place, size, self.time + frame, self.time + 1 - frame)
            (a, b, _), (c, d, _) = self.to_frames[1 - frame].astype(np.float32)
            flow[..., 0] += a * x + b * y
            flow[..., 1] += c * x + d * y
        return flow


def in_front(matrix: np.ndarray, size: tuple[int, int]) -> float:
    """The smallest depth that a 3x3 matrix gives a point of a rectangle of `size`, as a share of the largest."""
    g, h, w = matrix[2].tolist()
    across, down = g * (size[1] - 1), h * (size[0] - 1)
    depths = (w, w + across, w + down, w + across + down)
    return min(depths) / max(depths) if sum(depths) > 0 else max(depths) / min(depths)


def _shift(left: float, upper: float) -> np.ndarray:
    return np.array([[1.0, 0.0, left], [0.0, 1.0, upper]])


def _displacement(motion: np.ndarray, left: int, upper: int, size: tuple[int, int]) -> np.ndarray:
    """Motion minus identity at each pixel of a box, computed in float64, float32 [h, w, 2]."""
    x = np.arange(left, left + size[1], dtype=np.float64)
    y = np.arange(upper, upper + size[0], dtype=np.float64)[:, None]
    (a, b, u), (c, d, v) = motion.tolist()
    flow = np.empty((*size, 2), np.float32)
    np.add((a - 1) * x, b * y + u, out=flow[..., 0], casting="same_kind")
    np.add(c * x, (d - 1) * y + v, out=flow[..., 1], casting="same_kind")
    return flow


def _projective(motion: np.ndarray, left: int, upper: int, size: tuple[int, int]) -> np.ndarray:
    """The same for a 3x3 motion. OpenCV divides in float64; coordinates relative to the bounding box are smaller."""
    own = compose(compose(_shift(-left, -upper), motion), _shift(left, upper))
    at = pixels(*size)
    return cv2.subtract(cv2.perspectiveTransform(at, own), at)


def pixels(height: int, width: int) -> np.ndarray:
    """[h, w, 2] float32: each pixel's own (x, y). Read-only."""
    return _grid(-(-height // 256) * 256, -(-width // 256) * 256)[:height, :width]


@functools.lru_cache(maxsize=4)
def _grid(height: int, width: int) -> np.ndarray:
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0] = np.arange(width, dtype=np.float32)
    grid[..., 1] = np.arange(height, dtype=np.float32)[:, None]
    grid.setflags(write=False)
    return grid
