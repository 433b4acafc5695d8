"""The exported cost volume: the numbers of training's, in one matrix product that phones run as a whole."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.conftest import converted
from tfflow.exporting.cost_volume import PhoneCostVolume
from tfflow.exporting.facts import facts
from tfflow.layers import CostVolume


@pytest.mark.parametrize("width", [13, 17])
@pytest.mark.parametrize(("radius", "stride"), [(4, 1), (1, 1), (4, 2), (6, 3), (0, 1), (3, 1)])
def test_products_of_tiles_are_the_cost_volume(radius, stride, width):
    """Of one tile and of several, no multiple of a tile, of a batch, and of a size that is not known before."""
    features = tf.random.stateless_normal([2, 2, 9, width, 5], [1, 2])
    expected = CostVolume(radius, stride)(list(features))
    layer = PhoneCostVolume(radius, stride)
    np.testing.assert_allclose(layer(list(features)), expected, atol=1e-6)
    unknown = tf.TensorSpec([None, None, None, 5])
    np.testing.assert_allclose(tf.function(layer.call, [[unknown, unknown]])(list(features)), expected, atol=1e-6)


def test_features_are_rounded_to_the_step_of_their_range_and_their_products_are_not():
    one = tf.constant([[[[0.3]]]])
    assert PhoneCostVolume(0, feature_range=1.27)([one, one]).numpy().item() == pytest.approx(0.09, abs=1e-6)
    assert PhoneCostVolume(0, feature_range=0.254)([one, one]).numpy().item() == pytest.approx(0.254**2, abs=1e-6)
    assert PhoneCostVolume(0, feature_range=12.7)([one, 0.7 * one]).numpy().item() == pytest.approx(0.06, abs=1e-6)


@pytest.mark.parametrize(("h", "w", "operators"), [(8, 24, 30), (9, 17, 31), (8, 16, 15)])
def test_a_cost_volume_is_one_product_and_one_piece_of_at_most_four_axes(h, w, operators):
    found = facts(converted(lambda a, b: PhoneCostVolume(4)([a, b]), (1, h, w, 4), (1, h, w, 4)))
    assert found.partitions == 1 and len(found.operators) <= operators
    assert found.by_kind["BATCH_MATMUL float32"] == 1
    assert max(len(shape) for o in found.operators for shape, _ in o.inputs + o.outputs) <= 4


@pytest.mark.parametrize("width", [16, 24])
def test_in_eight_bits_it_is_one_piece_too(width):
    """XNNPACK refuses a second factor whose zero is not the number 0."""

    def rounded(a, b):
        costs = PhoneCostVolume(4, feature_range=3.1)([a, b])
        return tf.quantization.fake_quant_with_min_max_args(costs, -0.7, 0.9)

    found = facts(converted(rounded, (1, 8, width, 4), (1, 8, width, 4), eight_bits=True))
    assert found.partitions == 1 and found.by_kind["BATCH_MATMUL int8"] == 1
    assert {kind for kind in found.by_kind if kind.endswith("float32")} <= {"MUL float32", "DEQUANTIZE float32"}
