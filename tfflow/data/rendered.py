"""Pairs with exact flow, to measure on, rendered from frames without labels: frame 1 warped by a changed flow.

The new second frame is made by the flow that comes with it, so that flow is exact even where the teacher's flow, which
was changed, is wrong. Source of the idea: Han et al. 2022 (RealFlow).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from tfflow.data.noise import grain, without_noise
from tfflow.data.records import Sample
from tfflow.data.surfaces import Arrivals, grid, invert, sampled, spread_into

NOISE = 0.08  # largest deviation of the noise of a pair, images span 0..1
REACHED = 0.5  # px; a pixel is visible where the way to frame 2 and back ends so near its start


class PairFlow(NamedTuple):
    """Both flows of a pair, [h, w, 2] px, and 1 where each can be relied on, [h, w, 1]."""

    flow12: np.ndarray
    flow21: np.ndarray
    visible1: np.ndarray
    visible2: np.ndarray


@dataclass(frozen=True)
class Rendering:
    """How a flow is changed before a frame is rendered with it.

    scale: smallest and largest factor of the flow. The others are standard deviations of the added affine motion:
    shift, as a share of the frame's width; rotation, in degrees; zoom and shear, of its matrix.
    """

    scale: tuple[float, float] = (0.5, 1.7)
    shift: float = 0.012
    rotation: float = 1.0
    zoom: float = 0.012
    shear: float = 0.006


def render(
    image1: np.ndarray, image2: np.ndarray, flow: PairFlow, rendering: Rendering, rng: np.random.Generator
) -> Sample:
    """A sample whose image1 is `image1`, and whose image2 is rendered with a changed flow.

    Where several surfaces arrive at a pixel, the nearest wins (`nearness`). Pixels that only the new frame sees come
    from `image2`, from the place of the surface beside them. Light and noise change as between the real frames. Each
    frame gets its own noise: noise that moved with its surface would be a cue for matching that no real pair has.
    """
    offset, deviation = light_and_noise(image1, image2, flow)
    noise = min(deviation / np.sqrt(2), grain(image1))  # of one frame
    image1, image2 = without_noise(image1, noise), without_noise(image2, noise)
    flow12 = changed(flow.flow12, rendering, rng)
    arrivals = Arrivals(flow12, nearness(flow.flow12, flow.visible1))
    flow21, exact = invert(flow12, arrivals)
    drawn = sampled(image1, flow21)
    # Where the real flow would have led instead, spread from what lies farthest back into what nothing reaches.
    apart = spread_into(arrivals.mean(flow12 - flow.flow12), arrivals)
    holes = arrivals.reached[..., None] == 0
    drawn = np.where(holes, sampled(image2, -apart), drawn)
    outside = outside_frame(flow12)
    back = sampled(np.where(exact[..., None], flow21, np.inf).astype(np.float32), flow12, cv2.INTER_NEAREST)
    visible1 = (np.linalg.norm(flow12 + back, axis=-1) < REACHED) & ~outside
    visible2 = exact & ~outside_frame(flow21)
    drawn = drawn + rng.uniform(0, 1) * offset
    frames = (np.clip(image + rng.normal(0, 1, image.shape) * noise, 0, 1) for image in (image1, drawn))
    new1, new2 = (frame.astype(np.float32) for frame in frames)
    return {
        "image1": new1,
        "image2": new2,
        "flow12": flow12,
        "flow21": flow21,
        "valid1": np.ones_like(flow12[..., :1]),
        "valid2": exact[..., None].astype(np.float32),
        "visible1": visible1[..., None].astype(np.float32),
        "visible2": visible2[..., None].astype(np.float32),
    }


def changed(flow: np.ndarray, rendering: Rendering, rng: np.random.Generator) -> np.ndarray:
    """The flow times a factor, plus an affine motion about the frame's middle."""
    h, w = flow.shape[:2]
    low, high = np.log(rendering.scale)
    factor = np.exp(rng.uniform(low, high))
    angle = np.deg2rad(rng.normal(0, rendering.rotation))
    zoom, (sx, sy) = rng.normal(0, rendering.zoom), rng.normal(0, rendering.shear, 2)
    matrix = np.array([[zoom, sx - angle], [sy + angle, zoom]])
    middle = grid(h, w) - np.array([(w - 1) / 2, (h - 1) / 2])
    added = middle @ matrix.T + rng.normal(0, rendering.shift * w, 2)
    return (factor * flow + added).astype(np.float32)


def nearness(flow: np.ndarray, visible1: np.ndarray) -> np.ndarray:
    """Which of two surfaces at one pixel covers the other: the one with the greater number, [h, w].

    A surface that the real second frame still shows covers one that it does not. Otherwise the surface with the larger
    motion relative to the frame's median motion is nearer: with a moving camera it is close, with a fixed one it is an
    object before the background.
    """
    beside = np.linalg.norm(flow - np.median(flow, axis=(0, 1)), axis=-1)
    return (beside / (np.percentile(beside, 99) + 1e-3) + (visible1[..., 0] > 0)).astype(np.float32)


def light_and_noise(image1: np.ndarray, image2: np.ndarray, flow: PairFlow) -> tuple[np.ndarray, float]:
    """What is between the real frames besides motion: (offset of each colour, deviation of the fine noise)."""
    seen = flow.visible1[..., 0] > 0
    if seen.sum() < 64:
        return np.zeros(3, np.float32), 0.0
    off = sampled(image2, flow.flow12, cv2.INTER_LINEAR) - image1
    fine = off - cv2.GaussianBlur(off, (0, 0), 2)
    deviation = 1.4826 * float(np.median(np.abs(fine[seen])))
    return np.median(off[seen], axis=0), min(deviation, NOISE)


def outside_frame(flow: np.ndarray) -> np.ndarray:
    """True where a pixel's target lies beyond the frame, [h, w]."""
    h, w = flow.shape[:2]
    x, y = np.moveaxis(grid(h, w) + flow, -1, 0)
    return ~((x >= 0) & (x <= w - 1) & (y >= 0) & (y <= h - 1))
