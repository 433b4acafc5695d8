"""Random affine maps of both frames, and optionally an additional one of the second frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorflow as tf

from tfflow import ops
from tfflow.augmentation.random import check_not_negative, check_probability, check_range, fold, uniform
from tfflow.augmentation.sample import FLOWS, IMAGES, INPUTS, MAPS, MASKS, Sample, frame_of, occlude_outside, size

Map = tuple[tf.Tensor, tf.Tensor, tf.Tensor]  # linear part [2, 2], centre of the source [2], centre of the result [2]


@dataclass(frozen=True)
class Affine:
    """Applies one random affine map A to both frames; flow becomes A(x + flow(x)) - A(x), exactly.

    scale: (low, high) of the zoom. rotation_deg: largest angle in either direction. squeeze: (low, high) of a factor
    that stretches x and shrinks y. translation: in [0, 1]; 1 = the window may lie anywhere inside the frame, 0 = it is
    in the middle. size: (height, width) of the result; None = that of the frame.
    relative_*: the same for an additional map of the second frame (translation in px), which adds motion to the flow.
        The frames before and after the pair continue this motion.
    The zoom is increased until the first frame fills the result, so there is no artificial border. Images are sampled
    bilinearly, masks by the nearest pixel; flow is the bilinear mean of valid pixels. Pixels whose target is outside
    the result stay valid and become occluded.
    Source: Dosovitskiy et al. 2015, section 4.2; Liu et al. 2020 (ARFlow).
    """

    scale: tuple[float, float] = (1.0, 1.0)
    rotation_deg: float = 0.0
    translation: float = 1.0
    squeeze: tuple[float, float] = (1.0, 1.0)
    size: tuple[int, int] | None = None
    relative_scale: tuple[float, float] = (1.0, 1.0)
    relative_rotation_deg: float = 0.0
    relative_translation: float = 0.0

    def __post_init__(self) -> None:
        check_range(scale=self.scale, squeeze=self.squeeze, relative_scale=self.relative_scale)
        check_probability(translation=self.translation)
        check_not_negative(
            rotation_deg=self.rotation_deg,
            relative_rotation_deg=self.relative_rotation_deg,
            relative_translation=self.relative_translation,
        )
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise ValueError(f"`size` must be (height, width) of at least one pixel each, got {self.size}")

    def __call__(self, sample: Sample, seed: tf.Tensor) -> Sample:
        to = self.size or size(sample)
        first = self._first(size(sample), to, seed)
        maps = {1: first, 2: self._second(first, seed)}
        moved = {key: value for key, value in sample.items() if key not in MAPS}
        for frame, other in ((1, 2), (2, 1)):
            moved |= _move(_of_frame(sample, frame), maps[frame], maps[other], to)
        for frame, here, there in ((0, 1, 2), (3, 2, 1)):
            if outer := _of_frame(sample, frame):
                moved |= _move(outer, _continued(maps[there], maps[here]), maps[here], to)
        return occlude_outside({key: moved[key] for key in sample})

    def _first(self, frame: tuple, to: tuple, seed: tf.Tensor) -> Map:
        zoom = uniform(fold(seed, 0), *self.scale)
        squeeze = uniform(fold(seed, 1), *self.squeeze)
        angle = uniform(fold(seed, 2), -self.rotation_deg, self.rotation_deg) * (math.pi / 180)
        linear = _rotation(angle) * tf.stack([zoom * squeeze, zoom / squeeze])  # squeezed first, then turned
        # Half the size of the window in the frame; if it is more than half the frame, the zoom must grow.
        reach = tf.linalg.matvec(tf.abs(tf.linalg.inv(linear)), _half(to))  # [2], x and y
        more = tf.maximum(1.0, tf.reduce_max(reach / tf.maximum(_half(frame), 0.5)))
        room = tf.maximum(_half(frame) - reach / more, 0.0)
        shift = self.translation * room * uniform(fold(seed, 3), -1.0, 1.0, (2,))
        return linear * more, _half(frame) + shift, _half(to)

    def _second(self, first: Map, seed: tf.Tensor) -> Map:
        linear, source, result = first
        zoom = uniform(fold(seed, 4), *self.relative_scale)
        angle = uniform(fold(seed, 5), -self.relative_rotation_deg, self.relative_rotation_deg) * (math.pi / 180)
        limit = self.relative_translation
        shift = uniform(fold(seed, 6), -limit, limit, (2,))
        return tf.matmul(zoom * _rotation(angle), linear), source, result + shift


def _continued(first: Map, second: Map) -> Map:
    """The map of the frame after the second, if the additional motion between first and second continues.

    first, second: maps with the same centre of the source.
    """
    (linear1, source, result1), (linear2, _, result2) = first, second
    turn = tf.matmul(linear2, tf.linalg.inv(linear1))
    return tf.matmul(turn, linear2), source, result2 + tf.linalg.matvec(turn, result2 - result1)


def _half(size: tuple) -> tf.Tensor:
    """The centre (x, y) of a grid, which is also half its extent."""
    return (tf.cast(tf.stack([size[1], size[0]]), tf.float32) - 1.0) / 2.0


def _rotation(angle: tf.Tensor) -> tf.Tensor:
    return tf.stack([tf.stack([tf.cos(angle), -tf.sin(angle)]), tf.stack([tf.sin(angle), tf.cos(angle)])])


def _forward(points: tf.Tensor, to: Map) -> tf.Tensor:
    linear, source, result = to
    return tf.einsum("ij,hwj->hwi", linear, points - source) + result


def _backward(points: tf.Tensor, to: Map) -> tf.Tensor:
    linear, source, result = to
    return tf.einsum("ij,hwj->hwi", tf.linalg.inv(linear), points - result) + source


def _grid(size: tuple) -> tf.Tensor:
    x, y = tf.meshgrid(tf.range(size[1], dtype=tf.float32), tf.range(size[0], dtype=tf.float32))
    return tf.stack([x, y], axis=-1)  # [h, w, 2]


def _of_frame(sample: Sample, frame: int) -> Sample:
    return {key: tf.cast(value, tf.float32) for key, value in sample.items() if key in MAPS and frame_of(key) == frame}


def _move(maps: Sample, here: Map, there: Map, to: tuple) -> Sample:
    """Resamples all maps of one frame. `here` is the map of that frame, `there` the map of the flow's targets."""
    grid = _grid(to)
    source = _backward(grid, here)  # [h, w, 2], px of the old frame
    colours = [key for key in maps if key in IMAGES + INPUTS]
    masks = [key for key in maps if key in MASKS]
    moved: Sample = {}
    for keys, points, outside in ((colours, source, "border"), (masks, tf.round(source), "zero")):
        if keys:
            together = _sample(tf.concat([maps[key] for key in keys], axis=-1), points, outside)
            moved |= zip(keys, tf.split(together, [maps[key].shape[-1] for key in keys], axis=-1), strict=True)
    valid = next((key for key in masks if key.startswith("valid")), None)
    for key in FLOWS:
        if key not in maps:
            continue
        if valid is None:
            flow, known = _sample(maps[key], source, "border"), 1.0
        else:
            both = _sample(tf.concat([maps[key] * maps[valid], maps[valid]], axis=-1), source, "zero")
            flow, known = tf.math.divide_no_nan(both[..., :2], both[..., 2:]), moved[valid]
        moved[key] = (_forward(source + flow, there) - grid) * known
    return moved


def _sample(image: tf.Tensor, points: tf.Tensor, outside: str) -> tf.Tensor:
    return ops.sample_points(image[None], points[None], outside)[0]
