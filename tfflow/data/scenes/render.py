"""Draws layers into both frames, with exact flow and visibility."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from tfflow.data.scenes.layer import Box, Layer, pixels
from tfflow.data.scenes.textures import blend


@dataclass(frozen=True)
class Frame:
    """One drawn frame. image: uint8 [h, w, 3]. top: index of the front layer, uint8 [h, w]. flow: to the other frame,
    float32 [h, w, 2]."""

    image: np.ndarray
    top: np.ndarray
    flow: np.ndarray


def later(layers: list[Layer], steps: int) -> list[Layer]:
    """The layers `steps` steps later (below 0: earlier), if their motion continues."""
    for _ in range(abs(steps)):
        layers = [layer.stepped(steps > 0) for layer in layers]
    return layers


def draw(layers: list[Layer], frame: int, size: tuple[int, int], antialias: bool = True) -> Frame:
    """Paints layers from back to front. The first one must fill the frame."""
    whole = (0, 0, size[1], size[0])
    top = np.zeros(size, np.uint8)
    flow = layers[0].flow(frame, whole)

    def note(index: int, box: Box, hard: np.ndarray) -> None:
        left, upper, right, lower = box
        part = (slice(upper, lower), slice(left, right))
        top[part][hard > 0] = index
        cv2.copyTo(layers[index].flow(frame, box), hard, flow[part])

    return Frame(paint(layers, frame, size, antialias, note), top, flow)


def blur(
    layers: list[Layer], frame: int, size: tuple[int, int], antialias: bool, shutter: float, instants: int
) -> np.ndarray:
    """The image of a frame with motion blur: the mean over `instants` times.

    shutter: exposure time, as a share of the step between the frames; its middle is the frame's time. Each point is
    blurred along its own path, and so are outlines.
    """
    total = np.zeros((*size, 3), np.float32)
    for instant in range(instants):
        time = frame + shutter * ((instant + 0.5) / instants - 0.5)
        cv2.accumulate(paint([layer.at(time) for layer in layers], 0, size, antialias), total)
    return np.rint(total / instants).astype(np.uint8)


def paint(
    layers: list[Layer],
    frame: int,
    size: tuple[int, int],
    antialias: bool,
    note: Callable[[int, Box, np.ndarray], None] | None = None,
) -> np.ndarray:
    """The image, uint8 [h, w, 3]. note: called with each layer's index, its box in the frame, and the mask in it."""
    [image] = layers[0].warp(frame, (0, 0, size[1], size[0]), layers[0].paint)
    if layers[0].highlight is not None:
        layers[0].highlight.add(image, 0, 0, layers[0].time + frame)
    for index, layer in enumerate(layers[1:], 1):
        if layer.shadow is not None:
            layer.shadow.cast(image, layer, frame)
        box = layer.box(frame, size)
        if box is None or layer.alpha is None:
            continue
        left, upper, right, lower = box
        sheet, alpha = layer.warp(frame, box, layer.paint, layer.alpha)
        if layer.highlight is not None:
            layer.highlight.add(sheet, left, upper, layer.time + frame)
        hard = cv2.threshold(alpha, 127, 255, cv2.THRESH_BINARY)[1]
        part = (slice(upper, lower), slice(left, right))
        image[part] = blend(image[part], sheet, alpha if antialias else hard)
        if note is not None:
            note(index, box, hard)
    return image


def visible(layers: list[Layer], here: Frame, there: Frame, frame: int) -> np.ndarray:
    """Visibility, float32 [h, w, 1]: 1 if the point of a pixel of `here` is inside the other frame and in front there.

    If all pixels around the target show layers behind, or all show layers in front, that decides. At an outline, the
    exact shapes decide.
    """
    height, width = here.top.shape
    target = here.flow + pixels(height, width)
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
