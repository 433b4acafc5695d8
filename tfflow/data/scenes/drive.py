"""A camera that rotates and moves through depth. Ground, walls and upright planes each move by a homography."""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from tfflow.data.scenes.layer import Layer, in_front
from tfflow.data.scenes.motion import affine, compose, corners_of, invert, move, square, unit_of
from tfflow.data.scenes.perspective import in_perspective
from tfflow.data.scenes.settings import SceneSettings
from tfflow.data.scenes.shapes import draw_mask
from tfflow.data.scenes.textures import Textures, pick

Size = tuple[int, int]
MIDDLE = 0.5  # the time of the middle view, between the frames, in which planes are painted
LEAST_DEPTH = 0.3  # smallest depth in a frame, as a share of the depth in the middle view


@dataclass(frozen=True)
class Camera:
    """A camera. The unit of length is its height above the ground. x is right, y down, z ahead.

    focal: px. centre: the principal point, px; its row is the horizon. velocity: of the camera, and turn: its rotation
    vector, radians, both for one step from frame to frame.
    """

    focal: float
    centre: tuple[float, float]
    velocity: np.ndarray
    turn: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        return np.array([[self.focal, 0, self.centre[0]], [0, self.focal, self.centre[1]], [0, 0, 1]])

    @functools.cached_property
    def inverse(self) -> np.ndarray:
        x, y = self.centre
        return np.array([[1, 0, -x], [0, 1, -y], [0, 0, self.focal]]) / self.focal

    def slower(self, factor: float) -> Camera:
        return Camera(self.focal, self.centre, self.velocity * factor, self.turn * factor)

    def homography(self, plane: Plane, time: float) -> np.ndarray:
        """3x3, from a plane in the middle view to the same plane in the view at a time."""
        if time not in self._turned:
            turned = self.matrix @ cv2.Rodrigues(-self.turn * (time - MIDDLE))[0]
            self._turned[time] = (turned, turned @ self.inverse)
        turned, infinite = self._turned[time]
        shift = turned @ ((self.velocity - plane.own) * (time - MIDDLE))
        return infinite - shift[:, None] * (plane.normal @ self.inverse)

    @functools.cached_property
    def _turned(self) -> dict[float, tuple[np.ndarray, np.ndarray]]:
        """For each time, 3x3: from directions in the middle view to pixels, and from pixels of that view to pixels."""
        return {}

    def project(self, points: np.ndarray) -> np.ndarray:
        """Projects points [n, 3] to the middle view, px."""
        return move(self.matrix, points[:, :2] / points[:, 2:])


@dataclass(frozen=True)
class Plane:
    """A plane n . X = d.

    normal: n / d; 0 for a plane at infinity. own: the plane's own velocity. corners: convex quadrilateral, [4, 2] px in
    the middle view; None = unbounded. shape: uint8 alpha in the middle view, from the first corner on; None = all of
    the quadrilateral.
    """

    normal: np.ndarray
    corners: np.ndarray | None = None
    own: tuple[float, ...] = (0.0, 0.0, 0.0)
    shape: np.ndarray | None = None

    def slower(self, factor: float) -> Plane:
        return dataclasses.replace(self, own=tuple(v * factor for v in self.own))

    def holds(self, points: np.ndarray) -> np.ndarray:
        """Whether points [n, 2] of the middle view are inside the corners."""
        if self.corners is None:
            return np.ones(len(points), bool)
        return np.all([points @ (a, b) + c >= 0 for a, b, c in self.sides], axis=0)

    @functools.cached_property
    def sides(self) -> list[tuple[float, float, float]]:
        return [] if self.corners is None else sides(self.corners)


def drive(rng: np.random.Generator, settings: SceneSettings, size: Size, textures: Textures, pan: float) -> list[Layer]:
    """The planes of a scene, from back to front. pan: px by which the camera's rotation moves distant points."""
    camera = _draw_camera(rng, size, pan)
    planes = [*_draw_room(rng, camera, size), *_draw_cards(rng, settings, camera, size)]
    limit = settings.max_displacement * unit_of(size)
    if pan:
        limit = max(limit, settings.fast_speed[1] * size[1])
    factor = _slowed(camera, planes, size, limit)
    camera, planes = camera.slower(factor), [plane.slower(factor) for plane in planes]
    return [layer for plane in planes if (layer := _layer(rng, camera, plane, size, textures)) is not None]


def _draw_camera(rng: np.random.Generator, size: Size, pan: float) -> Camera:
    height, width = size
    focal = width * math.exp(rng.uniform(math.log(0.55), math.log(1.4)))
    centre = (width * rng.uniform(0.35, 0.65), height * rng.uniform(0.25, 0.6))
    nearest = focal / (height - centre[1])  # depth of the ground in the lowest row
    speed = nearest * math.exp(rng.uniform(math.log(0.04), math.log(0.6)))
    course = rng.random()
    if course < 0.7:
        heading = np.array([rng.laplace(0, 0.08), rng.laplace(0, 0.02), 1.0])
    elif course < 0.85:
        heading = -np.array([rng.laplace(0, 0.08), rng.laplace(0, 0.02), 1.0])
    else:  # seen through a side window
        heading = np.array([rng.choice([-0.5, 0.5]), 0.0, rng.normal(0, 0.15)])
    turn = np.radians(rng.laplace(0, (0.3, 1.0, 0.3)))
    turn[1] += pan / focal
    return Camera(focal, centre, heading * speed, turn)


def _draw_room(rng: np.random.Generator, camera: Camera, size: Size) -> list[Plane]:
    """The background, the ground, and at random a ceiling and walls on both sides."""
    roll = rng.normal(0, math.radians(2))
    right, down = np.array([math.cos(roll), -math.sin(roll), 0]), np.array([math.sin(roll), math.cos(roll), 0])
    ahead = np.array([0.0, 0.0, 1.0])
    nearest = 0.2 * camera.focal / size[0]
    farthest = math.exp(rng.uniform(math.log(12), math.log(80)))
    planes = [Plane(ahead / farthest if rng.random() < 0.6 else np.zeros(3))]

    def quad(first: np.ndarray, second: np.ndarray, start: float, end: float) -> np.ndarray:
        """Corners of the area between two lines ahead, from one depth to another."""
        return camera.project(np.array([first + ahead * start, second + ahead * start, second + ahead * end,
                                        first + ahead * end]))  # fmt: skip

    wide = 40 * farthest
    if rng.random() < 0.9:
        planes.append(Plane(down, quad(down - right * wide, down + right * wide, nearest, farthest)))
    ceiling = math.exp(rng.uniform(math.log(0.5), math.log(4)))
    covered = rng.random() < 0.15
    if covered:
        up = -down * ceiling
        planes.append(Plane(-down / ceiling, quad(up - right * wide, up + right * wide, nearest, farthest)))
    for side in (-1, 1):
        if rng.random() < 0.5:
            distance = math.exp(rng.uniform(math.log(0.8), math.log(5)))
            top = ceiling if covered else math.exp(rng.uniform(math.log(0.2), math.log(6)))
            start, end = nearest, farthest
            if not covered and rng.random() < 0.5:
                start = distance * camera.focal / size[1] * math.exp(rng.uniform(-0.5, 1.5))
                end = min(farthest, start * math.exp(rng.uniform(0.5, 2.5)))
            foot = right * side * distance
            planes.append(Plane(right * side / distance, quad(foot + down, foot - down * top, start, end)))
    return planes


def _draw_cards(rng: np.random.Generator, settings: SceneSettings, camera: Camera, size: Size) -> list[Plane]:
    """Shapes that stand on the ground or hang above it, far ones first. Some are rotated, some move by themselves."""
    height, width = size
    nearest = camera.focal / (height - camera.centre[1])
    count = int(rng.integers(settings.shapes[0], settings.shapes[1] + 1))
    depths = np.sort(nearest * np.exp(rng.uniform(math.log(0.9), math.log(12), count)))[::-1]
    planes = []
    for depth in depths:
        low, high = (math.log(share * min(size)) for share in settings.shape_size)
        shape = draw_mask(rng, pick(rng, settings.shape_kinds), max(math.exp(rng.uniform(low, high)), 4.0))
        tall, broad = shape.shape
        foot = camera.centre[1] + camera.focal / depth
        below = foot if rng.random() < 0.6 else rng.uniform(tall / 2, max(foot, tall / 2 + 1))
        corner = np.array([rng.uniform(-broad / 2, width - broad / 2), below - tall])
        yaw = math.radians(rng.uniform(-40, 40)) * (rng.random() < 0.5)
        normal = np.array([math.sin(yaw), 0, math.cos(yaw)])
        ray = camera.inverse @ [corner[0] + broad / 2, below, 1]
        own = np.zeros(3)
        if rng.random() < settings.independent:
            own = rng.laplace(0, (0.25, 0.02, 0.2)) * np.linalg.norm(camera.velocity) * depth / nearest
        outline = corner + corners_of(shape.shape)[[0, 1, 3, 2]]
        planes.append(Plane(normal / float(normal @ ray * depth), outline, tuple(own.tolist()), shape))
    return planes


def _slowed(camera: Camera, planes: list[Plane], size: Size, limit: float) -> float:
    """The factor, 0 to 1, by which motion must be reduced so that no plane comes too near the camera and no visible
    point moves more than `limit` px."""
    y, x = np.meshgrid(np.linspace(0, size[0] - 1, 7), np.linspace(0, size[1] - 1, 7), indexing="ij")
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    factor = 1.0
    for plane in planes:
        while factor and (excess := _excess(camera.slower(factor), plane.slower(factor), pixels, size, limit)) > 1:
            factor = factor * min(max(0.98 / excess, 0.5), 0.95) if factor > 1e-3 else 0.0
    return factor


def _excess(camera: Camera, plane: Plane, pixels: np.ndarray, size: Size, limit: float) -> float:
    """The ratio of a plane's motion to `limit`; 2 if the plane comes too near."""
    views = [camera.homography(plane, time) for time in (0, 1)]
    if any(in_front(invert(camera.homography(plane, time)), size) < 0.05 for time in (-1, 2)):
        return 2.0
    furthest = 0.0
    for here, there in (views, views[::-1]):
        back = invert(here)
        motion = compose(there, back)
        if min(in_front(back, size), in_front(motion, size)) < LEAST_DEPTH:
            return 2.0
        seen = pixels
        if plane.corners is not None:
            ends = move(here, plane.corners)
            inside = ((ends >= 0) & (ends <= (size[1] - 1, size[0] - 1))).all(axis=1)
            seen = np.concatenate([pixels[plane.holds(move(back, pixels))], ends[inside]])
        if len(seen):
            furthest = max(furthest, float(np.hypot(*(move(motion, seen) - seen).T).max()))
    return furthest / (0.98 * limit) if limit else 2.0 * (furthest > 0)


def _layer(rng: np.random.Generator, camera: Camera, plane: Plane, size: Size, textures: Textures) -> Layer | None:
    """The painted plane on the raster of the middle view; None if no frame shows it."""
    alpha = plane.shape
    if alpha is not None and plane.corners is not None:
        low, raster = plane.corners[0], (alpha.shape[0], alpha.shape[1])
    else:
        seen = np.concatenate([move(invert(camera.homography(plane, time)), corners_of(size)) for time in (0, 1)])
        low, high = seen.min(axis=0), seen.max(axis=0)
        if plane.corners is not None:
            low, high = np.maximum(low, plane.corners.min(axis=0)), np.minimum(high, plane.corners.max(axis=0))
        if (high <= low).any():
            return None
        low, high = np.floor(low) - 2, np.ceil(high) + 3
        raster = (int(high[1] - low[1]), int(high[0] - low[0]))
        if plane.corners is not None:
            alpha = _fill(plane.corners - low, raster)
    start = affine(translation=(low[0], low[1]))

    def path(time: float) -> np.ndarray:
        return compose(camera.homography(plane, time), start)

    rays = camera.inverse @ square(start)
    nearness = plane.normal @ rays  # 1 / depth along the ray of each point of the raster
    flat = plane.shape is not None or plane.corners is None or rng.random() < 0.4
    paint = textures.draw(rng, raster) if flat else in_perspective(rng, textures, rays, plane.normal, raster)
    return Layer(paint, alpha, (path(0), path(1)), path=path, nearness=nearness)


def _fill(corners: np.ndarray, size: Size) -> np.ndarray:
    """uint8 mask of `size`: 255 inside a convex outline, 0 outside, with a soft edge of one px."""
    alpha = np.full(size, 255, np.uint8)
    x, y = np.arange(size[1]), np.arange(size[0])[:, None]
    for a, b, c in sides(corners):
        ends = corners_of(size) @ (a, b) + c
        if ends.min() < 0.5:
            inside = (a * x).astype(np.float32) + (b * y + c).astype(np.float32)
            np.minimum(alpha, np.clip(inside * 255 + 127.5, 0, 255).astype(np.uint8), out=alpha)
    return alpha


def sides(corners: np.ndarray) -> list[tuple[float, float, float]]:
    """(a, b, c) for each side of a convex outline: a x + b y + c is the distance from it, positive inside."""
    ends = np.roll(corners, -1, axis=0)
    (dx, dy), (x, y) = (ends - corners).T, corners.T
    length = np.maximum(np.hypot(dx, dy), 1e-9)
    turned = np.sign((x * ends[:, 1] - ends[:, 0] * y).sum())
    a, b = -dy / length * turned, dx / length * turned
    return list(zip(a.tolist(), b.tolist(), (-a * x - b * y).tolist(), strict=True))
