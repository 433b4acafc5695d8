"""Masks of shapes: coverage of each pixel of a layer's raster, 0..255."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Outlines = list[np.ndarray]  # closed curves [n, 2] in a unit disc; a curve inside another cuts a hole


def ellipse(rng: np.random.Generator) -> Outlines:
    return [_round(40) * (1, rng.uniform(0.3, 1))]


def polygon(rng: np.random.Generator) -> Outlines:
    """Three to eight corners at random angles."""
    corners = int(rng.integers(3, 9))
    angles = (np.arange(corners) + rng.uniform(-0.4, 0.4, corners)) * (2 * np.pi / corners)
    return [_polar(angles, rng.uniform(0.6, 1, corners)) * (1, rng.uniform(0.5, 1))]


def star(rng: np.random.Generator) -> Outlines:
    points = int(rng.integers(4, 10))
    reach = np.where(np.arange(2 * points) % 2, rng.uniform(0.3, 0.7), 1.0)
    return [_polar(np.arange(2 * points) * (np.pi / points), reach)]


def blob(rng: np.random.Generator) -> Outlines:
    """A smooth closed curve, whose radius has a few Fourier terms, sometimes with holes."""
    angles = np.arange(72) * (2 * np.pi / 72)
    orders = np.arange(1, 7)
    waves = np.sin(angles[:, None] * orders + rng.uniform(0, 2 * np.pi, 6))
    reach = 1 + waves @ (rng.normal(0, 0.45, 6) / orders)
    reach = np.maximum(reach, 0.15)
    outlines = [_polar(angles, reach / reach.max())]
    for _ in range(int(rng.choice([0, 0, 1, 2, 3]))):
        outlines.append(_round(24) * rng.uniform(0.05, 0.16) + rng.uniform(-0.35, 0.35, 2))
    return outlines


def bar(rng: np.random.Generator) -> Outlines:
    """A thin bar, straight or bent, such as a pole or a branch."""
    along = np.linspace(-1, 1, 16)
    bend = rng.normal(0, 0.25) * (along**2 - 0.5)
    half = rng.uniform(0.02, 0.14) * np.linspace(1, rng.uniform(0.4, 1), 16)
    upper, lower = np.stack([along, bend - half], 1), np.stack([along, bend + half], 1)
    return [np.concatenate([upper, lower[::-1]]) * 0.9]


def ring(rng: np.random.Generator) -> Outlines:
    """A frame or ring. The layers behind are visible through it."""
    outer = _round(40) if rng.random() < 0.5 else _polar((np.arange(4) + 0.5) * (np.pi / 2), np.ones(4))
    flat = (1, rng.uniform(0.5, 1))
    return [outer * flat, outer * flat * rng.uniform(0.55, 0.85)]


def grille(rng: np.random.Generator) -> Outlines:
    """Parallel bars with gaps, such as a fence."""
    count = int(rng.integers(3, 7))
    edges = np.linspace(-0.7, 0.7, 2 * count)
    reach = rng.uniform(0.4, 0.7, count)
    return [
        np.array([[a, -r], [b, -r], [b, r], [a, r]]) for a, b, r in zip(edges[::2], edges[1::2], reach, strict=True)
    ]


SHAPES: dict[str, Callable[[np.random.Generator], Outlines]] = {
    "ellipse": ellipse, "polygon": polygon, "star": star, "blob": blob, "bar": bar, "ring": ring, "grille": grille,
}  # fmt: skip
MARGIN = 3  # px around a shape, so that its soft edge ends inside the raster


def draw_mask(rng: np.random.Generator, kind: str, diameter: float) -> np.ndarray:
    """A mask of a kind of shape, at a random rotation, uint8 [h, w]. The shape is in the middle of the raster.

    diameter: of the disc around the shape, px of the raster. Edges are soft: inside is at least 128.
    """
    turn = rng.uniform(0, 2 * np.pi)
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    outlines = [outline @ turned * (diameter / 2) for outline in SHAPES[kind](rng)]
    points = np.concatenate(outlines)
    low, high = np.floor(points.min(axis=0)) - MARGIN, np.ceil(points.max(axis=0)) + MARGIN
    width, height = (int(v) + 1 for v in high - low)
    mask = np.zeros((height, width), np.uint8)
    fixed = [np.round((outline - low) * 16).astype(np.int32) for outline in outlines]
    cv2.fillPoly(mask, fixed, 255, cv2.LINE_AA, shift=4)
    return mask


def _polar(angles: np.ndarray, reach: np.ndarray) -> np.ndarray:
    return np.stack([reach * np.cos(angles), reach * np.sin(angles)], axis=1)


def _round(corners: int) -> np.ndarray:
    return _polar(np.arange(corners) * (2 * np.pi / corners), np.ones(corners))
