"""The census transform compares a pixel with each of its neighbours. A change of brightness hardly alters it."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_image, check_same_size, size
from tfflow.ops.correlation import displacements


def census_transform(images: tf.Tensor, radius: int = 3) -> tf.Tensor:
    """The census transform with soft signs: [b, h, w, 3 or 1] in [0, 1] -> [b, h, w, (2r+1)**2], float32.

        census = ops.census_transform(tf.random.uniform([1, 8, 10, 3]), radius=1)  # [1, 8, 10, 9]

    A channel compares the pixel with one neighbour. It holds d / sqrt(0.81 + d**2), which lies in (-1, 1), for a
    difference of d = 255 * (grey neighbour - grey centre). Neighbours outside the frame count as 0, so mask the outer
    `radius` pixels of the result.
    Raises ValueError for another number of channels or a radius below 1.
    Source: Meister et al. 2018 (UnFlow), after Stein 2004.
    """
    grey = _grey("images", images, radius)
    _, h, w = size(grey)
    padded = tf.pad(grey, [[0, 0], [radius, radius], [radius, radius], [0, 0]])
    neighbours = tf.concat(
        [padded[:, radius + dy : radius + dy + h, radius + dx : radius + dx + w] for dy, dx in displacements(radius)],
        axis=-1,
    )
    return _soft_sign(neighbours - grey)  # [b, h, w, (2r+1)**2]


def census_distance(images1: tf.Tensor, images2: tf.Tensor, radius: int = 3) -> tf.Tensor:
    """Soft Hamming distance of the census transforms of two images: [b, h, w, 3 or 1] each -> [b, h, w, 1], float32.

        image1, image2 = tf.random.uniform([2, 1, 8, 10, 3])
        distance = ops.census_distance(image1, image2)  # [1, 8, 10, 1]

    It is the sum over neighbours of d**2 / (0.1 + d**2), where d is the difference of the two transforms. A neighbour
    adds 0 to 0.98.
    The difference of two pixels serves both of them, so only half of the offsets are computed. One offset is in memory
    at a time. This is five times faster than the difference of two `census_transform`.
    Raises ValueError as `census_transform` does, and for images of different sizes.
    Source: Meister et al. 2018 (UnFlow).
    """
    check_same_size("images1", images1, "images2", images2)
    border = [[0, 0], [radius, radius], [radius, radius]]
    padded1 = tf.pad(_grey("images1", images1, radius)[..., 0], border)
    padded2 = tf.pad(_grey("images2", images2, radius)[..., 0], border)
    b, h, w = size(images1)
    distance = tf.zeros([b, h, w])
    for dy, dx in displacements(radius):
        if (dy, dx) <= (0, 0):
            continue  # the opposite offset gives the same differences
        left = max(0, -dx)
        inner = [b, h + 2 * radius - dy, w + 2 * radius - abs(dx)]  # pixels whose neighbour is in the padded frame

        def transform(padded: tf.Tensor, dy=dy, dx=dx, left=left, inner=inner) -> tf.Tensor:
            return _soft_sign(tf.slice(padded, [0, dy, left + dx], inner) - tf.slice(padded, [0, 0, left], inner))

        d2 = tf.square(transform(padded1) - transform(padded2))
        cost = d2 / (0.1 + d2)  # element (y, x): pixel (y, x + left) and its neighbour at (dy, dx)
        distance += tf.slice(cost, [0, radius, radius - left], [b, h, w])
        distance += tf.slice(cost, [0, radius - dy, radius - left - dx], [b, h, w])
    return distance[..., None]


def _grey(name: str, images: tf.Tensor, radius: int) -> tf.Tensor:
    """[b, h, w, 3 or 1] in [0, 1] -> [b, h, w, 1] in [0, 255], float32."""
    check_image(name, images)
    if images.shape[-1] not in (1, 3):
        raise ValueError(f"`{name}` must have 1 or 3 channels, got {tuple(images.shape)}")
    if radius < 1:
        raise ValueError(f"`radius` must be at least 1, got {radius}")
    images = tf.cast(images, tf.float32)
    return 255.0 * (tf.image.rgb_to_grayscale(images) if images.shape[-1] == 3 else images)


def _soft_sign(difference: tf.Tensor) -> tf.Tensor:
    return difference * tf.math.rsqrt(0.81 + tf.square(difference))
