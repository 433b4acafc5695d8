"""The census transform: a pixel told by how its neighbours compare with it, whatever the light."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_image, size
from tfflow.ops.correlation import displacements


def census_transform(images: tf.Tensor, radius: int = 3) -> tf.Tensor:
    """Soft signs of the grey difference to each neighbour: [b, h, w, 3 or 1] in [0, 1] -> [b, h, w, (2r+1)**2].

    With d = 255 * (grey neighbour - grey centre): d / sqrt(0.81 + d**2), in (-1, 1); 0.9 grey levels is the knee.
    Beyond the frame the picture counts as 0, so the outer `radius` pixels are to be masked by the user of it.
    Source: Meister et al. 2018 (UnFlow), after Stein 2004.
    Raises ValueError on another number of channels or a radius of 0.
    """
    check_image("images", images)
    if images.shape[-1] not in (1, 3):
        raise ValueError(f"`images` must have 1 or 3 channels, got {tuple(images.shape)}")
    if radius < 1:
        raise ValueError(f"`radius` must be at least 1, got {radius}")
    images = tf.cast(images, tf.float32)
    grey = 255.0 * (tf.image.rgb_to_grayscale(images) if images.shape[-1] == 3 else images)
    _, h, w = size(grey)
    padded = tf.pad(grey, [[0, 0], [radius, radius], [radius, radius], [0, 0]])
    neighbours = tf.concat(
        [padded[:, radius + dy : radius + dy + h, radius + dx : radius + dx + w] for dy, dx in displacements(radius)],
        axis=-1,
    )
    difference = neighbours - grey  # [b, h, w, (2r+1)**2]
    return difference * tf.math.rsqrt(0.81 + tf.square(difference))
