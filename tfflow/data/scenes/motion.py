"""Motions of layers: float64 matrices from a point (x, y) of frame 1 to frame 2; 2x3 affine, 3x3 projective."""

from __future__ import annotations

import math

import numpy as np

from tfflow.data.scenes.settings import SceneSettings

IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def affine(
    rotation: float = 0.0,
    zoom: float = 1.0,
    shear: float = 0.0,
    translation: tuple[float, float] = (0.0, 0.0),
    centre: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Rotates by `rotation` degrees, zooms and shears about `centre`, then translates (px)."""
    angle = math.radians(rotation)
    cos, sin = zoom * math.cos(angle), zoom * math.sin(angle)
    (a, b), (c, d) = (cos, cos * shear - sin), (sin, sin * shear + cos)
    x, y = centre
    return np.array([[a, b, x + translation[0] - a * x - b * y], [c, d, y + translation[1] - c * x - d * y]])


def compose(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The motion that applies `first`, then `second`; 3x3 if one of them is."""
    if len(second) == 3 or len(first) == 3:
        return square(second) @ square(first)
    both = second[:, :2] @ first
    both[:, 2] += second[:, 2]
    return both


def invert(motion: np.ndarray) -> np.ndarray:
    """The inverse motion in closed form, accurate to float64."""
    if len(motion) == 3:
        return _inverse(*motion.ravel().tolist())
    (a, b, x), (c, d, y) = motion.tolist()
    return np.array([[d, -b, b * y - d * x], [-c, a, c * x - a * y]]) / (a * d - b * c)


def _inverse(a: float, b: float, c: float, d: float, e: float, f: float, g: float, h: float, i: float) -> np.ndarray:
    rows = [[e * i - f * h, c * h - b * i, b * f - c * e],
            [f * g - d * i, a * i - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, a * e - b * d]]  # fmt: skip
    return np.array(rows) / (a * rows[0][0] + b * rows[1][0] + c * rows[2][0])


def square(motion: np.ndarray) -> np.ndarray:
    """The motion as a 3x3 matrix."""
    return motion if len(motion) == 3 else np.vstack([motion, [0.0, 0.0, 1.0]])


def move(motion: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Applies a motion to points [n, 2]."""
    moved = points @ motion[:, :2].T + motion[:, 2]
    return moved if len(motion) == 2 else moved[:, :2] / moved[:, 2:]


def corners_of(size: tuple[int, ...]) -> np.ndarray:
    """The centres of the corner pixels of an image of `size` (height, width, ...), [4, 2]."""
    height, width = size[0] - 1, size[1] - 1
    return np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)


def weaken(motion: np.ndarray, corners: np.ndarray, limit: float) -> np.ndarray:
    """The motion, moved towards the identity until no corner [n, 2] moves more than `limit` px. Then no point between
    them does."""
    moved = corners @ motion[:, :2].T + motion[:, 2] - corners
    longest = float(np.hypot(moved[:, 0], moved[:, 1]).max())
    return motion if longest <= limit else IDENTITY + (motion - IDENTITY) * (limit / longest)


def unit_of(size: tuple[int, int]) -> float:
    """The ratio of a frame's size to 192x256. Lengths in the settings are multiplied by it."""
    return math.sqrt(size[0] * size[1] / (192 * 256))


def draw_motions(
    rng: np.random.Generator,
    settings: SceneSettings,
    size: tuple[int, int],
    boxes: list[np.ndarray],
    pan: tuple[float, float] = (0.0, 0.0),
    share: float = 1.0,
    fixed: bool = False,
) -> list[np.ndarray]:
    """The motions of the background and the shapes, from back to front.

    size: (height, width) of the frame. boxes: corners [n, 2] of each layer in frame 1, the background first.
    pan: an additional translation of the camera, px. share: of the largest displacement that these motions may use.
    fixed: whether the camera does not move.
    With parallax, a shape follows the camera's translation and zoom in proportion to its inverse depth, which increases
    to the front. Without it, a shape moves with the background. Each shape adds its own motion.
    """
    height, width = size
    unit = unit_of(size)
    middle = ((width - 1) / 2, (height - 1) / 2)
    pace = math.exp(rng.uniform(math.log(settings.pace[0]), math.log(settings.pace[1])))
    camera = _Draw(rng, settings, pace, unit, 0)
    camera.u, camera.v = camera.u + pan[0], camera.v + pan[1]
    if fixed:
        camera.stop()
    parallax = rng.random() < settings.parallax and not fixed
    nearness = np.sort(rng.uniform(*settings.nearness, len(boxes) - 1)) if parallax else np.ones(len(boxes) - 1)
    motions = [camera.motion(middle)]
    for near, box in zip(nearness, boxes[1:], strict=True):
        motion = camera.motion(middle, float(near))
        if not parallax or rng.random() < settings.independent:
            own = _Draw(rng, settings, pace, unit, 1)
            motion = compose(motion, own.motion(tuple(box.mean(axis=0))))
        motions.append(motion)
    limit = settings.max_displacement * unit * share
    if any(pan):
        limit = max(limit, settings.fast_speed[1] * width)
    beyond = np.where(boxes[0] > 0, limit, -limit)  # frame 2 may show points just outside frame 1
    boxes = [boxes[0] + beyond, *boxes[1:]]
    return [weaken(motion, box, limit) for motion, box in zip(motions, boxes, strict=True)]


class _Draw:
    """Draws the numbers of a motion. of: 0 = statistics of the background, 1 = those of a shape."""

    def __init__(self, rng: np.random.Generator, settings: SceneSettings, pace: float, unit: float, of: int) -> None:
        scales = (settings.background_scales, settings.shape_scales)[of]
        shift = scales[int(rng.integers(len(scales)))] * unit
        turn, zoom, shear = settings.rotation[of], settings.zoom[of], settings.shear[of]
        draws = rng.laplace(0, pace, 5).tolist()
        self.u, self.v, self.shear = draws[0] * shift, draws[1] * shift, draws[2] * shear
        turn, zoom = draws[3] * turn, draws[4] * zoom
        self.rotation = min(max(turn, -45.0), 45.0)
        self.log_zoom = min(max(zoom, -0.4), 0.4)

    def stop(self) -> None:
        self.u = self.v = self.shear = self.rotation = self.log_zoom = 0.0

    def motion(self, centre: tuple[float, float], near: float = 1.0) -> np.ndarray:
        zoom = math.exp(min(max(self.log_zoom * near, -0.6), 0.6))
        return affine(self.rotation, zoom, self.shear, (self.u * near, self.v * near), centre)
