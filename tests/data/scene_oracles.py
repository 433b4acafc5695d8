"""Slow oracles of scenes, one point at a time: positions in layers and frames, and the layer in front."""

from __future__ import annotations

import numpy as np

from tfflow.data.scenes.layer import Layer
from tfflow.data.scenes.motion import square


def oracle_displacement(layer: Layer, frame: int, x: float, y: float) -> np.ndarray:
    """Of a flat place of the raster at a time: the sum of the waves, one by one."""
    total = np.zeros(2)
    if layer.bend is not None:
        for wx, wy, phase, ax, ay in layer.bend.waves:
            total += np.sin(wx * x + wy * y + phase) * np.array([ax, ay])
        total *= layer.time + frame - layer.bend.flat
    return total


def oracle_raster(layer: Layer, frame: int, x: float, y: float) -> np.ndarray:
    """The point of the raster under a point of a frame."""
    at = np.linalg.solve(square(layer.to_frames[frame]), [x, y, 1])
    at = at[:2] / at[2]
    return at + oracle_displacement(layer, frame, *at)


def oracle_place(layer: Layer, frame: int, point: np.ndarray) -> np.ndarray:
    """Where a frame shows a point of the raster."""
    flat = point.copy()
    for _ in range(30):
        flat = point - oracle_displacement(layer, frame, *flat)
    at = square(layer.to_frames[frame]) @ [*flat, 1]
    return at[:2] / at[2]


def oracle_depth(layer: Layer, frame: int, x: float, y: float) -> float:
    """How far inside the layer a point of a frame is, in grey levels of alpha; > 0 is inside."""
    if layer.alpha is None:
        return 127.5
    cx, cy = oracle_raster(layer, frame, x, y)
    height, width = layer.alpha.shape
    if not (0 <= cx < width - 1 and 0 <= cy < height - 1):
        return -127.5
    i, j = int(cy), int(cx)
    s, t = cy - i, cx - j
    a = layer.alpha.astype(float)
    value = (1 - s) * ((1 - t) * a[i, j] + t * a[i, j + 1]) + s * ((1 - t) * a[i + 1, j] + t * a[i + 1, j + 1])
    return value - 127.5


def oracle_top(layers: list[Layer], frame: int, x: float, y: float) -> tuple[int, bool]:
    """The layer in front at a point, and whether that is beyond doubt (OpenCV places its samples to 1/32 px)."""
    sure = True
    for index in range(len(layers) - 1, -1, -1):
        depth = oracle_depth(layers[index], frame, x, y)
        sure = sure and abs(depth) > 12
        if depth >= 0:
            return index, sure
    raise AssertionError("the background is everywhere")
