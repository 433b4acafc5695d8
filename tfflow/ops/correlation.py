"""The cost volume: how well each pixel of one frame matches the pixels of the other frame near it."""

from __future__ import annotations

import tensorflow as tf

from tfflow.ops.checks import check_image, check_same_size, size
from tfflow.ops.shuffle import blocks_to_channels, channels_to_blocks


def displacements(radius: int, stride: int = 1) -> list[tuple[int, int]]:
    """The displacement (dy, dx), px, of each channel of a cost volume, row by row.

        ops.displacements(1)[:3]  # [(-1, -1), (-1, 0), (-1, 1)]

    Both components run from -radius to radius in steps of `stride`.
    Raises ValueError unless `radius` is a multiple of `stride`.
    """
    if radius < 0 or stride < 1 or radius % stride:
        raise ValueError(
            f"`radius` must be a multiple of `stride`, both positive, got radius {radius}, stride {stride}"
        )
    steps = range(-radius, radius + 1, stride)
    return [(dy, dx) for dy in steps for dx in steps]


def cost_volume(features1: tf.Tensor, features2: tf.Tensor, radius: int, stride: int = 1) -> tf.Tensor:
    """Mean over channels of features1(x) * features2(x + d), for every displacement d of a square window.

        features1, features2 = tf.random.uniform([2, 1, 8, 10, 16])
        costs = ops.cost_volume(features1, features2, radius=4)  # [1, 8, 10, 81]

    features1, features2: [b, h, w, c]. radius, stride: px. PWC-Net has radius 4 (81 channels), FlowNetC has radius 20
    and stride 2 (441 channels).
    Returns [b, h, w, (2 * radius / stride + 1)**2] of the same dtype, channels in the order of `displacements`.
    Outside the frame features2 counts as 0.
    The gradient is written out, one displacement after the other, so no tensor of 81 * c channels is ever in memory; it
    is six times faster than the one that TensorFlow derives. All operators convert to TensorFlow Lite.
    Raises ValueError for shapes that differ. Source: Dosovitskiy et al. 2015, eq. 1; Sun et al. 2018, eq. 2.
    """
    check_image("features1", features1)
    check_image("features2", features2)
    check_same_size("features1", features1, "features2", features2)
    if features1.shape[-1] != features2.shape[-1]:
        raise ValueError(
            f"both features must have the same channels, got {features1.shape[-1]} and {features2.shape[-1]}"
        )
    window = displacements(radius, stride)
    b, h, w = size(features1)
    whole, plane = tf.stack([b, h, w, features1.shape[-1]]), tf.stack([b, h, w, 1])  # made once, not 441 times

    def shift(padded: tf.Tensor, dy: int, dx: int) -> tf.Tensor:
        return tf.slice(padded, [0, radius + dy, radius + dx, 0], whole)

    @tf.custom_gradient
    def costs(f1: tf.Tensor, f2: tf.Tensor) -> tuple:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            upstream = upstream / tf.cast(f1.shape[-1], f1.dtype)
            padded1, padded2, padded_upstream = _pad(f1, radius), _pad(f2, radius), _pad(upstream, radius)
            to_f1, to_f2 = tf.zeros_like(f1), tf.zeros_like(f2)
            for k, (dy, dx) in enumerate(window):
                with tf.control_dependencies([to_f1, to_f2]):
                    to_f1 += upstream[..., k : k + 1] * shift(padded2, dy, dx)
                    back = tf.slice(padded_upstream, [0, radius - dy, radius - dx, k], plane)
                    to_f2 += back * shift(padded1, -dy, -dx)
            return to_f1, to_f2

        return sums_of_products(f1 * (1.0 / f1.shape[-1]), f2, radius, stride), gradient

    return costs(tf.convert_to_tensor(features1), tf.convert_to_tensor(features2))  # [b, h, w, displacements]


def sums_of_products(features1: tf.Tensor, features2: tf.Tensor, radius: int, stride: int = 1) -> tf.Tensor:
    """`cost_volume` with sums in place of means, as one product of matrices instead of one pass a displacement.

    A tile of `features1`, radius x 2 * radius pixels, is multiplied with all pixels of `features2` that it can reach:
    3 * radius x 4 * radius. At radius 4 that is 2.4 times the products that are needed. It takes half the time of 81
    passes over memory, and a sixth in eight bits. The needed products lie on diagonals: see `_diagonals`.
    """
    if stride == 1:
        return _sums(features1, features2, radius)
    # By steps of `stride` a pixel reaches one of stride**2 parts of the image, in which the step is 1.
    n = stride
    h, w = size(features1)[1:]
    margin = [[0, 0], [0, -h % n], [0, -w % n], [0, 0]]
    parts = [tf.split(blocks_to_channels(tf.pad(x, margin), n), n * n, axis=-1) for x in (features1, features2)]
    sums = [_sums(part1, part2, radius // n) for part1, part2 in zip(*parts, strict=True)]
    return channels_to_blocks(tf.concat(sums, axis=-1), n)[:, :h, :w]


def _sums(features1: tf.Tensor, features2: tf.Tensor, radius: int) -> tf.Tensor:
    """`sums_of_products` of stride 1."""
    b, h, w = size(features1)
    c = features1.shape[-1]
    rows, columns = max(1, radius), max(1, 2 * radius)  # of a tile
    down, across = -(-h // rows), -(-w // columns)  # tiles
    below, right = down * rows - h, across * columns - w
    reach_y, reach_x = rows + 2 * radius, columns + 2 * radius  # whole tiles, too
    more_down, more_across = reach_y // rows, reach_x // columns
    high = down + more_down - 1

    tiles = tf.reshape(
        tf.pad(features1, [[0, 0], [0, below], [0, right], [0, 0]]), [b * down, rows, across, columns * c]
    )
    tiles = tf.reshape(tf.transpose(tiles, [0, 2, 1, 3]), [b * down, across, rows * columns, c])

    margin = [[0, 0], [radius, radius + below], [radius, radius + right], [0, 0]]
    reached = tf.reshape(tf.pad(features2, margin), [b, high * rows, across + more_across - 1, columns * c])
    reached = tf.concat([reached[:, :, i : i + across] for i in range(more_across)], axis=-1)
    reached = tf.transpose(tf.reshape(reached, [b * high, rows, across, reach_x * c]), [0, 2, 1, 3])
    reached = tf.reshape(reached, [b, high, across, rows * reach_x * c])
    reached = tf.concat([reached[:, i : i + down] for i in range(more_down)], axis=-1)
    reached = tf.reshape(reached, [b * down, across, reach_y * reach_x, c])

    products = tf.matmul(tiles, reached, transpose_b=True)  # [b * down, across, rows * columns, reach_y * reach_x]
    costs = _diagonals(products, (rows, columns), (reach_y, reach_x), 2 * radius + 1)
    costs = tf.reshape(costs, [b * down, across, rows, columns * (2 * radius + 1) ** 2])
    costs = tf.reshape(tf.transpose(costs, [0, 2, 1, 3]), [b, down * rows, across * columns, (2 * radius + 1) ** 2])
    whole = isinstance(h, int) and isinstance(w, int) and not (below or right)
    return costs if whole else costs[:, :h, :w]


def _diagonals(products: tf.Tensor, tile: tuple[int, int], reach: tuple[int, int], span: int) -> tf.Tensor:
    """Of pixel (y, x) of a tile the products with (y, x) to (y + span - 1, x + span - 1) of its reach.

    [n, m, y * x of the tile, y * x of the reach] -> [n, m * pixels * span, span]. Those of the next pixel begin one
    number farther than a line is long, those of the next row of the tile `reach_x` numbers farther than its lines are.
    """
    n, m = products.shape[0] or tf.shape(products)[0], products.shape[1] or tf.shape(products)[1]
    (rows, columns), (reach_y, reach_x) = tile, reach
    line = reach_y * reach_x
    of_row = columns * line + reach_x
    # Four axes, since GPUs pad none of three rightly.
    flat = tf.reshape(products, [n, m, 1, rows * columns * line])
    flat = tf.pad(flat, [[0, 0], [0, 0], [0, 0], [0, rows * reach_x]])
    by_row = tf.reshape(flat, [n, m * rows, of_row])[:, :, : columns * (line + 1)]
    by_pixel = tf.reshape(by_row, [n, m * rows * columns, line + 1])[:, :, : span * reach_x]
    return tf.reshape(by_pixel, [n, m * rows * columns * span, reach_x])[:, :, :span]


def _pad(x: tf.Tensor, radius: int) -> tf.Tensor:
    return tf.pad(x, [[0, 0], [radius, radius], [radius, radius], [0, 0]])
