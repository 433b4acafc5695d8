"""Draws layers into both frames, with the exact flow between them and what is visible in both."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from tfflow.data.scenes.layer import Layer
from tfflow.data.scenes.textures import blend


@dataclass(frozen=True)
class Frame:
    """One drawn frame: image uint8 [h, w, 3]; top uint8 [h, w], the index of the layer in front;
    flow float32 [h, w, 2] to the other frame."""

    image: np.ndarray
    top: np.ndarray
    flow: np.ndarray


def later(layers: list[Layer], steps: int) -> list[Layer]:
    """The layers as they lie in the two frames `steps` steps later (below 0: earlier), each going on as it moves."""
    for _ in range(abs(steps)):
        layers = [layer.stepped(steps > 0) for layer in layers]
    return layers


def draw(layers: list[Layer], frame: int, size: tuple[int, int], antialias: bool = True) -> Frame:
    """Paints layers from back (first, which must fill the frame) to front."""
    height, width = size
    whole = (0, 0, width, height)
    image, _ = layers[0].warp(frame, whole)
    top = np.zeros((height, width), np.uint8)
    flow = layers[0].flow(frame, whole)
    for index, layer in enumerate(layers[1:], 1):
        box = layer.box(frame, size)
        if box is None:
            continue
        left, upper, right, lower = box
        paint, alpha = layer.warp(frame, box)
        if alpha is None:
            raise AssertionError("one layer alone is the background")
        hard = cv2.threshold(alpha, 127, 255, cv2.THRESH_BINARY)[1]
        part = (slice(upper, lower), slice(left, right))
        image[part] = blend(image[part], paint, alpha if antialias else hard)
        top[part][hard > 0] = index
        cv2.copyTo(layer.flow(frame, box), hard, flow[part])
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


@functools.lru_cache(maxsize=4)
def _grid(height: int, width: int) -> np.ndarray:
    """[h, w, 2] float32: each pixel's own (x, y)."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0] = np.arange(width, dtype=np.float32)
    grid[..., 1] = np.arange(height, dtype=np.float32)[:, None]
    grid.setflags(write=False)
    return grid
