"""Layers of the exported graph alone: the same numbers as those of training, in a form that phones run well."""

from __future__ import annotations

import tensorflow as tf

from tfflow import ops
from tfflow.layers import CostVolume
from tfflow.layers.plain import as_written

GROUP = 4
"""How many planes one concatenation takes: XNNPACK runs no more."""


class PhoneCostVolume(CostVolume):
    """`CostVolume` forwards: its planes are put together in groups that XNNPACK takes.

    product_range: where given, products are rounded to eight bits over [-range, range], so that multiplication and
    mean run in eight bits, too; else both stay float.
    """

    def __init__(self, radius: int, stride: int = 1, product_range: float | None = None, **kwargs):
        super().__init__(radius, stride, **kwargs)
        self.product_range = product_range

    @as_written
    def call(self, inputs):
        features1, features2 = inputs
        r = self.radius
        b, h, w, c = features1.shape
        b, h, w = (known or tf.shape(features1)[i] for i, known in enumerate((b, h, w)))
        padded2 = tf.pad(features2, [[0, 0], [r, r], [r, r], [0, 0]])
        planes = []
        for dy, dx in ops.displacements(r, self.stride):
            product = features1 * tf.slice(padded2, [0, r + dy, r + dx, 0], [b, h, w, c])
            if self.product_range:
                product = tf.quantization.fake_quant_with_min_max_args(product, -self.product_range, self.product_range)
            planes.append(tf.reduce_mean(product, axis=-1, keepdims=True))
        return _grouped(planes)  # [b, h, w, displacements]

    def get_config(self):
        return {**super().get_config(), "product_range": self.product_range}


def _grouped(planes: list[tf.Tensor]) -> tf.Tensor:
    while len(planes) > 1:
        planes = [tf.concat(planes[i : i + GROUP], axis=-1) for i in range(0, len(planes), GROUP)]
    return planes[0]
