"""One painted sheet: where each of its points lies in both frames, affinely, bent, or as a plane before a camera."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from tfflow.data.scenes.bending import Bend
from tfflow.data.scenes.motion import compose, corners_of, invert, move

WARP = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
Box = tuple[int, int, int, int]  # left, upper, right, lower


@dataclass(frozen=True)
class Layer:
    """A painted sheet and where it lies in each frame.

    paint: uint8 RGB [h, w, 3] on the layer's own raster. alpha: uint8 [h, w]; a point belongs to the layer where
    alpha, interpolated, is at least 127.5; None for the background, which is everywhere.
    to_frames: two matrices that take a point (x, y) of the raster to frame 1 and to frame 2; 2x3, or 3x3 where the
    layer is a plane before a camera that moves through space.
    bend: how the raster is displaced before the matrix takes it to the frame (2x3 alone).
    path: the matrix at any time, where it does not repeat itself; frame 1 is at time 0, frame 2 at time 1.
    time: of the first of the two frames.
    """

    paint: np.ndarray
    alpha: np.ndarray | None
    to_frames: tuple[np.ndarray, np.ndarray]
    bend: Bend | None = None
    path: Callable[[float], np.ndarray] | None = None
    time: int = 0

    def motion(self, frame: int) -> np.ndarray:
        """2x3 or 3x3: from the given frame (0 or 1) to the other one, without the bend."""
        if self.to_frames[0] is self.to_frames[1]:
            return np.eye(3)[: len(self.to_frames[0])]
        return compose(self.to_frames[1 - frame], invert(self.to_frames[frame]))

    def stepped(self, forwards: bool) -> Layer:
        """The layer as it lies in the two frames one step later, or earlier, going on as it moves."""
        first, second = self.to_frames
        time = self.time + (1 if forwards else -1)
        if self.path is not None:
            moved = (self.path(time), self.path(time + 1))
        else:
            moved = (second, compose(self.motion(0), second)) if forwards else (compose(self.motion(1), first), first)
        return dataclasses.replace(self, to_frames=moved, time=time)

    def still(self) -> Layer:
        """The layer as frame 1 shows it, at any time."""
        first = self.to_frames[0]
        return dataclasses.replace(self, to_frames=(first, first), path=None, bend=None)

    def covers(self, points: np.ndarray, frame: int) -> np.ndarray:
        """Whether the layer covers points [n, 2] of a frame, exactly (bilinear alpha in float64)."""
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

    def box(self, frame: int, size: tuple[int, int]) -> Box | None:
        """The part of the frame that the raster reaches: left, upper, right, lower; None where it is outside."""
        height, width = self.paint.shape[:2]
        low, high = np.zeros(2), np.array([width, height], np.float64)
        if self.bend is not None:
            reach = abs(self.time + frame - self.bend.flat) * self.bend.reach
            low, high = low - reach, high + reach
        rectangle = np.array([low, [high[0], low[1]], [low[0], high[1]], high])
        if len(self.to_frames[frame]) == 3 and in_front(self.to_frames[frame], (height + 1, width + 1)) < 0.05:
            return (0, 0, size[1], size[0])  # part of the raster is behind the camera
        corners = move(self.to_frames[frame], rectangle)
        left, upper = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
        right, lower = np.minimum(np.ceil(corners.max(axis=0)) + 1, size[::-1]).astype(int)
        return (int(left), int(upper), int(right), int(lower)) if left < right and upper < lower else None

    def warp(self, frame: int, box: Box) -> tuple[np.ndarray, np.ndarray | None]:
        """Paint and alpha as they lie in a part of a frame: uint8 [h, w, 3] and [h, w]."""
        left, upper, right, lower = box
        place = compose(invert(self.to_frames[frame]), _shift(left, upper))
        shape = (right - left, lower - upper)
        edge = cv2.BORDER_REFLECT_101 if self.alpha is None else cv2.BORDER_CONSTANT
        if self.bend is not None:
            maps = self.bend.maps(place, shape[::-1], self.time + frame)

            def warped(image: np.ndarray) -> np.ndarray:
                return cv2.remap(image, maps, None, cv2.INTER_LINEAR, borderMode=edge)  # type: ignore[call-overload]

        else:
            through = cv2.warpAffine if len(place) == 2 else cv2.warpPerspective

            def warped(image: np.ndarray) -> np.ndarray:
                return through(image, place, shape, flags=WARP, borderMode=edge)

        return warped(self.paint), None if self.alpha is None else warped(self.alpha)

    def flow(self, frame: int, box: Box) -> np.ndarray:
        """float32 [h, w, 2]: from each pixel of a part of a frame to where its point lies in the other frame."""
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
    """The least depth that a 3x3 matrix gives to a point of a rectangle of a size, as a share of the largest."""
    depth = np.c_[corners_of(size), np.ones(4)] @ matrix[2]
    depth = depth * np.sign(depth.sum())
    return float(depth.min() / depth.max())


def _shift(left: float, upper: float) -> np.ndarray:
    return np.array([[1.0, 0.0, left], [0.0, 1.0, upper]])


def _displacement(motion: np.ndarray, left: int, upper: int, size: tuple[int, int]) -> np.ndarray:
    """Motion minus identity at each pixel of a part of the frame, in float64, stored as float32 [h, w, 2]."""
    x = np.arange(left, left + size[1], dtype=np.float64)
    y = np.arange(upper, upper + size[0], dtype=np.float64)[:, None]
    (a, b, u), (c, d, v) = motion.tolist()
    flow = np.empty((*size, 2), np.float32)
    np.add((a - 1) * x, b * y + u, out=flow[..., 0], casting="same_kind")
    np.add(c * x, (d - 1) * y + v, out=flow[..., 1], casting="same_kind")
    return flow


def _projective(motion: np.ndarray, left: int, upper: int, size: tuple[int, int]) -> np.ndarray:
    """The same of a 3x3 motion. What cancels is taken off along the axes in float64, before float32 holds the rest."""
    x = np.arange(left, left + size[1], dtype=np.float64)
    y = np.arange(upper, upper + size[0], dtype=np.float64)[:, None]
    (a, b, u), (c, d, v), (g, h, w) = (motion / motion[2, 2]).tolist()
    depth = (g * x + w).astype(np.float32) + (h * y).astype(np.float32)
    flow = np.empty((*size, 2), np.float32)
    # (a x + b y + u) - x (g x + h y + w), and likewise for y
    across = y.astype(np.float32) * (b - h * x).astype(np.float32) + (a * x + u - x * (g * x + w)).astype(np.float32)
    down = x.astype(np.float32) * (c - g * y).astype(np.float32) + (d * y + v - y * (h * y + w)).astype(np.float32)
    np.divide(across, depth, out=flow[..., 0])
    np.divide(down, depth, out=flow[..., 1])
    return flow
