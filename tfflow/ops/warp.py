"""Backward warp: what the second frame shows where the flow says each pixel went."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_floating, check_flow, check_image, check_same_size, size


def target_grid(flow: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Column and row, in px, at which each pixel of `flow` [b, h, w, 2] arrives: two tensors [b, h, w], float32."""
    _, h, w = size(flow)
    flow = tf.cast(flow, tf.float32)  # a half-precision column above 256 would be off by a quarter pixel
    x = flow[..., 0] + tf.cast(tf.range(w), tf.float32)
    y = flow[..., 1] + tf.cast(tf.range(h), tf.float32)[None, :, None]
    return x, y  # [b, h, w] each


def backward_warp(image2: tf.Tensor, flow12: tf.Tensor, outside: str = "zero") -> tf.Tensor:
    """Samples `image2` bilinearly at every pixel's target: result(x) = image2(x + flow12(x)), which looks like image1.

    image2: [b, h, w, c], float; flow12: [b, h, w, 2], px, (u, v). Returns [b, h, w, c] in the dtype of image2.
    outside: "zero" = pixels beyond the frame count as 0 (PWC-Net; fades out over the last pixel),
        "border" = as the nearest pixel of the frame (SpyNet, UnFlow).
    NaN flow samples as far outside (zero), or the top left pixel (border); flow of any size is safe.
    Gradients: to image2 and, within the sampled cell, to flow12. One flat gather of rows per corner with int32
    indices, so that the same graph converts to TensorFlow Lite.
    Raises ValueError on other shapes or another `outside`. Source: Jaderberg et al. 2015, eq. 5.
    """
    check_image("image2", image2)
    check_floating("image2", image2)
    check_flow("flow12", flow12)
    check_same_size("image2", image2, "flow12", flow12)
    if outside not in ("zero", "border"):
        raise ValueError(f'`outside` must be "zero" or "border", got {outside!r}')
    return _sample(image2, *target_grid(flow12), outside)


def sample_points(images: tf.Tensor, points: tf.Tensor, outside: str = "zero") -> tf.Tensor:
    """`images` [b, h, w, c] sampled bilinearly at `points` [b, h', w', 2], (x, y) in px: [b, h', w', c].

    Otherwise as `backward_warp`, of which it is the general form: the points need not be as many as the pixels.
    """
    check_image("images", images)
    check_floating("images", images)
    check_image("points", points, channels=2)
    if outside not in ("zero", "border"):
        raise ValueError(f'`outside` must be "zero" or "border", got {outside!r}')
    points = tf.cast(points, tf.float32)
    return _sample(images, points[..., 0], points[..., 1], outside)


def _sample(image: tf.Tensor, x: tf.Tensor, y: tf.Tensor, outside: str) -> tf.Tensor:
    b, h, w = size(image)
    channels = image.shape[-1]
    if outside == "zero":  # one ring of zeros around the frame catches all that leaves it
        image = tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]])
        h, w, x, y = h + 2, w + 2, x + 1.0, y + 1.0
    x = _clamp(x, w)
    y = _clamp(y, h)
    # The last cell starts one pixel before the border, so that its far corner is inside.
    x0 = tf.minimum(tf.floor(x), tf.cast(tf.maximum(w - 2, 0), tf.float32))
    y0 = tf.minimum(tf.floor(y), tf.cast(tf.maximum(h - 2, 0), tf.float32))
    wx = (x - x0)[..., None]  # [b, h, w, 1]
    wy = (y - y0)[..., None]
    column = tf.cast(x0, tf.int32)
    row = tf.cast(y0, tf.int32)
    right = tf.minimum(1, w - 1)  # a frame of one column has no right neighbour
    below = w * tf.minimum(1, h - 1)
    first = row * w + column
    if not isinstance(b, int) or b > 1:
        first += (tf.range(b) * (h * w))[:, None, None]
    pixels = tf.reshape(image, [-1, channels])  # [b * h * w, c]
    shape = tf.shape(x)

    def corner(offset: tf.Tensor) -> tf.Tensor:
        taken = tf.gather(pixels, tf.reshape(first + offset, [-1]))
        return tf.cast(tf.reshape(taken, [shape[0], shape[1], shape[2], channels]), tf.float32)

    top = corner(0) * (1.0 - wx) + corner(right) * wx
    bottom = corner(below) * (1.0 - wx) + corner(below + right) * wx
    return tf.cast(top * (1.0 - wy) + bottom * wy, image.dtype)  # [b, h, w, c]


def inside(flow12: tf.Tensor) -> tf.Tensor:
    """1 where a pixel's target lies within the frame, 0 where it leaves it (or is NaN): [b, h, w, 2] -> [b, h, w, 1].

    Within means 0 <= x <= w - 1 and 0 <= y <= h - 1, so that bilinear sampling there needs no padding.
    """
    check_flow("flow12", flow12)
    _, h, w = size(flow12)
    x, y = target_grid(flow12)
    kept = (x >= 0) & (x <= tf.cast(w - 1, tf.float32)) & (y >= 0) & (y <= tf.cast(h - 1, tf.float32))
    return tf.cast(kept, tf.float32)[..., None]  # [b, h, w, 1]


def _clamp(coordinate: tf.Tensor, length) -> tf.Tensor:
    """Into [0, length - 1], NaN to 0, before any cast to an integer could overflow."""
    finite = tf.where(tf.math.is_nan(coordinate), tf.zeros_like(coordinate), coordinate)
    return tf.clip_by_value(finite, 0.0, tf.cast(length - 1, tf.float32))
