"""What happens in one scene: drawn apart from the rest, so that scenes without any of it stay what they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tfflow.data.scenes.settings import SceneSettings

STREAM = 14  # of random numbers: another one than that of layers and light


@dataclass(frozen=True)
class Plot:
    """rng: for all that the fields below bring with them. still: nothing moves. same: nor does the picture change.

    drive: planes before a camera that moves through space, instead of sheets. bending, fast: see the settings.
    pan: px that a fast pan of the camera moves what is far away, (0, 0) for none.
    """

    rng: np.random.Generator
    still: bool
    same: bool
    drive: bool
    bending: bool
    fast: bool
    pan: tuple[float, float]


def draw_plot(seed: int, index: int, settings: SceneSettings, size: tuple[int, int]) -> Plot:
    """The plot of scene `index`."""
    rng = np.random.default_rng([seed, index, STREAM])
    chances = (settings.still, settings.drive, settings.bending, settings.fast, settings.pan, 0.5)
    still, drive, bending, fast, pan, same = (rng.random(6) < chances).tolist()
    low, high = (math.log(share * size[1]) for share in settings.fast_speed)
    length, angle = math.exp(rng.uniform(low, high)), rng.normal(0, 0.3) + np.pi * rng.integers(0, 2)
    shift = (length * math.cos(angle), length * math.sin(angle))
    return Plot(rng, still, still and same, drive, bending and not drive, fast, shift if pan else (0.0, 0.0))
