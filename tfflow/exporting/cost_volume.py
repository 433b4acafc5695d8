"""The cost volume of the exported graph: that of training, of features in eight bits."""

from __future__ import annotations

import tensorflow as tf

from tfflow.layers import CostVolume
from tfflow.layers.plain import without_autograph
from tfflow.ops.correlation import sums_of_products


class PhoneCostVolume(CostVolume):
    """`CostVolume` for phones: at most four axes and no gather, so XNNPACK and GPU delegates run all of it.

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
        return sums_of_products(features1, features2, self.radius, self.stride)

    def get_config(self):
        return {**super().get_config(), "feature_range": self.feature_range}


def _rounded(x: tf.Tensor, largest: float) -> tf.Tensor:
    """Rounded to eight bits over [-largest, largest], of which 0 is the middle one."""
    return tf.quantization.fake_quant_with_min_max_args(x, -largest, largest, narrow_range=True)
