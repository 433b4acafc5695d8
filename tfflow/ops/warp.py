"""Backward warp: samples the second frame at the target of each pixel."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_floating, check_flow, check_image, check_same_size, size

OUTSIDE = ("zero", "border", "strict", "ddflow")
"""Rules for targets outside the frame, see `backward_warp`."""


def target_grid(flow: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Column and row, px, of the target of each pixel of `flow` [b, h, w, 2]: two tensors [b, h, w], float32."""
    _, h, w = size(flow)
    flow = tf.cast(flow, tf.float32)  # in half precision, columns above 256 are wrong by up to a quarter pixel
    u, v = (tf.squeeze(part, -1) for part in tf.split(flow, 2, axis=-1))  # not by index: WebGPU lacks that slice
    x = u + tf.cast(tf.range(w), tf.float32)
    y = v + tf.cast(tf.range(h), tf.float32)[None, :, None]
    return x, y  # [b, h, w] each


def backward_warp(image2: tf.Tensor, flow12: tf.Tensor, outside: str = "zero") -> tf.Tensor:
    """Samples `image2` bilinearly at the target of each pixel: result(x) = image2(x + flow12(x)), similar to image1.

        warped = ops.backward_warp(tf.random.uniform([1, 8, 10, 3]), tf.ones([1, 8, 10, 2]))  # [1, 8, 10, 3]

    image2: [b, h, w, c], float; flow12: [b, h, w, 2], px, (u, v). Returns [b, h, w, c] in the dtype of image2.
    outside: the rule for targets outside the frame.
        "zero": pixels outside count as 0; the image fades to black over one pixel.
        "border": the nearest pixel of the frame (SpyNet, UnFlow, PWC-Lite).
        "strict": as "zero", but 0 unless at least 0.9999 of the weight is inside (authors' code of PWC-Net).
        "ddflow": 0 on and outside the last row and column, extrapolated up to one pixel before the first ones (DDFlow's
        code, which truncates and clips the corners before it computes their weights).
    A NaN in the flow gives the value far outside, or the top left pixel ("border"). Flow of any length is allowed.
    Gradients flow to image2 and, within the sampled cell, to flow12. Each corner is one flat gather with int32 indices,
    so the graph converts to TensorFlow Lite.
    Raises ValueError for other shapes or another `outside`. Source: Jaderberg et al. 2015, eq. 5.
    """
    check_image("image2", image2)
    check_floating("image2", image2)
    check_flow("flow12", flow12)
    check_same_size("image2", image2, "flow12", flow12)
    check_outside(outside)
    return _sample(image2, *target_grid(flow12), outside)


def sample_points(images: tf.Tensor, points: tf.Tensor, outside: str = "zero") -> tf.Tensor:
    """Samples `images` [b, h, w, c] bilinearly at `points` [b, h', w', 2], (x, y) in px: [b, h', w', c].

        colours = ops.sample_points(tf.random.uniform([1, 8, 10, 3]), tf.constant([[[[4.5, 2.0]]]]))  # [1, 1, 1, 3]

    It is the general form of `backward_warp`: the number of points is free. outside, errors: as there.
    """
    check_image("images", images)
    check_floating("images", images)
    check_image("points", points, channels=2)
    check_outside(outside)
    points = tf.cast(points, tf.float32)
    return _sample(images, points[..., 0], points[..., 1], outside)


def check_outside(outside: str) -> None:
    """Raises ValueError unless `outside` is one of OUTSIDE."""
    if outside not in OUTSIDE:
        raise ValueError(f"`outside` must be one of {', '.join(OUTSIDE)}, got {outside!r}")


def _sample(image: tf.Tensor, x: tf.Tensor, y: tf.Tensor, outside: str) -> tf.Tensor:
    b, h, w = size(image)
    channels = image.shape[-1]
    keep = _kept(x, y, h, w, outside)
    if outside in ("zero", "strict"):  # a border of zeros around the frame receives all targets outside
        image = tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]])
        h, w, x, y = h + 2, w + 2, x + 1.0, y + 1.0
    lowest = -1.0 if outside == "ddflow" else 0.0
    x = _clamp(x, lowest, w)
    y = _clamp(y, lowest, h)
    # The last cell begins one pixel before the last row and column, so that all of its corners are inside.
    x0 = tf.minimum(tf.floor(x), tf.cast(tf.maximum(w - 2, 0), tf.float32))
    y0 = tf.minimum(tf.floor(y), tf.cast(tf.maximum(h - 2, 0), tf.float32))
    if lowest < 0:
        x0, y0 = tf.maximum(x0, 0.0), tf.maximum(y0, 0.0)
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
    sampled = top * (1.0 - wy) + bottom * wy
    if keep is not None:
        sampled *= tf.cast(keep, tf.float32)[..., None]
    return tf.cast(sampled, image.dtype)  # [b, h, w, c]


def _kept(x: tf.Tensor, y: tf.Tensor, h, w, outside: str) -> tf.Tensor | None:
    """1 for the points that the rule keeps, [b, h, w]; None if it keeps all."""
    if outside == "strict":
        return _covered(x, w) * _covered(y, h) >= 0.9999
    if outside == "ddflow":
        in_columns = (x > -1.0) & (x < tf.cast(w - 1, tf.float32)) & (w > 1)
        in_rows = (y > -1.0) & (y < tf.cast(h - 1, tf.float32)) & (h > 1)
        return in_columns & in_rows
    return None


def _covered(coordinate: tf.Tensor, length) -> tf.Tensor:
    """How much of the weight of the two pixels around a coordinate is inside, in [0, 1]."""
    return tf.clip_by_value(tf.minimum(coordinate + 1.0, tf.cast(length, tf.float32) - coordinate), 0.0, 1.0)


def inside(flow12: tf.Tensor) -> tf.Tensor:
    """1 if the target of a pixel is inside the frame, 0 if it is outside or NaN: [b, h, w, 2] -> [b, h, w, 1], float32.

        mask = ops.inside(tf.ones([1, 8, 10, 2]))  # [1, 8, 10, 1]

    flow12: px. Inside means 0 <= x <= w - 1 and 0 <= y <= h - 1, so bilinear sampling there needs no padding.
    Raises ValueError for another shape.
    """
    check_flow("flow12", flow12)
    _, h, w = size(flow12)
    x, y = target_grid(flow12)
    kept = (x >= 0) & (x <= tf.cast(w - 1, tf.float32)) & (y >= 0) & (y <= tf.cast(h - 1, tf.float32))
    return tf.cast(kept, tf.float32)[..., None]  # [b, h, w, 1]


def _clamp(coordinate: tf.Tensor, lowest: float, length) -> tf.Tensor:
    """Clips to [lowest, length - 1], NaN to `lowest`, so that no cast to an integer overflows."""
    at_least = tf.where(coordinate >= lowest, coordinate, lowest)  # the comparison is false for NaN
    return tf.minimum(at_least, tf.cast(length - 1, tf.float32))
