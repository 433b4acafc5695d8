"""Shadows, highlights, which do not move with their surfaces, and fog by depth."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tfflow.data.scenes.motion import move

if TYPE_CHECKING:
    from tfflow.data.scenes.layer import Layer


@dataclass(frozen=True)
class Shadow:
    """The shadow of a layer on all layers behind. offset: px (x, y). strength: share of the light. blur: px."""

    offset: tuple[int, int]
    strength: float
    blur: float

    def cast(self, image: np.ndarray, layer: Layer, frame: int) -> None:
        """Darkens uint8 [h, w, 3] in place."""
        margin = math.ceil(3 * self.blur)
        dx, dy = self.offset
        box = layer.box(frame, image.shape[:2], self.offset, margin)
        if box is None or layer.alpha is None:
            return
        left, upper, right, lower = box
        wide = (left - dx - margin, upper - dy - margin, right - dx + margin, lower - dy + margin)
        [alpha] = layer.warp(frame, wide, layer.alpha)
        lit = cv2.LUT(alpha, np.rint(255 - self.strength * np.arange(256)).astype(np.uint8))
        lit = cv2.GaussianBlur(lit, (0, 0), self.blur)[margin:-margin, margin:-margin]
        part = image[upper:lower, left:right]
        part[:] = cv2.multiply(part, cv2.cvtColor(lit, cv2.COLOR_GRAY2RGB), scale=1 / 255)


@dataclass(frozen=True)
class Highlight:
    """A highlight on a layer: a soft spot at `centre`, px (x, y) of frame 1, that moves by `shift` px a step."""

    centre: tuple[float, float]
    shift: tuple[float, float]
    radii: tuple[float, float]
    strength: float

    def add(self, paint: np.ndarray, left: int, upper: int, time: float) -> None:
        """Brightens a box of a frame, uint8 [h, w, 3], with corner (left, upper), in place."""
        x = (np.arange(paint.shape[1]) + left - self.centre[0] - time * self.shift[0]) / self.radii[0]
        y = (np.arange(paint.shape[0]) + upper - self.centre[1] - time * self.shift[1]) / self.radii[1]
        across, down = (np.exp(-0.5 * at * at).astype(np.float32) for at in (x, y))
        spot = (down[:, None] * (255 * self.strength * across)).astype(np.uint8)
        cv2.add(paint, cv2.cvtColor(spot, cv2.COLOR_GRAY2RGB), dst=paint)


def cast_shadows(rng: np.random.Generator, layers: list[Layer], size: tuple[int, int]) -> list[Layer]:
    """The layers, with shadows for most of those in front of the background. The direction of light is the same."""
    reach, angle = min(size) * rng.uniform(0.01, 0.12), rng.uniform(0, 2 * np.pi)
    strength, blur = rng.uniform(0.25, 0.75), min(size) * rng.uniform(0.003, 0.02)
    changed = layers[:1]
    for index, layer in enumerate(layers[1:], 1):
        far = reach * rng.uniform(0.6, 1.4) * (0.5 + index / len(layers))
        shadow = Shadow((round(far * math.cos(angle)), round(far * math.sin(angle))), strength, max(blur, 0.5))
        changed.append(dataclasses.replace(layer, shadow=shadow) if rng.random() < 0.8 else layer)
    return changed


def add_highlights(rng: np.random.Generator, layers: list[Layer], size: tuple[int, int]) -> list[Layer]:
    """The layers, with a highlight for one to three. It follows its layer's motion partly or not at all."""
    height, width = size
    shiny = set(rng.integers(0, len(layers), int(rng.integers(1, 4))).tolist())
    changed = []
    for index, layer in enumerate(layers):
        if index in shiny:
            raster = np.array(layer.paint.shape[1::-1]) * rng.uniform(0.3, 0.7, 2)
            first, second = (move(matrix, raster[None])[0] for matrix in layer.to_frames)
            first = np.clip(first, 0, (width, height))
            follow = (second - first) * rng.uniform(0, 0.7)
            follow *= min(1.0, 0.2 * min(size) / max(float(np.hypot(*follow)), 1e-9))
            scale = max(4.0, 0.2 * min(size)) * np.exp(rng.uniform(-1.5, 0.5, 2))
            highlight = Highlight(
                (float(first[0]), float(first[1])), (float(follow[0]), float(follow[1])),
                (float(scale[0]), float(scale[1])), float(rng.uniform(0.15, 0.75)),
            )  # fmt: skip
            layer = dataclasses.replace(layer, highlight=highlight)
        changed.append(layer)
    return changed


def fog(rng: np.random.Generator, layers: list[Layer]) -> list[Layer]:
    """The layers in fog. The colour of a point fades with its depth.

    Planes have a depth. Affine layers get depths in their order.
    """
    grey = rng.uniform(90, 240) + rng.normal(0, 8, 3)
    thickness = math.exp(rng.uniform(math.log(0.4), math.log(1.8)))  # of the fog in front of the farthest layer
    reach = math.exp(rng.uniform(math.log(4), math.log(40)))  # depth at which 63 % of the colour is lost
    behind = np.linspace(1, 0.15, len(layers)) * rng.uniform(0.8, 1.2, len(layers))
    changed = []
    for layer, depth in zip(layers, behind, strict=True):
        height, width = layer.paint.shape[:2]
        clear: np.ndarray | float = math.exp(-thickness * depth)
        if layer.nearness is not None:
            a, b, c = layer.nearness.tolist()
            near = (a * np.arange(width) + c).astype(np.float32) + (b * np.arange(height))[:, None].astype(np.float32)
            clear = np.exp(-1 / np.maximum(near * reach, 0.45))[..., None]
        paint = layer.paint * np.asarray(clear, np.float32)
        paint += (1 - clear) * grey.astype(np.float32)
        changed.append(dataclasses.replace(layer, paint=np.clip(paint, 0, 255).astype(np.uint8)))
    return changed
