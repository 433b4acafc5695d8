"""Superpixels: small groups of neighbouring pixels of similar colour."""

from __future__ import annotations

import math

import tensorflow as tf

from tfflow.ops.checks import check_floating

COLOUR_UNIT = 100.0
"""Factor of colours in [0, 1]. It brings them to the range of the paper's lightness, 0 to 100."""


def superpixels(image: tf.Tensor, count: int, compactness: float = 10.0, iterations: int = 5) -> tuple[tf.Tensor, int]:
    """Divides an image into about `count` superpixels: (label of each pixel, int32 [h, w]; number of labels).

        labels, count = ops.superpixels(tf.random.uniform([32, 40, 3]), 20)  # [32, 40], 20

    image: [h, w, 3], RGB in [0, 1], of static size. compactness: the difference of colours, of 100, that counts as
    much as the distance of two neighbouring groups; large values give squares. Labels count from 0; some may be unused.
    The method is k-means over colour and position. It starts from a grid of centres, and a pixel joins one of the nine
    centres nearest to it in that grid.
    It runs inside tf.data. Other libraries take seconds a frame and hold Python's global lock.
    Raises ValueError for other shapes and for numbers that are not positive.
    Source: Achanta et al. 2012 (SLIC). Departures: RGB instead of CIELAB; separate parts of a group are not merged.
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
    home = [y * rows // height, x * columns // width]  # the grid cell of each pixel
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
