"""The effects of one scene. They have their own random numbers, so scenes without effects do not depend on them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tfflow.data.scenes.settings import SceneSettings

STREAM = 14  # number of the random stream; layers and light have another one
OF_CAMERA = 1  # of STREAM: that of `fixed`, so that other scenes do not depend on it


@dataclass(frozen=True)
class Effects:
    """The effects of a scene.

    rng: random numbers for the effects. still: nothing moves. fixed: the camera does not move. same: the frames are
    identical. plain: the scene has one colour. pan: px by which a fast pan of the camera moves distant points; (0, 0) =
    no pan. shutter: exposure time as a share of the step between the frames. quality: of JPEG, 0 = no JPEG. The others:
    see `SceneSettings`.
    """

    rng: np.random.Generator
    still: bool
    fixed: bool
    same: bool
    plain: bool
    drive: bool
    bending: bool
    fast: bool
    pan: tuple[float, float]
    fog: bool
    shadows: bool
    highlights: bool
    shutter: float
    quality: int
    dark: bool


def draw_effects(seed: int, index: int, settings: SceneSettings, size: tuple[int, int]) -> Effects:
    """The effects of scene `index`."""
    rng = np.random.default_rng([seed, index, STREAM])

    def happens(chance: float) -> bool:
        return bool(rng.random() < chance)

    fixed = bool(np.random.default_rng([seed, index, STREAM, OF_CAMERA]).random() < settings.fixed)
    still, same, plain = happens(settings.still), happens(0.5), happens(settings.plain)
    drive, bending, fast = happens(settings.drive), happens(settings.bending), happens(settings.fast)
    low, high = (math.log(share * size[1]) for share in settings.fast_speed)
    length, angle = math.exp(rng.uniform(low, high)), rng.normal(0, 0.3) + np.pi * rng.integers(0, 2)
    shift = (length * math.cos(angle), length * math.sin(angle))
    return Effects(
        rng=rng,
        still=still,
        fixed=fixed,
        same=still and same,
        plain=still and plain,
        drive=drive and not fixed,
        bending=bending and not drive,
        fast=fast,
        pan=shift if happens(settings.pan) and not fixed else (0.0, 0.0),
        fog=happens(settings.fog),
        shadows=happens(settings.shadows),
        highlights=happens(settings.highlights),
        shutter=rng.uniform(0.2, 0.8) * happens(settings.path_blur),
        quality=int(rng.integers(25, 91)) * happens(settings.jpeg),
        dark=happens(settings.dark),
    )
