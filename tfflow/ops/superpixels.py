"""Superpixels: small groups of neighbouring pixels of similar colour."""

from __future__ import annotations

import math

import tensorflow as tf

from tfflow.ops.checks import check_floating

COLOUR_UNIT = 100.0
"""Colours in [0, 1] times this stand beside `compactness`, as lightness from 0 to 100 does in the source."""


def superpixels(image: tf.Tensor, count: int, compactness: float = 10.0, iterations: int = 5) -> tuple[tf.Tensor, int]:
    """Groups about `count` superpixels: (label of every pixel, int32 [h, w], from 0; how many labels there may be).

    image: [h, w, 3], RGB in [0, 1], of static size. compactness: the difference of colours, on a scale of 100, that
    counts as much as the distance of two neighbouring groups; large values give squares.
    k-means over colour and place, from a grid of centres; a pixel joins one of the nine centres nearest by its place
    in the grid. Source: Achanta et al. 2012 (SLIC), in RGB instead of CIELAB, and without joining separate parts again.
    In TensorFlow, so that it runs within tf.data: libraries' take seconds a frame, and hold Python's lock.
    Raises ValueError on other shapes or no positive numbers.
    """
    check_floating("image", image)
    height, width = image.shape[:2] if image.shape.rank == 3 else (None, None)
    if height is None or width is None or image.shape[-1] != 3:
        raise ValueError(f"`image` must be [h, w, 3] of known size, got {image.shape}")
    if count < 1 or compactness <= 0 or iterations < 1:
        raise ValueError(f"count, compactness, iterations must be positive, got {count}, {compactness}, {iterations}")
    step = math.sqrt(height * width / count)
    rows, columns = max(1, round(height / step)), max(1, round(width / step))
    y, x = tf.meshgrid(tf.range(height), tf.range(width), indexing="ij")
    home = [y * rows // height, x * columns // width]  # the cell of the grid that a pixel lies in
    place = tf.cast(tf.stack([y, x], axis=-1), tf.float32) / step
    features = tf.concat([tf.cast(image, tf.float32) * (COLOUR_UNIT / compactness), place], axis=-1)  # [h, w, 5]
    labels = home[0] * columns + home[1]
    centres = _means(features, labels, rows * columns, tf.zeros([rows * columns, 5]))
    for _ in range(iterations):
        nearest = tf.fill([height, width], math.inf)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                row = tf.clip_by_value(home[0] + dy, 0, rows - 1)
                column = tf.clip_by_value(home[1] + dx, 0, columns - 1)
                candidate = row * columns + column
                distance = tf.reduce_sum(tf.square(features - tf.gather(centres, candidate)), axis=-1)
                labels = tf.where(distance < nearest, candidate, labels)
                nearest = tf.minimum(distance, nearest)
        centres = _means(features, labels, rows * columns, centres)
    return labels, rows * columns


def _means(features: tf.Tensor, labels: tf.Tensor, count: int, before: tf.Tensor) -> tf.Tensor:
    """Mean of each group, [count, c]; empty groups keep `before`."""
    flat, groups = tf.reshape(features, [-1, features.shape[-1]]), tf.reshape(labels, [-1])
    sizes = tf.math.unsorted_segment_sum(tf.ones_like(flat[:, :1]), groups, count)
    return tf.where(sizes > 0, tf.math.unsorted_segment_sum(flat, groups, count) / tf.maximum(sizes, 1.0), before)
