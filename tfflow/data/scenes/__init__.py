"""Built-in moving scenes: textured shapes in front of a background, with exact forward and backward flow.

    from tfflow.data.scenes import Scenes, SceneSettings, preset

    scenes = Scenes(size=(96, 128), count=10, seed=1)
    sample = scenes.sample(3)
    sample["image1"]  # [96, 128, 3]
    sample["flow12"]  # [96, 128, 2]
    sample["visible1"]  # [96, 128, 1]

Settings are one's own, or a preset:

    fast = Scenes(settings=SceneSettings(fast=1.0, noise=0.0))
    mixed = Scenes(settings=preset("mixed"))
    len(fast), len(mixed)  # (100_000, 100_000)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfflow.data.records import Sample
from tfflow.data.scenes.camera import expose
from tfflow.data.scenes.drive import drive
from tfflow.data.scenes.effects import Effects, draw_effects
from tfflow.data.scenes.layer import Layer
from tfflow.data.scenes.layered import bent, fast_objects, layered
from tfflow.data.scenes.light import add_highlights, cast_shadows, fog
from tfflow.data.scenes.presets import PRESETS, preset
from tfflow.data.scenes.render import Frame, blur, draw, later, paint, visible
from tfflow.data.scenes.settings import SceneSettings, changed
from tfflow.data.scenes.textures import Textures, plain_colour
from tfflow.errors import InputError

__all__ = ["PRESETS", "SceneSettings", "Scenes", "preset"]
SMALLEST, LARGEST = 16, 8192
MOST_INSTANTS = 16  # number of instants whose mean is a blurred frame


class Scenes:
    """A source of `count` scenes. Scene i depends on (seed, i) and the settings alone. It is thread-safe.

    size: (height, width) of the frames, 16 to 8192 each. textures: a folder of photographs for textures.
    Samples hold image1, image2, flow12, flow21, visible1, visible2, valid1, valid2 (the last two are 1 everywhere).
    The flow is the motion of each layer in closed form, rounded to float32. The motion is affine, bending, or that of a
    plane before a moving camera. If a layer bends, one direction is found by iteration, to less than 1e-3 px.
    visible1 is 1 if the same point of the same layer is inside frame 2 and no layer covers it there.
    neighbours: samples also have image0 and image3, one step before and after. Motion and changes of light continue
    there. The rest of the sample is the same as without them.
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
        neighbours: bool = False,
    ) -> None:
        if len(size) != 2 or not all(isinstance(s, int) and SMALLEST <= s <= LARGEST for s in size):
            raise InputError(f"size of scenes must be height x width, {SMALLEST} to {LARGEST} each, got {size!r}")
        if not isinstance(count, int) or count < 1:
            raise InputError(f"count of scenes must be a whole number >= 1, got {count!r}")
        if not isinstance(seed, int) or seed < 0:
            raise InputError(f"seed of scenes must be a whole number >= 0, got {seed!r}")
        self.size, self.count, self.seed = (size[0], size[1]), count, seed
        self.textures, self.neighbours = textures, neighbours
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
        rng, effects = self._rng(index), self._effects(index)
        layers = self._layers(rng, effects)
        frames = [draw(layers, frame, self.size, self.settings.antialias) for frame in (0, 1)]
        images = self._images(layers, frames, effects)
        if effects.same:
            images = [expose(rng, self.settings, images[:1], effects)[0]] * len(images)
        else:
            images = expose(rng, self.settings, images, effects)
        exposed = zip(("image1", "image2", "image0", "image3"), images, strict=False)
        return {
            **dict(exposed),
            "flow12": frames[0].flow,
            "flow21": frames[1].flow,
            "visible1": visible(layers, frames[0], frames[1], 0),
            "visible2": visible(layers, frames[1], frames[0], 1),
            "valid1": np.ones((*self.size, 1), np.float32),
            "valid2": np.ones((*self.size, 1), np.float32),
        }

    def with_neighbours(self) -> Scenes:
        """The same scenes with image0 and image3."""
        source = Scenes(self.size, self.count, self.seed, self.settings, self.textures, neighbours=True)
        source.name = self.name
        return source

    @property
    def photos(self) -> list[Path]:
        """The photographs for textures."""
        return self._textures.photos

    def layers(self, index: int) -> list[Layer]:
        """The layers of scene `index`, from back to front."""
        return self._layers(self._rng(index), self._effects(index))

    def _rng(self, index: int) -> np.random.Generator:
        if not 0 <= index < self.count:
            raise IndexError(f"scene {index} of {self.count}")
        return np.random.default_rng([self.seed, index])

    def _images(self, layers: list[Layer], frames: list[Frame], effects: Effects) -> list[np.ndarray]:
        """Frames 1 and 2, and 0 and 3 with `neighbours`, before the camera's light and noise."""
        sharp = self.settings.antialias
        if effects.plain:
            return [np.full((*self.size, 3), plain_colour(effects.rng), np.uint8)] * (4 if self.neighbours else 2)
        poses = [(layers, 0), (layers, 1)]
        poses += [(later(layers, -1), 0), (later(layers, 1), 1)] if self.neighbours else []
        length = max(float(np.abs(frame.flow).max()) for frame in frames) * effects.shutter if effects.shutter else 0.0
        if length > 1:
            instants = min(max(round(length / 2), 2), MOST_INSTANTS)
            return [blur(pose, frame, self.size, sharp, effects.shutter, instants) for pose, frame in poses]
        painted = [paint(pose, frame, self.size, sharp) for pose, frame in poses[2:]]
        return [frame.image for frame in frames] + painted

    def _effects(self, index: int) -> Effects:
        return draw_effects(self.seed, index, self.settings, self.size)

    def _layers(self, rng: np.random.Generator, effects: Effects) -> list[Layer]:
        settings, size = self.settings, self.size
        if effects.drive:
            layers = drive(effects.rng, settings, size, self._textures, effects.pan[0])
        else:
            layers = layered(rng, settings, size, self._textures, effects)
        if effects.bending:
            ground, moving = (layers[:1], layers[1:]) if effects.fixed else ([], layers)
            layers = ground + bent(effects.rng, settings, size, moving)
        if effects.fast:
            layers += fast_objects(effects.rng, settings, size, self._textures)
        if effects.fog:
            layers = fog(effects.rng, layers)
        if effects.shadows:
            layers = cast_shadows(effects.rng, layers, size)
        if effects.highlights:
            layers = add_highlights(effects.rng, layers, size)
        return [layer.still() for layer in layers] if effects.still else layers
