"""Grey patterns for textures: noise, dead leaves, cells, stripes, checkers, text, gradients.

Each is uint8 [512, 512] over about the whole range. Details are at least about 3 px large, so that sub-pixel motion
changes a pattern smoothly. Most patterns are periodic.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np

TILE = 512
Field = np.ndarray


def noise(rng: np.random.Generator) -> Field:
    """Fractal noise, sometimes with ridges or contour lines, or stretched along one axis."""
    first, last = int(rng.integers(1, 5)), int(rng.integers(6, 8))
    stretch = int(rng.choice([0, 0, 0, 1, 2]))
    roughness = rng.uniform(0.5, 0.95)
    value = _octaves(rng, first, last, roughness, stretch)
    style = rng.integers(0, 5)
    if style == 0:
        value = np.abs(value)  # ridges, like veins
    elif style == 1:
        value = np.sin(value * rng.uniform(2, 6))  # contour lines, like wood
    return _levels(value)


def grain(rng: np.random.Generator) -> Field:
    """Fine detail of 3 to 16 px, as of rough surfaces. It is mixed into the other patterns."""
    return _levels(_octaves(rng, int(rng.integers(5, 7)), 7, rng.uniform(0.7, 1.2), int(rng.choice([0, 0, 1]))))


def gradient(rng: np.random.Generator) -> Field:
    """Slow changes of brightness, as of sky and walls."""
    return _levels(_octaves(rng, 0, 2, 0.5, 0) + 0.04 * _octaves(rng, 5, 7, 0.9, 0))


def stripes(rng: np.random.Generator) -> Field:
    """Parallel stripes, straight or wavy, with a regular or random profile."""
    turns = int(rng.integers(4, 45) if rng.random() < 0.7 else rng.integers(34, 95))
    phase = _wave(rng, turns) + rng.uniform(0, 1.5) * _octaves(rng, 1, 3, 0.6, 0)
    if rng.random() < 0.5:
        value = np.tanh(np.sin(phase) * rng.uniform(0.5, 4))
    else:  # a random profile: bar code, fabric
        profile = rng.standard_normal(257)
        length = phase / (2 * np.pi) * (TILE / turns)  # px across the stripes
        value = np.interp(length / rng.uniform(3, 12) % 256, np.arange(257), profile)
    return _levels(value + rng.uniform(0.05, 0.5) * _octaves(rng, 4, 7, 0.8, 0))


def checker(rng: np.random.Generator) -> Field:
    """Checks, bricks, dots or tiles. Each tile has its own grey and some noise."""
    cells = int(rng.choice([8, 12, 16, 24, 32, 48]))
    y, x = np.mgrid[0:TILE, 0:TILE] * (cells / TILE)
    bend = rng.uniform(0, 0.4)
    x, y = x + bend * _octaves(rng, 1, 3, 0.5, 0), y + bend * _octaves(rng, 1, 3, 0.5, 0)
    style = rng.integers(0, 4)
    if style == 0:
        value = np.tanh(4 * np.sin(np.pi * x) * np.sin(np.pi * y))
    elif style == 1:
        value = np.tanh(3 * (np.hypot(x % 1 - 0.5, y % 1 - 0.5) - rng.uniform(0.2, 0.4)) * 512 / cells / 4)
    else:  # bricks or tiles
        x = x + 0.5 * (np.floor(y) % 2) if style == 2 else x
        greys = rng.standard_normal((cells, cells)) * rng.uniform(0.2, 1)
        value = greys[np.floor(y).astype(int) % cells, np.floor(x).astype(int) % cells]
        joint = np.minimum(np.minimum(x % 1, 1 - x % 1), np.minimum(y % 1, 1 - y % 1))
        value = np.where(joint < rng.uniform(0.03, 0.12), rng.choice([-2.0, 2.0]), value)
    return _soft(_levels(value + rng.uniform(0.1, 0.5) * _octaves(rng, 3, 7, 0.8, 0)), 0.8)


def cells(rng: np.random.Generator) -> Field:
    """Voronoi cells: stones, scales, cracks."""
    count, margin = int(np.exp(rng.uniform(np.log(30), np.log(1500)))), TILE // 4
    greys, points = rng.standard_normal(count), rng.integers(0, TILE, (count, 2))
    shifts = np.array([(TILE * i, TILE * j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    points = (points + shifts[:, None]).reshape(-1, 2) + margin
    near = ((points >= 0) & (points < TILE + 2 * margin)).all(axis=1)
    points, greys = points[near], np.tile(greys, 9)[near]
    source = np.full((TILE + 2 * margin,) * 2, 255, np.uint8)
    source[points[:, 1], points[:, 0]] = 0
    distance, labels = cv2.distanceTransformWithLabels(source, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    inside = slice(margin, margin + TILE)
    grey_of = np.zeros(int(labels.max()) + 1)
    grey_of[labels[points[:, 1], points[:, 0]]] = greys
    value = grey_of[labels[inside, inside]]
    value = value * rng.uniform(0, 1) - rng.uniform(-1.5, 1.5) * distance[inside, inside] / np.sqrt(TILE**2 / count)
    return _soft(_levels(value + rng.uniform(0.05, 0.4) * _octaves(rng, 3, 7, 0.8, 0)), 0.8)


def leaves(rng: np.random.Generator) -> Field:
    """Dead leaves: overlapping shapes of all sizes, which have the edge statistics of photographs."""
    value = _octaves(rng, 1, 6, 0.6, 0).astype(np.float32)
    value = 128 + 40 * value / value.std()
    smallest, power = rng.uniform(4, 12), rng.uniform(1.6, 2.6)
    count = int(min(rng.uniform(0.7, 2.0) * TILE**2 / (3 * smallest**2), 1500))
    radius = np.minimum(smallest * rng.random(count) ** (-1 / power), 100.0)
    greys = np.clip(128 + 60 * rng.standard_normal(count), 0, 255).tolist()
    centres = rng.uniform(0, TILE, (count, 2))
    outlines = np.round((_leaf_outlines(rng, radius) + centres[:, None]) * 16).astype(np.int32)
    for outline, grey, reach, centre in zip(outlines, greys, radius.tolist(), centres.tolist(), strict=True):
        across, down = ([s for s in (-TILE, 0, TILE) if -reach < c + s < TILE + reach] for c in centre)
        for dx in across:  # repeated at the opposite border
            for dy in down:
                cv2.fillPoly(value, [outline + np.array((dx * 16, dy * 16), np.int32)], grey, cv2.LINE_8, shift=4)
    return _soft(np.clip(value + 8 * _octaves(rng, 4, 7, 0.9, 0), 0, 255).astype(np.uint8), 0.7)


def text(rng: np.random.Generator) -> Field:
    """Lines of random characters, with thin strokes."""
    ink = np.zeros((TILE, TILE), np.uint8)
    y = 0.0
    while y < TILE + 20:
        size = float(np.exp(rng.uniform(np.log(0.4), np.log(1.8))))
        y += 26 * size * rng.uniform(0.9, 1.8)
        letters = "".join(chr(c) for c in rng.choice(np.r_[33:127, [32] * 14], 70))
        where, strength = (int(rng.integers(-40, 10)), int(y)), int(rng.integers(120, 256))
        thick = max(1, round(1.6 * size))
        cv2.putText(ink, letters, where, int(rng.integers(0, 8)), size, strength, thick, cv2.LINE_AA)
    paper = 190 + 15 * _octaves(rng, 2, 6, 0.7, 0) - ink * 0.75
    value = np.clip(paper, 0, 255).astype(np.uint8)
    return _soft(255 - value if rng.random() < 0.3 else value, 0.6)


FIELDS: dict[str, Callable[[np.random.Generator], Field]] = {
    "noise": noise, "leaves": leaves, "cells": cells, "stripes": stripes, "checker": checker, "text": text,
    "gradient": gradient, "grain": grain,
}  # fmt: skip
VARIANTS = 24  # number of patterns of each kind and seed


@functools.lru_cache(maxsize=len(FIELDS) * VARIANTS * 2)
def field(kind: str, variant: int, seed: int) -> Field:
    """One pattern, which depends on the arguments alone. It is cached (256 KiB) and read-only."""
    rng = np.random.default_rng([seed, sorted(FIELDS).index(kind), variant, 71])
    value = FIELDS[kind](rng)
    value.setflags(write=False)
    return value


def _octaves(rng: np.random.Generator, first: int, last: int, roughness: float, stretch: int) -> np.ndarray:
    """Sum of smooth noise with 2**first to 2**last cells a side. Each octave has `roughness` times the amplitude."""
    total = np.zeros((1, 1), np.float32)
    for octave in range(first, last + 1):
        shape = (2 ** max(octave - stretch, 0), 2**octave)
        fresh = rng.standard_normal(shape, dtype=np.float32)
        total = _enlarge(total, shape) + roughness ** (octave - first) * fresh
    total = _enlarge(total, (TILE, TILE))
    total /= max(float(total.std()), 1e-6)
    return np.ascontiguousarray(total.T) if rng.random() < 0.5 else total


def _enlarge(grid: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Cubic enlargement of a periodic pattern by whole factors. Large factors are split, which is faster."""
    while grid.shape != shape:
        factors = [min(want // have, 4) for want, have in zip(shape, grid.shape, strict=True)]
        padded = np.pad(grid, 2, mode="wrap")
        high, wide = (side * factor for side, factor in zip(padded.shape, factors, strict=True))
        fine = cv2.resize(padded, (wide, high), interpolation=cv2.INTER_CUBIC)
        grid = fine[2 * factors[0] : high - 2 * factors[0], 2 * factors[1] : wide - 2 * factors[1]]
    return grid


def _wave(rng: np.random.Generator, frequency: int) -> np.ndarray:
    """The phase of a plane wave with a whole number of periods along each axis."""
    angle = rng.uniform(0, 2 * np.pi)
    turns = np.round(frequency * np.array([np.cos(angle), np.sin(angle)]))
    line = np.arange(TILE) * (2 * np.pi / TILE)
    return turns[0] * line[None, :] + turns[1] * line[:, None]


def _leaf_outlines(rng: np.random.Generator, radius: np.ndarray) -> np.ndarray:
    """Ellipses and polygons of three to seven corners around the origin, [n, 24, 2] (corners are repeated)."""
    count = len(radius)
    corners = np.where(rng.random(count) < 0.5, 24, rng.integers(3, 8, count))[:, None]
    corner = np.arange(24) * corners // 24
    angle = corner * (2 * np.pi / corners) + rng.uniform(0, 2 * np.pi, (count, 1))
    reach = np.take_along_axis(rng.uniform(0.5, 1, (count, 24)), corner, axis=1)
    reach = np.where(corners == 24, 1.0, reach) * radius[:, None]
    turn, flat = rng.uniform(0, np.pi, (count, 1)), rng.uniform(0.25, 1, (count, 1))
    x, y = reach * np.cos(angle), flat * reach * np.sin(angle)
    return np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=-1)


def _levels(value: np.ndarray) -> Field:
    """Stretches values to 0..255 and clips the extreme percentiles."""
    low, high = np.percentile(value[::4, ::4], (1, 99))
    return np.clip((value - low) * (255 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)


def _soft(value: Field, sigma: float) -> Field:
    return cv2.GaussianBlur(value, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
