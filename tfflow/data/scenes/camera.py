"""A simulated camera: focus, light, colour and noise."""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np

from tfflow.data.scenes.effects import Effects
from tfflow.data.scenes.settings import SceneSettings

GRAIN = 1 << 20
TIMES = (-1, 1, -3, 3)
"""Times of frames 1, 2, 0 and 3, in half steps from the middle between frames 1 and 2."""


def expose(
    rng: np.random.Generator, settings: SceneSettings, images: list[np.ndarray], effects: Effects
) -> list[np.ndarray]:
    """Frames 1 and 2, or 1, 2, 0 and 3, uint8 -> float32 in [0, 1], with the effects of a camera.

    Light differs little between frames, and changes linearly. Frame 0 has the focus of frame 1, frame 3 that of
    frame 2. Noise is independent. Frames 1 and 2 do not depend on whether 0 and 3 are given.
    effects: darkness and JPEG quality.
    """
    if rng.random() < settings.defocus:
        sigma = rng.uniform(0.4, 1.4)
        sigmas = (sigma, sigma * rng.uniform(0.9, 1.1)) * 2
        images = [cv2.GaussianBlur(image, (0, 0), s) for image, s in zip(images, sigmas, strict=False)]
    spread = np.array([settings.brightness, settings.contrast, settings.gamma, *[settings.colour] * 3])
    shared = rng.standard_normal(6) * spread
    change = rng.standard_normal(6) * spread * settings.light_change / 2
    sigma = rng.uniform(0, settings.noise) * rng.random()  # strong noise is rare
    gain = 1.0
    if effects.dark:
        gain = math.exp(-effects.rng.uniform(0.8, 2.5))
        sigma = 0.004 + gain * effects.rng.uniform(0.02, 0.15)
    frames = []
    for image, time in zip(images, TIMES, strict=False):
        lit = cv2.LUT(image, tone_curve(shared + time * change))
        if effects.dark:
            np.multiply(lit, gain, out=lit)
        if sigma > 0:
            _add_noise(lit, sigma, int(rng.integers(GRAIN)))
        np.clip(lit, 0, 1, out=lit)
        frames.append(_through_jpeg(lit, effects.quality) if effects.quality else lit)
    return frames


def _through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    levels = cv2.cvtColor((image * 255 + 0.5).astype(np.uint8), cv2.COLOR_RGB2BGR)
    coded = cv2.imencode(".jpg", levels, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    kept = cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)  # type: ignore[arg-type]
    return kept.astype(np.float32) / 255


def tone_curve(light: np.ndarray) -> np.ndarray:
    """The value of each uint8 level, float32 [1, 256, 3]. light: brightness, log contrast, log gamma, 3 log gains."""
    value = np.linspace(0, 1, 256)[:, None]
    value = value ** np.exp(light[2]) * np.exp(light[3:])
    value = (value - 0.5) * np.exp(light[1]) + 0.5 + light[0]
    return value.astype(np.float32)[None]


def smear(paint: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """Blurs a layer's paint along a line of (dx, dy) px. The outline stays sharp, because it determines visibility."""
    length = math.ceil(max(abs(dx), abs(dy)))
    if length < 2:
        return paint
    half = min(length, 31) // 2
    kernel = np.zeros((2 * half + 1,) * 2, np.float32)
    scale = half / max(abs(dx), abs(dy))
    end = np.array([dx, dy]) * scale
    start, stop = np.round((half - end) * 16).astype(int), np.round((half + end) * 16).astype(int)
    cv2.line(kernel, start.tolist(), stop.tolist(), 1.0, 1, cv2.LINE_8, shift=4)
    return cv2.filter2D(paint, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)


def _add_noise(image: np.ndarray, sigma: float, start: int) -> None:
    """Adds normal noise in place, from a fixed array: new random numbers would take longer than the scene."""
    grain = _grain()
    flat = image.reshape(-1)
    for offset in range(0, flat.size, GRAIN):
        part = flat[offset : offset + GRAIN]
        first = min(part.size, GRAIN - start)
        part[:first] += sigma * grain[start : start + first]
        part[first:] += sigma * grain[: part.size - first]


@functools.lru_cache(maxsize=1)
def _grain() -> np.ndarray:
    return np.random.default_rng(2718).standard_normal(GRAIN, dtype=np.float32)
