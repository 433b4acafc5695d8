"""Layers under affine motion: background, shapes, and small fast objects in front. All may bend."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from tfflow.data.scenes.bending import draw_bend
from tfflow.data.scenes.camera import smear
from tfflow.data.scenes.effects import Effects
from tfflow.data.scenes.layer import Layer
from tfflow.data.scenes.motion import affine, compose, corners_of, draw_motions, invert, move, unit_of, weaken
from tfflow.data.scenes.settings import SceneSettings
from tfflow.data.scenes.shapes import draw_mask
from tfflow.data.scenes.textures import Textures, pick

Size = tuple[int, int]


def layered(
    rng: np.random.Generator, settings: SceneSettings, size: Size, textures: Textures, effects: Effects
) -> list[Layer]:
    """Background and shapes, from back to front. effects: the other effects of this scene."""
    height, width = size
    masks, places = [], []
    for _ in range(int(rng.integers(settings.shapes[0], settings.shapes[1] + 1))):
        low, high = (math.log(share * min(size)) for share in (BEFORE_FIXED if effects.fixed else settings.shape_size))
        diameter = math.exp(rng.uniform(low, high))
        stretch = math.exp(rng.uniform(-0.25, 0.25))
        mask = draw_mask(rng, pick(rng, settings.shape_kinds), max(diameter / stretch, 3.0))
        middle = ((mask.shape[1] - 1) / 2, (mask.shape[0] - 1) / 2)
        to = (rng.uniform(0, width) - middle[0], rng.uniform(0, height) - middle[1])
        masks.append(mask)
        places.append(affine(rng.uniform(-30, 30), stretch, 0.0, to, middle))
    boxes = [corners_of(size)] + [
        move(place, corners_of(mask.shape)) for mask, place in zip(masks, places, strict=True)
    ]
    share = 1 - BENT_SHARE if effects.bending else 1.0
    motions = draw_motions(rng, settings, size, boxes, effects.pan, share, effects.fixed)
    place, raster = _lay_background(rng, motions[0], size)
    rasters = [raster, *(mask.shape for mask in masks)]
    blurred = rng.random() < settings.motion_blur and not effects.shutter
    shutter = rng.uniform(0.2, 0.8)
    layers = []
    for alpha, raster, to_frame1, motion in zip([None, *masks], rasters, [place, *places], motions, strict=True):
        paint = textures.draw(rng, raster)
        to_frames = (to_frame1, compose(motion, to_frame1))
        if blurred:
            middle = corners_of(raster).mean(axis=0, keepdims=True)
            moved = move(invert(to_frame1), move(to_frames[1], middle)) - middle
            paint = smear(paint, *(shutter * moved[0]).tolist())
        layers.append(Layer(paint, alpha, to_frames))
    return layers


BEFORE_FIXED = (0.05, 0.5)  # the size of shapes before a fixed camera, as a share of the frame's shorter side
BENT_SHARE = 0.3  # share of the largest displacement that bending may use


def bent(rng: np.random.Generator, settings: SceneSettings, size: Size, layers: list[Layer]) -> list[Layer]:
    """The layers, with bending for most of them and always for the front one."""
    most = settings.max_displacement * unit_of(size) * BENT_SHARE
    changed = []
    for index, layer in enumerate(layers):
        if index < len(layers) - 1 and rng.random() < 0.35:
            changed.append(layer)
            continue
        scale = max(float(np.linalg.norm(matrix[:, :2], 2)) for matrix in layer.to_frames)
        bend = draw_bend(rng, layer.paint.shape[:2], most / scale)
        changed.append(dataclasses.replace(layer, bend=bend))
    return changed


def fast_objects(rng: np.random.Generator, settings: SceneSettings, size: Size, textures: Textures) -> list[Layer]:
    """One to four small fast shapes in front of all others. If possible, they are inside both frames."""
    layers = []
    for _ in range(int(rng.integers(1, 5))):
        diameter = max(min(size) * math.exp(rng.uniform(math.log(0.06), math.log(0.3))), 6.0)
        mask = draw_mask(rng, pick(rng, settings.shape_kinds), diameter)
        middle = ((mask.shape[1] - 1) / 2, (mask.shape[0] - 1) / 2)
        shift = fast_shift(rng, settings, size)
        between = [_between(rng, abs(part), side) for part, side in zip(shift, size[::-1], strict=True)]
        start = [at - part / 2 - half for at, part, half in zip(between, shift, middle, strict=True)]
        place = affine(rng.uniform(-180, 180), 1.0, 0.0, (start[0], start[1]), middle)
        at = move(place, np.array([middle]))[0]
        motion = affine(rng.laplace(0, 8), math.exp(rng.uniform(-0.2, 0.2)), 0.0, shift, (at[0], at[1]))
        motion = weaken(motion, move(place, corners_of(mask.shape)), settings.fast_speed[1] * size[1])
        layers.append(Layer(textures.draw(rng, mask.shape), mask, (place, compose(motion, place))))
    return layers


def fast_shift(rng: np.random.Generator, settings: SceneSettings, size: Size) -> tuple[float, float]:
    """A large translation, px, with a length from `fast_speed`. Vertical directions are rare."""
    low, high = (math.log(share * size[1]) for share in settings.fast_speed)
    length, angle = math.exp(rng.uniform(low, high)), rng.normal(0, 0.6) + np.pi * rng.integers(0, 2)
    return length * math.cos(angle), length * math.sin(angle)


def _between(rng: np.random.Generator, way: float, side: int) -> float:
    """The middle of a path of length `way`, so that the path is inside 0..side if possible."""
    return rng.uniform(way / 2, side - way / 2) if way < side else side / 2


def _lay_background(rng: np.random.Generator, motion: np.ndarray, size: Size) -> tuple[np.ndarray, Size]:
    """The position of the background's raster in frame 1, and its size: just enough to fill both frames."""
    place = affine(rng.uniform(-12, 12), math.exp(rng.uniform(-0.25, 0.4)))
    frame = corners_of(size)
    seen = np.concatenate([move(invert(place), frame), move(invert(compose(motion, place)), frame)])
    low, high = np.floor(seen.min(axis=0)) - 2, np.ceil(seen.max(axis=0)) + 3
    width, height = (int(v) for v in high - low)
    return compose(place, affine(translation=(low[0], low[1]))), (height, width)
