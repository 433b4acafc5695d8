"""Bodies that bend: a smooth displacement of a layer's raster, known in closed form in both frames."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

STEEPEST = 0.4  # px of displacement per px, between two frames: far from 1, where a sheet would fold
CLOSE = 2e-4  # px; the way back is found to this


@dataclass(frozen=True)
class Bend:
    """A sum of plane waves over a raster, which grows steadily with time: 0 at time `flat`, whole one step from it.

    waves: float64 [n, 5], one row a wave: its vector (x, y) in radians per px, its phase, its amplitude (x, y) in px.
    The point of the raster that shows at a flat place q is q + (time - flat) * B(q), B the sum of the waves.
    """

    waves: np.ndarray
    flat: float

    @functools.cached_property
    def reach(self) -> float:
        """No point is displaced further than this in one step, px."""
        return float(np.hypot(self.waves[:, 3], self.waves[:, 4]).sum())

    def raster(self, places: np.ndarray, time: float) -> np.ndarray:
        """The points of the raster [n, 2] that show at flat places [n, 2] at a time, in float64."""
        phases = places @ self.waves[:, :2].T + self.waves[:, 2]
        return places + (time - self.flat) * (np.sin(phases) @ self.waves[:, 3:])

    def maps(self, place: np.ndarray, size: tuple[int, int], time: float) -> np.ndarray:
        """float32 [h, w, 2]: the point of the raster under each pixel; place: 2x3, from pixels to flat places."""
        x, y = np.arange(size[1]), np.arange(size[0])[:, None]
        moved = self._sum(self._phases(place, size)) * np.float32(time - self.flat)
        (a, b, u), (c, d, v) = place.tolist()
        moved[0] += (a * x + u).astype(np.float32) + (b * y).astype(np.float32)
        moved[1] += (c * x + v).astype(np.float32) + (d * y).astype(np.float32)
        return moved.transpose(1, 2, 0)

    def shift(self, place: np.ndarray, size: tuple[int, int], here: float, there: float) -> np.ndarray:
        """float32 [2, h, w]: from the flat place under each pixel at one time to that of the same point at another.

        The point under q has the place q + shift there, where shift = a B(q) - b B(q + shift); a and b are the two
        times' strengths. Repeated insertion is a contraction, as no displacement is steeper than `STEEPEST`.
        """
        phases = self._phases(place, size)
        before, after = here - self.flat, there - self.flat
        start = self._sum(phases) * np.float32(before)
        if after == 0:
            return start
        shift = start - np.float32(after) * self._sum(phases)
        steep = abs(after) * float((np.hypot(*self.waves[:, :2].T) * np.hypot(*self.waves[:, 3:].T)).sum())
        largest = 2 * self.reach
        rounds = math.ceil(math.log(CLOSE / max(largest, CLOSE)) / math.log(steep)) if 0 < steep < 1 else 0
        for _ in range(rounds):
            moved = [p + np.float32(wx) * shift[0] + np.float32(wy) * shift[1]
                     for p, (wx, wy) in zip(phases, self.waves[:, :2], strict=True)]  # fmt: skip
            shift = start - np.float32(after) * self._sum(moved)
        return shift

    def _phases(self, place: np.ndarray, size: tuple[int, int]) -> list[np.ndarray]:
        """float32 [h, w] for each wave: its phase at the flat place of each pixel."""
        phases = []
        for wave in self.waves:
            along = wave[:2] @ place  # phase = along . (x, y, 1)
            across = np.arange(size[1]) * along[0] + along[2] + wave[2]
            down = np.arange(size[0])[:, None] * along[1]
            phases.append(across.astype(np.float32) + down.astype(np.float32))
        return phases

    def _sum(self, phases: list[np.ndarray]) -> np.ndarray:
        total = np.zeros((2, *phases[0].shape), np.float32)
        for phase, wave in zip(phases, self.waves, strict=True):
            value = np.sin(phase)
            total[0] += np.float32(wave[3]) * value
            total[1] += np.float32(wave[4]) * value
        return total


def draw_bend(rng: np.random.Generator, size: tuple[int, int], most: float) -> Bend:
    """A random bend of a raster of a size (height, width), which displaces no point by more than `most` px.

    Two or three waves about as long as the raster; flat at time 0 or 1, so that one frame shows the raster as it is.
    """
    count = int(rng.integers(2, 4))
    angles = rng.uniform(0, 2 * np.pi, count)
    across, reach = np.abs(np.cos(angles)), np.abs(np.sin(angles))
    length = (across * size[1] + reach * size[0]) * np.exp(rng.uniform(math.log(0.7), math.log(2.5), count))
    vectors = (2 * np.pi / np.maximum(length, 24.0))[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    steep = math.exp(rng.uniform(math.log(0.08), math.log(STEEPEST))) * rng.dirichlet(np.ones(count))
    turn = rng.uniform(0, 2 * np.pi, count)  # waves along and across their direction
    amplitudes = (steep / np.hypot(*vectors.T))[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    amplitudes *= min(1.0, most / max(float(np.hypot(*amplitudes.T).sum()), 1e-9))
    phases = rng.uniform(0, 2 * np.pi, (count, 1))
    return Bend(np.concatenate([vectors, phases, amplitudes], axis=1), float(rng.integers(0, 2)))
