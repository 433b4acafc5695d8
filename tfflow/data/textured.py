"""Built-in scenes that look like a person's video: with its frames as textures, its noise, and cameras like its own.

Their flow is exact and owes nothing to any network's flow of the video.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tfflow.data.images import write_image
from tfflow.data.noise import grain, without_noise
from tfflow.data.records import Source
from tfflow.data.scenes import Scenes, SceneSettings, preset
from tfflow.files import write_json
from tfflow.limits import parse_json

FRAMES = 64  # most frames that serve as textures
SPREAD = 4.0  # a scene's noise is at most its setting, a quarter of it on average (`data.scenes.camera`)
BRIGHTNESS = 0.03  # instead of the preset's: the frames have their own
STANDS = 0.25  # px; a camera is fixed where half of the pixels move less
FIXED = 0.75  # most scenes with a fixed camera, so that the network keeps what it knows of others
MEASURED = "video.json"
OWN = "own"
"""In a run's folder: the frames that texture its scenes, a folder for each use."""
TEXTURES = f"{OWN}/frames"
"""Those of the scenes that it trains on."""


@dataclass(frozen=True)
class Texturing:
    """How scenes are textured with frames. preset: of the scenes' other settings. photos: the share of their layers
    that are cut from the frames; the others have built-in patterns."""

    preset: str = "mixed"
    photos: float = 0.8


def textured_scenes(pairs: Source, texturing: Texturing, size: tuple[int, int], seed: int, folder: Path) -> Scenes:
    """Scenes of a size, textured with frames of `pairs`, with their noise, and with pans and a fixed camera as often as
    they have.

    folder: gets the frames, without their noise, and what was measured of them; found there, it is not made again.
    """
    video = _kept(folder)
    if video is None:
        write_json(folder / MEASURED, video := _measured(pairs, folder))
    settings = dataclasses.replace(
        preset(texturing.preset),
        photos=texturing.photos,
        noise=min(SPREAD * video["noise"], 1.0),
        pan=max(preset(texturing.preset).pan, video["pans"]),
        fixed=FIXED * video["fixed"],
        brightness=BRIGHTNESS,
        dark=0.0,
    )
    return Scenes(size, seed=seed, settings=settings, textures=folder)


def _kept(folder: Path) -> dict[str, float] | None:
    """What an earlier call measured; None where there is none, or none that can be read."""
    try:
        kept = parse_json((folder / MEASURED).read_bytes())
        return {name: float(np.clip(kept[name], 0, 1)) for name in ("noise", "pans", "fixed")}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _measured(pairs: Source, folder: Path) -> dict[str, float]:
    """Keeps up to `FRAMES` frames of the pairs in the folder.

    Returns their mean noise, and the shares of pairs whose camera pans or is fixed.
    """
    count = min(FRAMES, len(pairs))
    noises, pans, stands = [], [], []
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        sample = pairs.sample(k * len(pairs) // count)
        image1, image2 = sample["image1"], sample["image2"]
        noises.append(grain(image1))
        speed, slowest_pan = _speed(image1, image2), SceneSettings().fast_speed[0] * image1.shape[1]
        pans.append(speed > slowest_pan)
        stands.append(speed < STANDS)
        smooth = without_noise(image1, noises[-1])
        write_image(folder / f"{k:03d}.png", smooth)
    return {"noise": float(np.mean(noises)), "pans": float(np.mean(pans)), "fixed": float(np.mean(stands))}


def _speed(image1: np.ndarray, image2: np.ndarray) -> float:
    """The length of motion that half of a pair's pixels exceed, px; not a number where the frames are too small."""
    greys = [cv2.cvtColor(np.rint(image * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY) for image in (image1, image2)]
    if min(greys[0].shape) < 16:  # DIS takes no less
        return float("nan")
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(greys[0], greys[1], None)  # type: ignore[call-overload]
    return float(np.median(np.hypot(flow[..., 0], flow[..., 1])))
