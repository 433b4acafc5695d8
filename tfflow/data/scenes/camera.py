"""From painted frames to photographs: focus, light, colour and noise of two exposures of one scene."""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np

from tfflow.data.scenes.plot import Plot
from tfflow.data.scenes.settings import SceneSettings

GRAIN = 1 << 20
TIMES = (-1, 1, -3, 3)
"""Of the frames 1, 2, 0 and 3, in half steps from the middle of the first two."""


def expose(rng: np.random.Generator, settings: SceneSettings, images: list[np.ndarray], plot: Plot) -> list[np.ndarray]:
    """Frames 1 and 2, or 1, 2, 0 and 3, uint8 -> float32 in [0, 1], as one camera sees them shortly after each other.

    Light is mostly the same for all and changes a little, and steadily; frame 0 is as sharp as frame 1, frame 3 as
    frame 2; noise is each frame's own. The first two are the same with the others as without.
    plot: whether it is dark, and how well JPEG keeps the frames.
    """
    if rng.random() < settings.defocus:
        sigma = rng.uniform(0.4, 1.4)
        sigmas = (sigma, sigma * rng.uniform(0.9, 1.1)) * 2
        images = [cv2.GaussianBlur(image, (0, 0), s) for image, s in zip(images, sigmas, strict=False)]
    spread = np.array([settings.brightness, settings.contrast, settings.gamma, *[settings.colour] * 3])
    shared = rng.standard_normal(6) * spread
    change = rng.standard_normal(6) * spread * settings.light_change / 2
    sigma = rng.uniform(0, settings.noise) * rng.random()  # mostly clean, seldom grainy
    gain = 1.0
    if plot.dark:
        gain = math.exp(-plot.rng.uniform(0.8, 2.5))
        sigma = 0.004 + gain * plot.rng.uniform(0.02, 0.15)
    frames = []
    for image, time in zip(images, TIMES, strict=False):
        lit = cv2.LUT(image, tone_curve(shared + time * change))
        if plot.dark:
            np.multiply(lit, gain, out=lit)
        if sigma > 0:
            _add_noise(lit, sigma, int(rng.integers(GRAIN)))
        np.clip(lit, 0, 1, out=lit)
        frames.append(_through_jpeg(lit, plot.quality) if plot.quality else lit)
    return frames


def _through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    levels = cv2.cvtColor((image * 255 + 0.5).astype(np.uint8), cv2.COLOR_RGB2BGR)
    coded = cv2.imencode(".jpg", levels, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    kept = cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)  # type: ignore[arg-type]
    return kept.astype(np.float32) / 255


def tone_curve(light: np.ndarray) -> np.ndarray:
    """float32 [1, 256, 3]: what each uint8 value becomes under (brightness, log contrast, log gamma, 3 log gains)."""
    value = np.linspace(0, 1, 256)[:, None]
    value = value ** np.exp(light[2]) * np.exp(light[3:])
    value = (value - 0.5) * np.exp(light[1]) + 0.5 + light[0]
    return value.astype(np.float32)[None]


def smear(paint: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """A layer's paint blurred along a line of (dx, dy) px. Its outline stays sharp: it decides what a pixel shows."""
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
    """Adds normal noise in place, read from a fixed roll of grain: drawing it anew would cost more than the scene."""
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
