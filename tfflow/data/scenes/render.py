"""Draws layers into both frames, with the exact flow between them and what is visible in both."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import cv2
import numpy as np

from tfflow.data.scenes.motion import compose, invert
from tfflow.data.scenes.textures import blend

WARP = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclass(frozen=True)
class Layer:
    """A painted sheet and where it lies in each frame.

    paint: uint8 RGB [h, w, 3] on the layer's own raster. alpha: uint8 [h, w]; a point belongs to the layer where
    alpha, interpolated, is at least 127.5; None for the background, which is everywhere.
    to_frames: two 2x3 matrices that take a point (x, y) of the raster to frame 1 and to frame 2.
    """

    paint: np.ndarray
    alpha: np.ndarray | None
    to_frames: tuple[np.ndarray, np.ndarray]

    def motion(self, frame: int) -> np.ndarray:
        """2x3: from the given frame (0 or 1) to the other one."""
        return compose(self.to_frames[1 - frame], invert(self.to_frames[frame]))

    def covers(self, points: np.ndarray, frame: int) -> np.ndarray:
        """Whether the layer covers points [n, 2] of a frame, exactly (bilinear alpha in float64)."""
        if self.alpha is None:
            return np.ones(len(points), bool)
        back = invert(self.to_frames[frame])
        at = points @ back[:, :2].T + back[:, 2]
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


@dataclass(frozen=True)
class Frame:
    """One drawn frame: image uint8 [h, w, 3]; top uint8 [h, w], the index of the layer in front;
    flow float32 [h, w, 2] to the other frame."""

    image: np.ndarray
    top: np.ndarray
    flow: np.ndarray


def later(layers: list[Layer], steps: int) -> list[Layer]:
    """The layers as they lie in the two frames `steps` steps later (below 0: earlier), each repeating its motion."""
    for _ in range(abs(steps)):
        layers = [_stepped(layer, steps > 0) for layer in layers]
    return layers


def _stepped(layer: Layer, forwards: bool) -> Layer:
    first, second = layer.to_frames
    moved = (second, compose(layer.motion(0), second)) if forwards else (compose(layer.motion(1), first), first)
    return dataclasses.replace(layer, to_frames=moved)


def draw(layers: list[Layer], frame: int, size: tuple[int, int], antialias: bool = True) -> Frame:
    """Paints layers from back (first, which must fill the frame) to front."""
    height, width = size
    back = invert(layers[0].to_frames[frame])
    image = cv2.warpAffine(layers[0].paint, back, (width, height), flags=WARP, borderMode=cv2.BORDER_REFLECT_101)
    top = np.zeros((height, width), np.uint8)
    flow = _displacement(layers[0].motion(frame), 0, 0, size)
    for index, layer in enumerate(layers[1:], 1):
        box = _box(layer, frame, size)
        if box is None or layer.alpha is None:
            continue
        left, upper, right, lower = box
        place = invert(layer.to_frames[frame])
        place[:, 2] += place[:, :2] @ (left, upper)
        shape = (right - left, lower - upper)
        paint = cv2.warpAffine(layer.paint, place, shape, flags=WARP)
        alpha = cv2.warpAffine(layer.alpha, place, shape, flags=WARP)
        hard = cv2.threshold(alpha, 127, 255, cv2.THRESH_BINARY)[1]
        part = (slice(upper, lower), slice(left, right))
        image[part] = blend(image[part], paint, alpha if antialias else hard)
        top[part][hard > 0] = index
        cv2.copyTo(_displacement(layer.motion(frame), left, upper, shape[::-1]), hard, flow[part])
    return Frame(image, top, flow)


def visible(layers: list[Layer], here: Frame, there: Frame, frame: int) -> np.ndarray:
    """float32 [h, w, 1]: 1 where what `here` (frame 0 or 1) shows lies inside the other frame and is in front there.

    Where all pixels around the target show layers behind, or all show layers in front, that settles it; between
    the two the shapes themselves are asked.
    """
    height, width = here.top.shape
    target = here.flow + _grid(height, width)
    inside = cv2.inRange(target, (0.0, 0.0), (width - 1.0, height - 1.0)) > 0
    around = np.ones((3, 3), np.uint8)
    maps = cv2.merge([cv2.erode(there.top, around), cv2.dilate(there.top, around)])
    back, front = cv2.split(cv2.remap(maps, target, None, cv2.INTER_NEAREST))  # type: ignore[call-overload]
    seen = inside & (front <= here.top)
    asked = np.flatnonzero(inside & (front > here.top) & (back <= here.top))
    if len(asked):
        layer, front = here.top.reshape(-1)[asked], front.reshape(-1)[asked]
        points = target.reshape(-1, 2)[asked].astype(np.float64)
        covered = np.zeros(len(asked), bool)
        for index in range(1, len(layers)):
            some = np.flatnonzero((layer < index) & (front >= index) & ~covered)
            if len(some):
                covered[some] = layers[index].covers(points[some], 1 - frame)
        seen.reshape(-1)[asked] = ~covered
    return seen[..., None].astype(np.float32)


def _displacement(motion: np.ndarray, left: int, upper: int, size: tuple[int, int]) -> np.ndarray:
    """Motion minus identity at each pixel of a part of the frame, in float64, stored as float32 [h, w, 2]."""
    x = np.arange(left, left + size[1], dtype=np.float64)
    y = np.arange(upper, upper + size[0], dtype=np.float64)[:, None]
    (a, b, u), (c, d, v) = motion.tolist()
    flow = np.empty((*size, 2), np.float32)
    np.add((a - 1) * x, b * y + u, out=flow[..., 0], casting="same_kind")
    np.add(c * x, (d - 1) * y + v, out=flow[..., 1], casting="same_kind")
    return flow


def _box(layer: Layer, frame: int, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The part of the frame that the layer's raster reaches: left, upper, right, lower; None where it is outside."""
    height, width = layer.paint.shape[:2]
    matrix = layer.to_frames[frame]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ matrix[:, :2].T + matrix[:, 2]
    left, upper = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, lower = np.minimum(np.ceil(corners.max(axis=0)) + 1, size[::-1]).astype(int)
    return (int(left), int(upper), int(right), int(lower)) if left < right and upper < lower else None


@functools.lru_cache(maxsize=4)
def _grid(height: int, width: int) -> np.ndarray:
    """[h, w, 2] float32: each pixel's own (x, y)."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0] = np.arange(width, dtype=np.float32)
    grid[..., 1] = np.arange(height, dtype=np.float32)[:, None]
    grid.setflags(write=False)
    return grid
