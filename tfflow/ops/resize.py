"""Resizing of images, of flow (whose values change with the size) and of masks."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_floating, check_flow, check_image, size


def resize_image(images: tf.Tensor, to: tuple, align_corners: bool = False, antialias: bool = True) -> tf.Tensor:
    """Bilinear resizing with antialiasing: [b, h, w, c] -> [b, *to, c], same dtype.

        resized = ops.resize_image(tf.random.uniform([1, 64, 96, 3]), (32, 48))  # [1, 32, 48, 3]

    to: (height, width). align_corners: the centres of the corner pixels stay in place (SpyNet, DDFlow, PWC-Lite), and
    there is no antialiasing; else the corners of the frame stay in place. antialias: False is faster and suits sizes
    that are not much smaller: each pixel is made from the nearest four. For larger sizes the result is the same.
    Raises ValueError for another rank, for integers, and for a size below 1.
    """
    check_image("images", images)
    check_floating("images", images)
    if any(isinstance(n, int) and n < 1 for n in to):
        raise ValueError(f"`to` must be (height, width) of at least one pixel each, got {tuple(to)}")
    _, h, w = size(images)
    if all(isinstance(n, int) for n in (h, w, *to)) and (h, w) == tuple(to):
        return tf.convert_to_tensor(images)
    if not (antialias or align_corners):
        resized = tf.transpose(_between_rows(tf.cast(images, tf.float32), h, to[0]), [0, 2, 1, 3])
        resized = tf.transpose(_between_rows(resized, w, to[1]), [0, 2, 1, 3])
    elif not align_corners and _doubles(h, to[0]) and _doubles(w, to[1]):
        resized = tf.image.resize(images, to)  # phones have a kernel for it
    else:
        # Two matrix products: XLA compiles ResizeBilinear wrongly if a new centre falls on an old one (5 rows -> 9,
        # TensorFlow 2.15 to 2.21), and it cannot compile the antialiased form.
        rows, columns = _tents(h, to[0], align_corners), _tents(w, to[1], align_corners)
        resized = tf.einsum("yh,bhwc->bywc", rows, tf.cast(images, tf.float32))
        resized = tf.einsum("xw,bywc->byxc", columns, resized)
    return tf.cast(resized, images.dtype)  # [b, *to, c]


def resize_flow(flow: tf.Tensor, to: tuple, align_corners: bool = False, antialias: bool = True) -> tf.Tensor:
    """Resizes flow and scales its values: [b, h, w, 2] -> [b, *to, 2], in px of the new grid.

        flow = ops.resize_flow(tf.ones([1, 64, 96, 2]), (128, 144))  # [1, 128, 144, 2]
        float(flow[0, 0, 0, 0]), float(flow[0, 0, 0, 1])  # (1.5, 2.0)

    u is multiplied by the ratio of widths and v by the ratio of heights. The two differ for sizes such as
    375 -> 188 -> 94, which are not exact halves. to, align_corners, antialias, errors: as in `resize_image`.
    """
    check_flow("flow", flow)
    _, h, w = size(flow)
    ratio = tf.stack([_ratio(to[1], w), _ratio(to[0], h)])
    return resize_image(flow, to, align_corners, antialias) * tf.cast(ratio, flow.dtype)  # [b, *to, 2]


def resize_to_multiple(images: tf.Tensor, multiple: int) -> tf.Tensor:
    """Enlarges images until height and width are multiples: [b, h, w, c] -> [b, h', w', c].

        enlarged = ops.resize_to_multiple(tf.random.uniform([1, 90, 100, 3]), 32)  # [1, 96, 128, 3]

    So a network with strides takes frames of any size; `resize_flow` to (h, w) gives the flow of the frames as they
    were. Raises ValueError for another rank, for integers, or a multiple below 1.
    Source: the authors' programs of PWC-Net (Sun et al. 2018) and FlowNet (Dosovitskiy et al. 2015) do so.
    """
    check_image("images", images)
    if multiple < 1:
        raise ValueError(f"`multiple` must be at least 1, got {multiple}")
    _, h, w = size(images)
    return resize_image(images, (h + (-h) % multiple, w + (-w) % multiple), antialias=False)


def halved(size: tuple, multiple: int) -> tuple:
    """Half of a height and width, each rounded up to a multiple."""
    return tuple((n + 2 * multiple - 1) // (2 * multiple) * multiple for n in size)


def halve(images: tf.Tensor, multiple: int = 1) -> tf.Tensor:
    """Resizes images to half their height and width, each rounded up to a multiple: [b, h, w, c] -> [b, h', w', c].

        half = ops.halve(tf.random.uniform([1, 128, 448, 3]), 64)  # [1, 64, 256, 3]

    (Half of 448 is 224, no multiple of 64.) Where h and w are twice a multiple, each pixel is the mean of four.
    Raises ValueError for another rank, for integers, or a multiple below 1.
    """
    check_image("images", images)
    if multiple < 1:
        raise ValueError(f"`multiple` must be at least 1, got {multiple}")
    _, h, w = size(images)
    return resize_image(images, halved((h, w), multiple), antialias=False)


def resize_mask(mask: tf.Tensor, to: tuple) -> tf.Tensor:
    """Resizes a mask: [b, h, w, 1] -> [b, *to, 1]. A new pixel is 1 if all pixels that it is made from are 1.

        visible = ops.resize_mask(tf.ones([1, 64, 96, 1]), (32, 48))  # [1, 32, 48, 1]

    Raises ValueError for another shape.
    """
    check_image("mask", mask, channels=1)
    return tf.cast(resize_image(mask, to) > 0.999, mask.dtype)


def _ratio(new, old) -> tf.Tensor:
    return tf.cast(new, tf.float32) / tf.cast(old, tf.float32)


def _doubles(old, new) -> bool:
    """Whether `new` is 1, 2, 4, ... times `old`, both known."""
    if not (isinstance(old, int) and isinstance(new, int)) or new % old:
        return False
    return (new // old).bit_count() == 1


def _between_rows(images: tf.Tensor, old, new) -> tf.Tensor:
    """Rows between the nearest two, by linear interpolation: [b, old, w, c] -> [b, new, w, c]."""
    centres = (tf.range(new, dtype=tf.float32) + 0.5) * _ratio(old, new) - 0.5
    centres = tf.clip_by_value(centres, 0.0, tf.cast(old - 1, tf.float32))
    above = tf.cast(centres, tf.int32)
    share = (centres - tf.cast(above, tf.float32))[:, None, None]
    upper, lower = tf.gather(images, above, axis=1), tf.gather(images, tf.minimum(above + 1, old - 1), axis=1)
    return upper + (lower - upper) * share


def _tents(old, new, align_corners: bool) -> tf.Tensor:
    """Weights [new, old] of the old pixels in each new one: a triangle filter as wide as the larger pixel."""
    place = tf.range(new, dtype=tf.float32)
    if align_corners:
        centres, width = place * _ratio(old - 1, tf.maximum(new - 1, 1)), 1.0
    else:
        centres, width = (place + 0.5) * _ratio(old, new) - 0.5, tf.maximum(_ratio(old, new), 1.0)
    distance = tf.abs(tf.range(old, dtype=tf.float32) - centres[:, None]) / width
    weights = tf.maximum(1.0 - distance, 0.0)
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)
