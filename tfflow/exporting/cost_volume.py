"""The cost volume of the exported graph: the same numbers as in training, as products of matrices."""

from __future__ import annotations

import tensorflow as tf

from tfflow.exporting.shuffle import blocks_to_channels, channels_to_blocks, size
from tfflow.layers import CostVolume
from tfflow.layers.plain import without_autograph


class PhoneCostVolume(CostVolume):
    """`CostVolume` as one matrix product a level, instead of a slice, a product and a mean for each displacement.

    A tile of `features1`, radius x 2 * radius pixels, is multiplied with all pixels of `features2` that it can reach:
    3 * radius x 4 * radius. At radius 4 that is 2.4 times the products that are needed. It takes half the time of 81
    passes over memory, and a sixth in eight bits. The needed products lie on diagonals: see `_diagonals`.

    It has at most four axes and no gather, so XNNPACK and LiteRT's GPU delegates run all of it.
    feature_range: features are rounded to eight bits over [-range, range], and the product runs in eight bits. Their
    zero is the number 0, which XNNPACK requires of the second factor. Sums are exact.
    """

    def __init__(self, radius: int, stride: int = 1, feature_range: float | None = None, **kwargs):
        super().__init__(radius, stride, **kwargs)
        self.feature_range = feature_range

    @without_autograph
    def call(self, inputs):
        features1, features2 = inputs
        features1 = features1 * (1.0 / features1.shape[-1])  # the mean over channels is then a sum
        if self.feature_range:
            features1 = _rounded(features1, self.feature_range / features1.shape[-1])
            features2 = _rounded(features2, self.feature_range)
        if self.stride == 1:
            return _costs(features1, features2, self.radius)
        # By steps of `stride` a pixel reaches one of stride**2 parts of the image, in which the step is 1.
        n = self.stride
        h, w = size(features1)[1:]
        margin = [[0, 0], [0, -h % n], [0, -w % n], [0, 0]]
        parts = [tf.split(blocks_to_channels(tf.pad(x, margin), n), n * n, axis=-1) for x in (features1, features2)]
        costs = [_costs(part1, part2, self.radius // n) for part1, part2 in zip(*parts, strict=True)]
        return channels_to_blocks(tf.concat(costs, axis=-1), n)[:, :h, :w]

    def get_config(self):
        return {**super().get_config(), "feature_range": self.feature_range}


def _costs(features1: tf.Tensor, features2: tf.Tensor, radius: int) -> tf.Tensor:
    """Sums over channels of products, for each displacement of at most `radius`: [b, h, w, (2 * radius + 1)**2]."""
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


def _rounded(x: tf.Tensor, largest: float) -> tf.Tensor:
    """Rounded to eight bits over [-largest, largest], of which 0 is the middle one."""
    return tf.quantization.fake_quant_with_min_max_args(x, -largest, largest, narrow_range=True)
