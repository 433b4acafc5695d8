"""Layers of the exported graph alone: the same numbers as those of training, in a form that phones run well."""

from __future__ import annotations

import tensorflow as tf
import tf_keras as keras

from tfflow import ops
from tfflow.layers import CostVolume
from tfflow.layers.plain import FlowLayer, as_written

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
        whole = tf.stack([b, h, w, c])
        padded2 = tf.pad(features2, [[0, 0], [r, r], [r, r], [0, 0]])
        planes = []
        for dy, dx in ops.displacements(r, self.stride):
            product = features1 * tf.slice(padded2, [0, r + dy, r + dx, 0], whole)
            if self.product_range:
                product = tf.quantization.fake_quant_with_min_max_args(product, -self.product_range, self.product_range)
            planes.append(tf.reduce_mean(product, axis=-1, keepdims=True))
        return _grouped(planes)  # [b, h, w, displacements]

    def get_config(self):
        return {**super().get_config(), "product_range": self.product_range}


class PhoneConcatenate(FlowLayer, keras.layers.Concatenate):
    """`Concatenate` of features and flow, where flow itself must stay float.

    flows: places of the inputs that are flow. flow_range: where given, those enter as copies, rounded to eight bits
    over [-range, range]. The product with almost 1 keeps the rounding there: the converter carries it back through
    what moves or resizes values, but not through arithmetic.
    """

    def __init__(self, flows: tuple[int, ...] = (), flow_range: float | None = None, **kwargs):
        super().__init__(**kwargs)
        self.flows, self.flow_range = tuple(flows), flow_range

    @as_written
    def call(self, inputs):
        if self.flow_range:
            inputs = [self._rounded(x) if i in self.flows else x for i, x in enumerate(inputs)]
        return super().call(inputs)

    def _rounded(self, flow):
        return tf.quantization.fake_quant_with_min_max_args(flow * ALMOST_ONE, -self.flow_range, self.flow_range)

    def get_config(self):
        return {**super().get_config(), "flows": self.flows, "flow_range": self.flow_range}


ALMOST_ONE = 1.0 + 2.0**-23
"""The float32 after 1."""


def _grouped(planes: list[tf.Tensor]) -> tf.Tensor:
    while len(planes) > 1:
        planes = [tf.concat(planes[i : i + GROUP], axis=-1) for i in range(0, len(planes), GROUP)]
    return planes[0]
