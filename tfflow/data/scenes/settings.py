"""The settings of moving scenes. Lengths are in px of a 192x256 frame, and are scaled to the frame's size."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from tfflow.data.scenes.fields import FIELDS
from tfflow.data.scenes.shapes import SHAPES
from tfflow.errors import InputError, unknown_name

Range = tuple[float, float]


@dataclass(frozen=True)
class SceneSettings:
    """The distributions from which every scene is drawn.

    Displacements have a Laplace distribution along each axis. Its scale is drawn from a short list, so most motion is
    small and some is very large, as in Sintel and KITTI.
    Raises InputError for a value out of its range.
    """

    # layers
    shapes: tuple[int, int] = (1, 8)  # smallest and largest number of shapes
    shape_size: Range = (0.12, 0.9)  # diameter, as a share of the frame's shorter side
    shape_kinds: tuple[tuple[str, float], ...] = (
        ("ellipse", 1.0), ("polygon", 1.5), ("star", 0.7), ("blob", 2.0), ("bar", 1.0), ("ring", 0.6), ("grille", 0.5)
    )  # fmt: skip
    antialias: bool = True  # False: every pixel has the colour of one layer

    # motion
    pace: Range = (0.25, 1.0)  # factor of all motions of a scene, log-uniform
    background_scales: tuple[float, ...] = (0.4, 1.2, 3.0, 6.0)  # px, Laplace scale of the camera's translation
    shape_scales: tuple[float, ...] = (0.4, 1.5, 3.5, 8.0)  # px, Laplace scale of a shape's own translation
    rotation: Range = (1.0, 5.0)  # degrees, Laplace scale, of the background and of a shape
    zoom: Range = (0.015, 0.04)  # Laplace scale of log(zoom), likewise
    shear: Range = (0.005, 0.02)  # Laplace scale, likewise
    parallax: float = 0.5  # probability that nearer layers follow the camera faster
    nearness: Range = (1.1, 2.5)  # inverse depth of shapes under parallax; the background's is 1
    independent: float = 0.5  # under parallax, probability that a shape also moves by itself
    max_displacement: float = 48.0  # px; motions that exceed it are weakened

    bending: float = 0.0  # probability that most layers bend
    drive: float = 0.0  # probability of planes before a camera that moves through depth, instead of flat layers
    fast: float = 0.0  # probability of small fast objects
    pan: float = 0.0  # probability that the camera pans fast
    fixed: float = 0.0  # probability that the camera does not move; objects do, and are small
    fast_speed: Range = (
        0.06,
        0.35,
    )  # length of these motions and of pans, as a share of the frame's width; max_displacement does not apply
    still: float = 0.0  # probability that nothing moves; half of these have identical frames
    plain: float = 0.2  # probability that a still scene has one colour, black in two of five

    # textures
    texture_kinds: tuple[tuple[str, float], ...] = (
        ("noise", 3.0), ("leaves", 3.0), ("cells", 1.5), ("stripes", 1.0), ("checker", 0.8), ("text", 0.7),
        ("gradient", 0.5),
    )  # fmt: skip
    detail: float = 0.45  # largest share of fine grain in a pattern
    mixed: float = 0.5  # probability that a layer blends or switches between two textures
    faint: float = 0.15  # probability of a layer with little contrast
    shading: float = 0.4  # probability of a smooth change of brightness across a layer
    photos: float = 0.7  # probability that a texture is from a photograph, if there is a folder of them

    # light and air
    fog: float = 0.0  # probability of fog
    shadows: float = 0.0  # probability of shadows on the layers behind
    highlights: float = 0.0  # probability of bright spots that do not move with their surface

    # camera
    motion_blur: float = 0.15  # probability that the paint of moving layers is blurred along their motion
    path_blur: float = 0.0  # probability of a long exposure, which also blurs outlines
    defocus: float = 0.2  # probability that both frames are a little out of focus
    noise: float = 0.03  # largest standard deviation of the sensor's noise (images span 0..1)
    brightness: float = 0.1  # standard deviation of an offset of both frames
    contrast: float = 0.15  # of log(contrast) of both frames
    gamma: float = 0.15  # of log(gamma) of both frames
    colour: float = 0.05  # of log(gain) of each colour channel of both frames
    light_change: float = 0.15  # factor of the same changes between the two frames
    dark: float = 0.0  # probability of little light and strong noise
    jpeg: float = 0.0  # probability of JPEG compression, quality 25 to 90

    def __post_init__(self) -> None:
        probabilities = (
            "parallax", "independent", "bending", "drive", "fast", "pan", "fixed", "still", "plain", "mixed", "faint",
            "shading", "photos", "fog", "shadows", "highlights", "motion_blur", "path_blur", "defocus", "dark", "jpeg",
        )  # fmt: skip
        for name in probabilities:
            self._check(name, 0 <= getattr(self, name) <= 1, "a probability from 0 to 1")
        for name in ("detail", "noise", "brightness", "contrast", "gamma", "colour", "light_change"):
            self._check(name, 0 <= getattr(self, name) <= 1, "a number from 0 to 1")
        for name in ("rotation", "zoom", "shear"):
            self._check(name, _pair(getattr(self, name)) and min(getattr(self, name)) >= 0, "two numbers >= 0")
        for name in ("background_scales", "shape_scales"):
            value = getattr(self, name)
            self._check(name, len(value) > 0 and _finite(value) and min(value) >= 0, "one or more numbers >= 0")
        few, many = self.shapes if len(self.shapes) == 2 else (-1, -1)
        self._check("shapes", 0 <= few <= many <= MOST_SHAPES, f"fewest and most shapes, 0 to {MOST_SHAPES}")
        self._check("shape_size", _ordered(self.shape_size) and self.shape_size[0] > 0 and self.shape_size[1] <= 2,
                    "smallest and largest share of the frame's shorter side, above 0 and up to 2")  # fmt: skip
        self._check("pace", _ordered(self.pace) and self.pace[0] > 0, "two growing numbers > 0")
        self._check("nearness", _ordered(self.nearness) and self.nearness[0] >= 1, "two growing numbers >= 1")
        self._check("fast_speed", _ordered(self.fast_speed) and self.fast_speed[0] > 0 and self.fast_speed[1] <= 1,
                    "slowest and fastest share of the frame's width, above 0 and up to 1")  # fmt: skip
        self._check("max_displacement", 0 <= self.max_displacement <= 1000, "px from 0 to 1000")
        self._check_mix("texture_kinds", "texture", FIELDS)
        self._check_mix("shape_kinds", "shape", SHAPES)

    def _check(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise InputError(f"scene setting `{name}` must be {expected}, got {getattr(self, name)!r}")

    def _check_mix(self, name: str, kind: str, known: Any) -> None:
        mix = getattr(self, name)
        for key, _ in mix:
            if key not in known:
                raise unknown_name(kind, key, known)
        weights = [weight for _, weight in mix]
        holds = bool(weights) and _finite(weights) and min(weights) >= 0 and sum(weights) > 0
        self._check(name, holds, "pairs of a kind and its weight >= 0, not all 0")


MOST_SHAPES = 32


def changed(settings: SceneSettings) -> dict[str, Any]:
    """The fields that differ from the defaults, by name, for a source's name and a settings file."""
    default = SceneSettings()
    pairs = ((f.name, getattr(settings, f.name)) for f in dataclasses.fields(settings))
    return {name: value for name, value in pairs if value != getattr(default, name)}


def _finite(values: Any) -> bool:
    return all(math.isfinite(v) for v in values)


def _pair(values: Any) -> bool:
    return len(values) == 2 and _finite(values)


def _ordered(values: Any) -> bool:
    return _pair(values) and values[0] <= values[1]
