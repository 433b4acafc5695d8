"""Coloured textures of layers: patterns with random palettes, mixed and shaded, or parts of photographs."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import cv2
import numpy as np

from tfflow.data.scenes.fields import TILE, VARIANTS, field
from tfflow.data.scenes.settings import SceneSettings
from tfflow.errors import InputError

PHOTO_SUFFIXES = (".png", ".jpg", ".jpeg", ".ppm", ".webp", ".bmp", ".tif", ".tiff")
PHOTO_SIDE = 1024  # longer photographs are shrunk to this when read
PHOTOS_KEPT = 256  # in memory, at most 3 MB each


def pick(rng: np.random.Generator, mix: tuple[tuple[str, float], ...]) -> str:
    """A name, drawn in proportion to its weight."""
    at = rng.random() * sum(weight for _, weight in mix)
    for name, weight in mix:
        at -= weight
        if at < 0:
            return name
    return mix[-1][0]


class Textures:
    """Draws textures of any size. The patterns depend on `seed`; each texture depends on the generator that it gets.

    folder: photographs for textures, found recursively; None = patterns only.
    Raises InputError if the folder is missing or holds no photograph, or a photograph cannot be read.
    """

    def __init__(self, settings: SceneSettings, seed: int, folder: str | Path | None = None) -> None:
        self.settings, self.seed = settings, seed
        self.photos = find_photos(folder) if folder is not None else []

    def draw(self, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        """One texture, uint8 RGB [h, w, 3]."""
        if self.photos and rng.random() < self.settings.photos:
            return self._photo(rng, size)
        image = self._pattern(rng, size)
        if rng.random() < self.settings.mixed:
            image = self._mix(rng, image, self._pattern(rng, size))
        if rng.random() < self.settings.shading:
            image = self._shade(rng, image)
        return image

    def _pattern(self, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        grey = self._cut(rng, pick(rng, self.settings.texture_kinds), size)
        share = rng.random() * self.settings.detail
        if share > 0.02:
            grey = cv2.addWeighted(grey, 1 - share, self._cut(rng, "grain", size), share, 0)
        contrast = rng.uniform(0.04, 0.2) if rng.random() < self.settings.faint else rng.uniform(0.35, 1)
        return cv2.LUT(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), palette(rng, contrast))

    def _cut(self, rng: np.random.Generator, kind: str, size: tuple[int, int]) -> np.ndarray:
        """A part of a pattern at a random position, possibly mirrored. The pattern is periodic."""
        value = field(kind, int(rng.integers(VARIANTS)), self.seed)
        part = _window(value, rng, size)
        mirror = int(rng.integers(0, 4))
        return part if mirror == 3 else cv2.flip(part, mirror - 1)

    def _mix(self, rng: np.random.Generator, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        if rng.random() < 0.4:
            share = rng.uniform(0.3, 0.7)
            return cv2.addWeighted(first, share, second, 1 - share, 0)
        kind = pick(rng, (("gradient", 2.0), ("noise", 1.0), ("cells", 1.0)))
        chooser = self._cut(rng, kind, first.shape[:2])
        steep = rng.uniform(2, 12)
        ramp = np.clip((np.arange(256) - 128) * steep + 128, 0, 255).astype(np.uint8)
        return blend(first, second, cv2.LUT(chooser, ramp))

    def _shade(self, rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
        """Changes the brightness slowly over the layer, as light on a curved surface."""
        height, width = image.shape[:2]
        lights = rng.uniform(0.35, 1.0, (3, 3)).astype(np.float32)
        light = cv2.resize(lights, (width, height), interpolation=cv2.INTER_CUBIC)
        return cv2.multiply(image, cv2.cvtColor(light, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U)

    def _photo(self, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        photo = read_photo(self.photos[int(rng.integers(len(self.photos)))])
        scale = rng.uniform(0.5, 1.0)
        want = [min(round(side / scale), have) for side, have in zip(size, photo.shape[:2], strict=True)]
        top, left = (int(rng.integers(0, have - part + 1)) for have, part in zip(photo.shape, want, strict=False))
        part = photo[top : top + want[0], left : left + want[1]]
        shape = (max(1, round(want[1] * scale)), max(1, round(want[0] * scale)))
        shrunk = cv2.resize(part, shape, interpolation=cv2.INTER_AREA)
        if rng.random() < 0.5:
            shrunk = cv2.flip(shrunk, 1)
        below, right = max(size[0] - shrunk.shape[0], 0), max(size[1] - shrunk.shape[1], 0)
        if below or right:  # a photograph smaller than the layer is mirrored
            shrunk = np.pad(shrunk, ((0, below), (0, right), (0, 0)), mode="symmetric")
        return np.ascontiguousarray(shrunk[: size[0], : size[1]])


def palette(rng: np.random.Generator, contrast: float) -> np.ndarray:
    """A colour for each grey level, uint8 [1, 256, 3]: a path through two to seven random colours."""
    stops = int(rng.integers(2, 8))
    saturation = float(rng.uniform(0.1, 0.9)) ** 1.5
    numbers = rng.uniform(-1, 1, (stops + 1, 4))
    middle = 128 + 77 * numbers[stops, 0] + 60 * saturation * numbers[stops, 1:]
    path = numbers[:stops, :1] + saturation * numbers[:stops, 1:]
    path = (path - path.mean(axis=0)) * (contrast * 90 / max(math.sqrt((path * path).mean()), 0.05)) + middle
    table = cv2.resize(path[None], (256, 1), interpolation=cv2.INTER_LINEAR)  # [1, 256, 3]
    return np.rint(np.clip(table, 0, 255)).astype(np.uint8)


def plain_colour(rng: np.random.Generator) -> np.ndarray:
    """A random colour, uint8 [3]: black with probability 0.4, white with probability 0.1."""
    at = rng.random()
    return np.rint(np.clip(rng.uniform(0, 255, 3) * (at > 0.4) + 255 * (at > 0.9), 0, 255)).astype(np.uint8)


def blend(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`above` where alpha (uint8 [h, w]) is 255, `below` where it is 0; uint8 [h, w, 3]."""
    weight = cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB)
    return cv2.add(
        cv2.multiply(above, weight, scale=1 / 255), cv2.multiply(below, cv2.bitwise_not(weight), scale=1 / 255)
    )


def find_photos(folder: str | Path) -> list[Path]:
    """The photographs below a folder, sorted. Raises InputError where there is none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"textures must be a folder of photographs, {str(folder)!r} is not a folder")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PHOTO_SUFFIXES and p.is_file())
    if not found:
        raise InputError(f"no photographs below {str(folder)!r}: expected files named {', '.join(PHOTO_SUFFIXES)}")
    return found


@functools.lru_cache(maxsize=PHOTOS_KEPT)
def read_photo(path: Path) -> np.ndarray:
    """uint8 RGB [h, w, 3], its longer side at most 1024. Read-only. Raises InputError naming a damaged file."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None or min(image.shape[:2]) < 2:
        raise InputError(f"cannot read the photograph {str(path)!r}: it is damaged or empty; remove or replace it")
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    shrink = PHOTO_SIDE / max(image.shape[:2])
    if shrink < 1:
        size = (max(2, round(image.shape[1] * shrink)), max(2, round(image.shape[0] * shrink)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    image.setflags(write=False)
    return image


def _window(value: np.ndarray, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    if max(size) <= TILE:
        top, left = int(rng.integers(TILE - size[0] + 1)), int(rng.integers(TILE - size[1] + 1))
        return np.ascontiguousarray(value[top : top + size[0], left : left + size[1]])
    rows, columns = (np.arange(side) + int(rng.integers(TILE)) for side in size)
    return value.take(rows % TILE, axis=0).take(columns % TILE, axis=1)
