"""Draws layers into both frames, with the exact flow between them and what is visible in both."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tfflow.data.scenes.motion import compose, invert
from tfflow.data.scenes.textures import blend

WARP = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclass(frozen=True)
class Layer:
    """A painted sheet and where it lies in each frame.

    canvas: uint8 RGBA [h, w, 4] on the layer's own raster; a point belongs to the layer where alpha, interpolated,
    is at least 127.5. to_frames: two 2x3 matrices that take a point (x, y) of the raster to frame 1 and to frame 2.
    """

    canvas: np.ndarray
    to_frames: tuple[np.ndarray, np.ndarray]

    def motion(self, frame: int) -> np.ndarray:
        """2x3: from the given frame (0 or 1) to the other one."""
        return compose(self.to_frames[1 - frame], invert(self.to_frames[frame]))

    def covers(self, points: np.ndarray, frame: int) -> np.ndarray:
        """Whether the layer covers points [n, 2] of a frame, exactly (bilinear alpha in float64)."""
        back = invert(self.to_frames[frame])
        at = points @ back[:, :2].T + back[:, 2]
        height, width = self.canvas.shape[:2]
        base = np.floor(at).astype(np.int64)
        held = ((base >= 0) & (base < (width - 1, height - 1))).all(axis=1)
        covered = np.zeros(len(points), bool)
        base, part = base[held], (at - base)[held]
        x, y, fx, fy = base[:, 0], base[:, 1], part[:, 0], part[:, 1]
        alpha = self.canvas[..., 3]
        above = alpha[y, x] * (1 - fx) + alpha[y, x + 1] * fx
        below = alpha[y + 1, x] * (1 - fx) + alpha[y + 1, x + 1] * fx
        covered[held] = above * (1 - fy) + below * fy >= 127.5
        return covered


@dataclass(frozen=True)
class Frame:
    """One drawn frame: image uint8 [h, w, 3]; top uint8 [h, w], the index of the layer in front;
    flow float32 [h, w, 2] to the other frame."""

    image: np.ndarray
    top: np.ndarray
    flow: np.ndarray


def draw(layers: list[Layer], frame: int, size: tuple[int, int], antialias: bool = True) -> Frame:
    """Paints layers from back (first, which must fill the frame) to front."""
    height, width = size
    back = invert(layers[0].to_frames[frame])
    rgb = np.ascontiguousarray(layers[0].canvas[..., :3])
    image = cv2.warpAffine(rgb, back, (width, height), flags=WARP, borderMode=cv2.BORDER_REFLECT_101)
    top = np.zeros((height, width), np.uint8)
    flow = np.empty((height, width, 2), np.float32)
    _write_flow(flow, layers[0].motion(frame), 0, 0, None)
    for index, layer in enumerate(layers[1:], 1):
        box = _box(layer, frame, size)
        if box is None:
            continue
        left, upper, right, lower = box
        place = invert(layer.to_frames[frame])
        place[:, 2] += place[:, :2] @ (left, upper)
        painted = cv2.warpAffine(layer.canvas, place, (right - left, lower - upper), flags=WARP)
        rows, columns = slice(upper, lower), slice(left, right)
        alpha = painted[..., 3]
        hard = cv2.compare(alpha, 127, cv2.CMP_GT)
        covered = hard > 0
        image[rows, columns] = blend(image[rows, columns], painted[..., :3], alpha if antialias else hard)
        top[rows, columns][covered] = index
        _write_flow(flow[rows, columns], layer.motion(frame), left, upper, covered)
    return Frame(image, top, flow)


def visible(layers: list[Layer], here: Frame, there: Frame, frame: int) -> np.ndarray:
    """float32 [h, w, 1]: 1 where what `here` (frame 0 or 1) shows lies inside the other frame and is in front there.

    Away from the edges between layers the pixel nearest to the target tells; near them the shapes are asked.
    """
    height, width = here.top.shape
    target = here.flow + _grid(height, width)
    x, y = target[..., 0], target[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    edge = cv2.morphologyEx(there.top, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    both = cv2.remap(cv2.merge([there.top, edge]), target, None, cv2.INTER_NEAREST)
    seen = inside & (both[..., 0] == here.top)
    rows, columns = np.nonzero(inside & (both[..., 1] > 0))
    if len(rows):
        layer = here.top[rows, columns]
        points = target[rows, columns].astype(np.float64)
        covered = np.zeros(len(rows), bool)
        for index in range(1, len(layers)):
            asked = np.nonzero((layer < index) & ~covered)[0]
            if len(asked):
                covered[asked] = layers[index].covers(points[asked], 1 - frame)
        seen[rows, columns] = ~covered
    return seen[..., None].astype(np.float32)


def _write_flow(flow: np.ndarray, motion: np.ndarray, left: int, upper: int, where: np.ndarray | None) -> None:
    """Motion minus identity at each pixel, in float64, stored as float32."""
    height, width = flow.shape[:2]
    x = np.arange(left, left + width, dtype=np.float64)
    y = np.arange(upper, upper + height, dtype=np.float64)[:, None]
    (a, b, u), (c, d, v) = motion
    for channel, values in enumerate(((a - 1) * x + (b * y + u), c * x + ((d - 1) * y + v))):
        np.copyto(flow[..., channel], values, casting="same_kind", where=True if where is None else where)


def _box(layer: Layer, frame: int, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The part of the frame that the layer's raster reaches: left, upper, right, lower; None where it is outside."""
    height, width = layer.canvas.shape[:2]
    matrix = layer.to_frames[frame]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ matrix[:, :2].T + matrix[:, 2]
    left, upper = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, lower = np.minimum(np.ceil(corners.max(axis=0)) + 1, size[::-1]).astype(int)
    return (int(left), int(upper), int(right), int(lower)) if left < right and upper < lower else None


def _grid(height: int, width: int) -> np.ndarray:
    """[h, w, 2] float32: each pixel's own (x, y)."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0] = np.arange(width, dtype=np.float32)
    grid[..., 1] = np.arange(height, dtype=np.float32)[:, None]
    return grid
