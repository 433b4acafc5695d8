"""Bending layers: a smooth displacement of a layer's raster, in closed form in both frames."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from tfflow.data.scenes.motion import compose

STEEPEST = 0.4  # px of displacement per px between two frames; at 1 a layer would fold
CLOSE = 4e-4  # px; accuracy of the inverse
COARSE = 4  # px; grid of its initial value


@dataclass(frozen=True)
class Bend:
    """A displacement of a raster by a sum of plane waves B. Its strength is time - flat.

    waves: float64 [n, 5], a row for each wave: wave vector (x, y) in radians per px, phase, amplitude (x, y) in px.
    flat: the time without displacement. At flat position q, the point q + (time - flat) * B(q) of the raster is shown.
    """

    waves: np.ndarray
    flat: float

    @functools.cached_property
    def reach(self) -> float:
        """Largest displacement in one step, px."""
        return float(np.hypot(self.waves[:, 3], self.waves[:, 4]).sum())

    def raster(self, places: np.ndarray, time: float) -> np.ndarray:
        """The points of the raster [n, 2], float64, that are shown at flat positions [n, 2] at a time."""
        phases = places @ self.waves[:, :2].T + self.waves[:, 2]
        return places + (time - self.flat) * (np.sin(phases) @ self.waves[:, 3:])

    def maps(self, place: np.ndarray, size: tuple[int, int], time: float) -> np.ndarray:
        """The point of the raster at each pixel, float32 [h, w, 2]. place: 2x3, from pixels to flat positions."""
        x, y = np.arange(size[1]), np.arange(size[0])[:, None]
        (a, b, u), (c, d, v) = place.tolist()
        moved = np.empty((*size, 2), np.float32)
        np.add((a * x + u).astype(np.float32), (b * y).astype(np.float32), out=moved[..., 0])
        np.add((c * x + v).astype(np.float32), (d * y).astype(np.float32), out=moved[..., 1])
        if time != self.flat:
            bent = self._sum(self._phases(place, size), time)
            moved[..., 0] += bent[0]
            moved[..., 1] += bent[1]
        return moved

    def shift(self, place: np.ndarray, size: tuple[int, int], here: float, there: float) -> np.ndarray:
        """The shift of each pixel's flat position from time `here` to time `there`, float32 [2, h, w].

        The point at q moves to q + shift, where shift = a B(q) - b B(q + shift), and a and b are the strengths at the
        two times. The fixed-point iteration converges, because no displacement is steeper than `STEEPEST`. Its initial
        value is computed on a grid of every fourth pixel.
        """
        phases = self._phases(place, size)
        start = self._sum(phases, here)
        if there == self.flat:
            return start
        lengths = np.hypot(*self.waves[:, :2].T)
        steepness = lengths * np.hypot(*self.waves[:, 3:].T) * abs(there - self.flat)
        if min(size) < 4 * COARSE:
            shift = start - self._sum(phases, there)
            return self._settle(shift, start, phases, there, _rounds(2 * self.reach, steepness.sum()))
        edge = 1.5 * COARSE + 0.5  # the grid begins 1.5 cells outside, so that nothing is extrapolated
        cells = compose(place, np.array([[COARSE, 0, -edge], [0, COARSE, -edge]]))
        few = (size[0] // COARSE + 4, size[1] // COARSE + 4)
        sparse = self._phases(cells, few)
        first = self._sum(sparse, here)
        guess = self._settle(first, first, sparse, there, _rounds(2 * self.reach, steepness.sum()))
        shape = (few[1] * COARSE, few[0] * COARSE)
        fine = [cv2.resize(part, shape, interpolation=cv2.INTER_LINEAR) for part in guess]
        cut = slice(2 * COARSE, 2 * COARSE + size[0]), slice(2 * COARSE, 2 * COARSE + size[1])
        bound = COARSE**2 / 4 * float((steepness * lengths).sum())  # of the interpolation error of the initial value
        return self._settle(
            np.stack([part[cut] for part in fine]), start, phases, there, _rounds(bound, steepness.sum())
        )

    def _settle(
        self, shift: np.ndarray, start: np.ndarray, phases: list[np.ndarray], there: float, rounds: int
    ) -> np.ndarray:
        """`rounds` iterations of shift = start - b B(q + shift)."""
        for _ in range(rounds):
            moved = []
            for phase, (wx, wy) in zip(phases, self.waves[:, :2].astype(np.float32), strict=True):
                there_phase = wx * shift[0]
                there_phase += wy * shift[1]
                there_phase += phase
                moved.append(there_phase)
            shift = self._sum(moved, there)
            np.subtract(start, shift, out=shift)
        return shift

    def _phases(self, place: np.ndarray, size: tuple[int, int]) -> list[np.ndarray]:
        """The phase of each wave at the flat position of each pixel, float32 [h, w]."""
        phases = []
        for wave in self.waves:
            along = wave[:2] @ place  # phase = along . (x, y, 1)
            across = np.arange(size[1]) * along[0] + along[2] + wave[2]
            down = np.arange(size[0])[:, None] * along[1]
            phases.append(across.astype(np.float32) + down.astype(np.float32))
        return phases

    def _sum(self, phases: list[np.ndarray], time: float) -> np.ndarray:
        """The displacement at a time for these phases of the waves, float32 [2, h, w]."""
        total = np.zeros((2, *phases[0].shape), np.float32)
        if time != self.flat:
            for phase, (u, v) in zip(phases, self.waves[:, 3:] * (time - self.flat), strict=True):
                value = np.sin(phase)
                total[0] += np.float32(u) * value
                value *= np.float32(v)
                total[1] += value
        return total


def _rounds(error: float, steep: float) -> int:
    """Number of iterations that reduce `error`, px, to CLOSE. Each multiplies it by `steep`."""
    return max(0, math.ceil(math.log(CLOSE / max(error, CLOSE)) / math.log(max(steep, 1e-3))))


def draw_bend(rng: np.random.Generator, size: tuple[int, int], most: float) -> Bend:
    """A random bend of a raster of `size` (height, width) with displacements of at most `most` px.

    It has two or three waves about as long as the raster. It is flat at time 0 or 1, so one frame shows none.
    """
    count = int(rng.integers(2, 4))
    angles = rng.uniform(0, 2 * np.pi, count)
    across, reach = np.abs(np.cos(angles)), np.abs(np.sin(angles))
    length = (across * size[1] + reach * size[0]) * np.exp(rng.uniform(math.log(0.7), math.log(2.5), count))
    vectors = (2 * np.pi / np.maximum(length, 24.0))[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    steep = math.exp(rng.uniform(math.log(0.08), math.log(STEEPEST))) * rng.dirichlet(np.ones(count))
    turn = rng.uniform(0, 2 * np.pi, count)  # longitudinal and transverse waves
    amplitudes = (steep / np.hypot(*vectors.T))[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    amplitudes *= min(1.0, most / max(float(np.hypot(*amplitudes.T).sum()), 1e-9))
    phases = rng.uniform(0, 2 * np.pi, (count, 1))
    return Bend(np.concatenate([vectors, phases, amplitudes], axis=1), float(rng.integers(0, 2)))
