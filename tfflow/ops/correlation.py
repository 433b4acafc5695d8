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
    The gradient is written as matrix products, too, so no tensor of 81 * c channels is ever in memory. All operators
    convert to TensorFlow Lite.
    Raises ValueError for shapes that differ. Source: Dosovitskiy et al. 2015, eq. 1; Sun et al. 2018, eq. 2.
    """
    check_image("features1", features1)
    check_image("features2", features2)
    check_same_size("features1", features1, "features2", features2)
    if features1.shape[-1] != features2.shape[-1]:
        raise ValueError(
            f"both features must have the same channels, got {features1.shape[-1]} and {features2.shape[-1]}"
        )
    displacements(radius, stride)  # refuses a radius that is no multiple of the stride
    features1, features2 = tf.convert_to_tensor(features1), tf.convert_to_tensor(features2)
    return sums_of_products(features1 * (1.0 / features1.shape[-1]), features2, radius, stride)


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

    @tf.custom_gradient
    def sums(f1: tf.Tensor, f2: tf.Tensor) -> tuple:
        b, h, w = size(f1)
        cut = _tiling(b, h, w, radius)
        tiles, reached = cut.tiles(f1), cut.reached(f2)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            products = cut.on_diagonals(cut.tiles(upstream))
            to_tiles = tf.matmul(products, reached)
            to_reached = tf.matmul(products, tiles, transpose_a=True)
            return cut.untiled(to_tiles), cut.unreached(to_reached)

        return cut.untiled(cut.diagonals(tf.matmul(tiles, reached, transpose_b=True))), gradient

    return sums(features1, features2)


class _Tiling:
    """Cuts images [b, h, w, c] into `down` x `across` tiles of `rows` x `columns` pixels.

    A tile of one image reaches `reach[0]` x `reach[1]` pixels of another. Of each pair of methods the second one is the
    first one's transpose as a matrix, so it is its gradient. Pads, slices, reshapes and transposes alone: see TFLite.
    """

    def __init__(self, b, h, w, radius: int):
        self.b, self.h, self.w, self.radius = b, h, w, radius
        self.span = 2 * radius + 1
        self.rows, self.columns = max(1, radius), max(1, 2 * radius)
        self.down, self.across = -(-h // self.rows), -(-w // self.columns)
        self.below, self.right = self.down * self.rows - h, self.across * self.columns - w
        self.reach = self.rows + 2 * radius, self.columns + 2 * radius  # whole tiles, too
        self.more_down, self.more_across = self.reach[0] // self.rows, self.reach[1] // self.columns
        self.high, self.wide = self.down + self.more_down - 1, self.across + self.more_across - 1  # tiles with reach

    def tiles(self, image: tf.Tensor) -> tf.Tensor:
        """[b, h, w, c] -> [b * down, across, rows * columns, c], 0 beyond the image."""
        c = image.shape[-1]
        image = tf.pad(image, [[0, 0], [0, self.below], [0, self.right], [0, 0]])
        image = tf.reshape(image, [self.b * self.down, self.rows, self.across, self.columns * c])
        image = tf.transpose(image, [0, 2, 1, 3])
        return tf.reshape(image, [self.b * self.down, self.across, self.rows * self.columns, c])

    def untiled(self, tiles: tf.Tensor) -> tf.Tensor:
        c = tiles.shape[-1]
        tiles = tf.reshape(tiles, [self.b * self.down, self.across, self.rows, self.columns * c])
        image = tf.transpose(tiles, [0, 2, 1, 3])
        image = tf.reshape(image, [self.b, self.down * self.rows, self.across * self.columns, c])
        whole = isinstance(self.h, int) and isinstance(self.w, int) and not (self.below or self.right)
        return image if whole else image[:, : self.h, : self.w]

    def reached(self, image: tf.Tensor) -> tf.Tensor:
        """[b, h, w, c] -> [b * down, across, reach[0] * reach[1], c]: what each tile reaches, 0 beyond the image."""
        c, r = image.shape[-1], self.radius
        image = tf.pad(image, [[0, 0], [r, r + self.below], [r, r + self.right], [0, 0]])
        image = tf.reshape(image, [self.b, self.high * self.rows, self.wide, self.columns * c])
        image = tf.concat([image[:, :, i : i + self.across] for i in range(self.more_across)], axis=-1)
        image = tf.reshape(image, [self.b * self.high, self.rows, self.across, self.reach[1] * c])
        image = tf.reshape(tf.transpose(image, [0, 2, 1, 3]), [self.b, self.high, self.across, -1])
        image = tf.concat([image[:, i : i + self.down] for i in range(self.more_down)], axis=-1)
        return tf.reshape(image, [self.b * self.down, self.across, self.reach[0] * self.reach[1], c])

    def unreached(self, reached: tf.Tensor) -> tf.Tensor:
        """Adds up what came from each pixel."""
        c, r = reached.shape[-1], self.radius
        image = tf.reshape(reached, [self.b, self.down, self.across, self.reach[0] * self.reach[1] * c])
        image = _overlapped(image, self.more_down, axis=1)
        image = tf.reshape(image, [self.b * self.high, self.across, self.rows, self.reach[1] * c])
        image = tf.reshape(tf.transpose(image, [0, 2, 1, 3]), [self.b, self.high * self.rows, self.across, -1])
        image = _overlapped(image, self.more_across, axis=2)
        image = tf.reshape(image, [self.b, self.high * self.rows, self.wide * self.columns, c])
        return image[:, r : r + self.h, r : r + self.w]

    def diagonals(self, products: tf.Tensor) -> tf.Tensor:
        """Of pixel (y, x) of a tile the products with (y, x) to (y + span - 1, x + span - 1) of its reach.

        [n, m, rows * columns, reach[0] * reach[1]] -> [n, m, rows * columns, span**2]. Those of the next pixel begin
        one number farther than a line is long, those of the next row of the tile reach[1] farther than its lines are.
        """
        n, m = products.shape[0] or tf.shape(products)[0], products.shape[1] or tf.shape(products)[1]
        rows, columns, span = self.rows, self.columns, self.span
        reach_x, line = self.reach[1], self.reach[0] * self.reach[1]
        # Four axes, since GPUs pad none of three rightly.
        flat = tf.reshape(products, [n, m, 1, rows * columns * line])
        flat = tf.pad(flat, [[0, 0], [0, 0], [0, 0], [0, rows * reach_x]])
        by_row = tf.reshape(flat, [n, m * rows, columns * line + reach_x])[:, :, : columns * (line + 1)]
        by_pixel = tf.reshape(by_row, [n, m * rows * columns, line + 1])[:, :, : span * reach_x]
        by_line = tf.reshape(by_pixel, [n, m * rows * columns * span, reach_x])[:, :, :span]
        return tf.reshape(by_line, [n, m, rows * columns, span**2])

    def on_diagonals(self, costs: tf.Tensor) -> tf.Tensor:
        n, m = costs.shape[0] or tf.shape(costs)[0], costs.shape[1] or tf.shape(costs)[1]
        rows, columns, span = self.rows, self.columns, self.span
        reach_x, line = self.reach[1], self.reach[0] * self.reach[1]
        by_line = _filled(tf.reshape(costs, [n, m * rows * columns * span, span]), reach_x)
        by_pixel = _filled(tf.reshape(by_line, [n, m * rows * columns, span * reach_x]), line + 1)
        by_row = _filled(tf.reshape(by_pixel, [n, m * rows, columns * (line + 1)]), columns * line + reach_x)
        flat = tf.reshape(by_row, [n, m, rows * (columns * line + reach_x)])[:, :, : rows * columns * line]
        return tf.reshape(flat, [n, m, rows * columns, line])


class _OneTile(_Tiling):
    """An image of known size as one tile: more products than are needed, in half the operators."""

    def __init__(self, b, h: int, w: int, radius: int):
        super().__init__(b, h, w, radius)
        self.rows, self.columns, self.down, self.across = h, w, 1, 1
        self.reach = h + 2 * radius, w + 2 * radius

    def tiles(self, image: tf.Tensor) -> tf.Tensor:
        return tf.reshape(image, [self.b, 1, self.h * self.w, image.shape[-1]])

    def untiled(self, tiles: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tiles, [self.b, self.h, self.w, tiles.shape[-1]])

    def reached(self, image: tf.Tensor) -> tf.Tensor:
        r = self.radius
        image = tf.pad(image, [[0, 0], [r, r], [r, r], [0, 0]])
        return tf.reshape(image, [self.b, 1, self.reach[0] * self.reach[1], image.shape[-1]])

    def unreached(self, reached: tf.Tensor) -> tf.Tensor:
        r = self.radius
        image = tf.reshape(reached, [self.b, *self.reach, reached.shape[-1]])
        return image[:, r : r + self.h, r : r + self.w]


ONE_TILE = 128
"""px of the largest image that is one tile."""


def _tiling(b, h, w, radius: int) -> _Tiling:
    small = isinstance(h, int) and isinstance(w, int) and h * w <= ONE_TILE
    return (_OneTile if small else _Tiling)(b, h, w, radius)


def _filled(x: tf.Tensor, length: int) -> tf.Tensor:
    """[n, m, l] -> [n, m, length], 0 behind the values. For gradients alone, which phones do not compute."""
    return tf.pad(x, [[0, 0], [0, 0], [0, length - x.shape[-1]]])


def _overlapped(x: tf.Tensor, parts: int, axis: int) -> tf.Tensor:
    """Splits the last axis into `parts` and adds them up, each one place farther along `axis` than the one before."""
    moved = []
    for i, part in enumerate(tf.split(x, parts, axis=-1)):
        room = [[0, 0] for _ in range(4)]
        room[axis] = [i, parts - 1 - i]
        moved.append(tf.pad(part, room))
    return tf.add_n(moved)
