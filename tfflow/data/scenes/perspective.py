"""Textures in perspective, such as that of a road or a wall."""

from __future__ import annotations

import math

import cv2
import numpy as np

from tfflow.data.scenes.fields import TILE
from tfflow.data.scenes.textures import Textures, blend

WRAP = cv2.BORDER_WRAP  # not a mirror, for which OpenCV's time is proportional to the distance outside
LEVELS = 9  # of the pyramid; the last one is 2 px wide, almost the mean colour


def in_perspective(
    rng: np.random.Generator,
    textures: Textures,
    rays: np.ndarray,
    normal: np.ndarray,
    size: tuple[int, int],
) -> np.ndarray:
    """The texture of a plane in the camera's view, uint8 RGB of `size` (height, width).

    rays: 3x3, from a pixel (x, y, 1) to the direction of its ray. normal: of the plane, divided by its distance.
    Each area is read from the level of an image pyramid with about the same resolution.
    """
    near = normal @ rays  # 1 / depth at (x, y, 1)
    x, y = np.arange(size[1], dtype=np.float32), np.arange(size[0], dtype=np.float32)[:, None]
    nearness = near[0].astype(np.float32) * x + (near[1] * y + near[2]).astype(np.float32)
    nearest = float(nearness.max())
    pixel, slope = float(np.hypot(*rays[:2, 0])), float(np.hypot(near[0], near[1]))
    np.maximum(nearness, np.float32(0.003 * nearest), out=nearness)
    density = math.exp(rng.uniform(-0.7, 0.3)) * nearest / pixel / (1 + slope / nearest / pixel)  # px of texture a unit
    # a pixel covers more of the plane in depth than in width; a resolution in between avoids blur and aliasing
    level = np.log2(density * np.sqrt(pixel * (pixel + slope / nearness)) / nearness)
    ahead = np.array([0.0, 0.0, 1.0]) - normal * (normal[2] / (normal @ normal))
    across = np.cross(ahead, normal / np.linalg.norm(normal))
    side = TILE if max(size) > TILE else TILE // 2
    tile = np.stack([ahead, across]) * density @ rays + np.outer(rng.uniform(0, side, 2), near)
    maps = np.empty((*size, 2), np.float32)  # position in the texture of each pixel
    for axis, (a, b, c) in enumerate(tile):
        along = (a * x).astype(np.float32) + (b * y + c).astype(np.float32)
        np.divide(along, nearness, out=maps[..., axis])
    texture = textures.draw(rng, (side, side))
    seen = np.empty((*size, 3), np.uint8)
    first = min(max(math.floor(float(level.min())), 0), LEVELS - 1)
    for step in range(LEVELS):
        below = np.inf if step == LEVELS - 1 else step + 1.0
        band = cv2.inRange(level, -np.inf if step == first else step - 1.0, below)  # type: ignore[call-overload]
        left, upper, width, height = cv2.boundingRect(band)
        if step >= first and width:
            place = (slice(upper, upper + height), slice(left, left + width))
            there = maps[place] / np.float32(2**step)
            part = cv2.remap(texture, there, None, cv2.INTER_LINEAR, borderMode=WRAP)  # type: ignore[call-overload]
            amount = np.clip((level[place] - (step - 1)) * 255, 0, 255).astype(np.uint8)
            seen[place] = part if step == first else blend(seen[place], part, amount)
        texture = cv2.pyrDown(texture, borderType=WRAP)
    return seen
