"""Built-in moving scenes: textured shapes before a background, each under its own motion, with exact flow both ways."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from tfflow.data.records import Sample
from tfflow.data.scenes.camera import expose, smear
from tfflow.data.scenes.motion import affine, compose, draw_motions, invert
from tfflow.data.scenes.render import Layer, draw, later, visible
from tfflow.data.scenes.settings import SceneSettings, changed
from tfflow.data.scenes.shapes import draw_mask
from tfflow.data.scenes.textures import Textures, pick
from tfflow.errors import InputError

__all__ = ["SceneSettings", "Scenes"]
SMALLEST, LARGEST = 16, 8192


class Scenes:
    """A source of `count` scenes; scene i depends on (seed, i) and the settings alone, on any thread, in any order.

    size: (height, width) of the frames, 16 to 8192 each. textures: a folder of photographs to cut textures from.
    Samples carry image1, image2, flow12, flow21, visible1, visible2, valid1, valid2 (the last two are all 1).
    The flow is each layer's affine motion in closed form, rounded to float32; `visible1` is 1 where the same point
    of the same layer is inside frame 2 and nothing is in front of it there.
    with_around: samples have image0 and image3 besides, a step before and a step after: every layer repeats its motion
    and the light its change. All else of a sample stays what it is without them.
    Raises InputError for a bad size, count, seed or folder.
    """

    truth = frozenset({"flow12", "flow21", "visible1", "visible2", "valid1", "valid2"})
    sequences = True

    def __init__(
        self,
        size: tuple[int, int] = (192, 256),
        count: int = 100_000,
        seed: int = 0,
        settings: SceneSettings | None = None,
        textures: str | Path | None = None,
        with_around: bool = False,
    ) -> None:
        if len(size) != 2 or not all(isinstance(s, int) and SMALLEST <= s <= LARGEST for s in size):
            raise InputError(f"size of scenes must be height x width, {SMALLEST} to {LARGEST} each, got {size!r}")
        if not isinstance(count, int) or count < 1:
            raise InputError(f"count of scenes must be a whole number >= 1, got {count!r}")
        if not isinstance(seed, int) or seed < 0:
            raise InputError(f"seed of scenes must be a whole number >= 0, got {seed!r}")
        self.size, self.count, self.seed = (size[0], size[1]), count, seed
        self.textures, self.with_around = textures, with_around
        self.settings = settings or SceneSettings()
        self._textures = Textures(self.settings, seed, textures)
        parts = [f"seed={seed}", f"size={size[0]}x{size[1]}"]
        parts += [f"textures={textures}"] if textures is not None else []
        parts += [f"{key}={value}" for key, value in changed(self.settings).items()]
        self.name = "scenes:" + ",".join(parts)

    def __len__(self) -> int:
        return self.count

    def record_name(self, index: int) -> str:
        """`scene_00042`."""
        return f"scene_{index:05d}"

    def sample(self, index: int) -> Sample:
        """Scene `index`: images float32 [h, w, 3] in [0, 1], flows [h, w, 2], masks [h, w, 1]."""
        rng = self._rng(index)
        layers = self._layers(rng)
        frames = [draw(layers, frame, self.size, self.settings.antialias) for frame in (0, 1)]
        images = [frame.image for frame in frames]
        if self.with_around:
            images.append(draw(later(layers, -1), 0, self.size, self.settings.antialias).image)
            images.append(draw(later(layers, 1), 1, self.size, self.settings.antialias).image)
        exposed = zip(("image1", "image2", "image0", "image3"), expose(rng, self.settings, images), strict=False)
        return {
            **dict(exposed),
            "flow12": frames[0].flow,
            "flow21": frames[1].flow,
            "visible1": visible(layers, frames[0], frames[1], 0),
            "visible2": visible(layers, frames[1], frames[0], 1),
            "valid1": np.ones((*self.size, 1), np.float32),
            "valid2": np.ones((*self.size, 1), np.float32),
        }

    def around(self) -> Scenes:
        """The same scenes with image0 and image3."""
        source = Scenes(self.size, self.count, self.seed, self.settings, self.textures, with_around=True)
        source.name = self.name
        return source

    @property
    def photos(self) -> list[Path]:
        """The photographs that textures are cut from."""
        return self._textures.photos

    def layers(self, index: int) -> list[Layer]:
        """The layers of scene `index`, from back to front."""
        return self._layers(self._rng(index))

    def _rng(self, index: int) -> np.random.Generator:
        if not 0 <= index < self.count:
            raise IndexError(f"scene {index} of {self.count}")
        return np.random.default_rng([self.seed, index])

    def _layers(self, rng: np.random.Generator) -> list[Layer]:
        settings, (height, width) = self.settings, self.size
        masks, places = [], []
        for _ in range(int(rng.integers(settings.shapes[0], settings.shapes[1] + 1))):
            low, high = (math.log(share * min(self.size)) for share in settings.shape_size)
            diameter = math.exp(rng.uniform(low, high))
            stretch = math.exp(rng.uniform(-0.25, 0.25))
            mask = draw_mask(rng, pick(rng, settings.shape_kinds), max(diameter / stretch, 3.0))
            middle = ((mask.shape[1] - 1) / 2, (mask.shape[0] - 1) / 2)
            to = (rng.uniform(0, width) - middle[0], rng.uniform(0, height) - middle[1])
            masks.append(mask)
            places.append(affine(rng.uniform(-30, 30), stretch, 0.0, to, middle))
        frame = _corners(self.size)
        boxes = [frame] + [_apply(place, _corners(mask.shape)) for mask, place in zip(masks, places, strict=True)]
        motions = draw_motions(rng, settings, self.size, boxes)
        place, size = self._lay_background(rng, motions[0])
        sizes = [size, *(mask.shape for mask in masks)]
        blurred = rng.random() < settings.motion_blur
        shutter = rng.uniform(0.2, 0.8)
        layers = []
        for alpha, size, to_frame1, motion in zip([None, *masks], sizes, [place, *places], motions, strict=True):
            paint = self._textures.draw(rng, size)
            to_frames = (to_frame1, compose(motion, to_frame1))
            if blurred:
                middle = _corners(size).mean(axis=0, keepdims=True)
                moved = _apply(invert(to_frame1), _apply(to_frames[1], middle)) - middle
                paint = smear(paint, *(shutter * moved[0]).tolist())
            layers.append(Layer(paint, alpha, to_frames))
        return layers

    def _lay_background(self, rng: np.random.Generator, motion: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
        """Where the background's raster lies in frame 1, and its size: just enough to fill both frames."""
        place = affine(rng.uniform(-12, 12), math.exp(rng.uniform(-0.25, 0.4)))
        frame = _corners(self.size)
        seen = np.concatenate([_apply(invert(place), frame), _apply(invert(compose(motion, place)), frame)])
        low, high = np.floor(seen.min(axis=0)) - 2, np.ceil(seen.max(axis=0)) + 3
        width, height = (int(v) for v in high - low)
        return compose(place, affine(translation=(low[0], low[1]))), (height, width)


def _corners(size: tuple[int, ...]) -> np.ndarray:
    height, width = size[0] - 1, size[1] - 1
    return np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)


def _apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]
