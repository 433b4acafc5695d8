"""Layers of the exported graph: the numbers of those of training, in fewer operators and pieces for XNNPACK."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.conftest import converted
from tfflow.exporting.facts import facts
from tfflow.exporting.layers import PhoneConvexUpsample, PhoneNormalize, PhoneWarp
from tfflow.layers import ConvexUpsample, Normalize, Warp


def normal(*shape, seed=1):
    return tf.random.stateless_normal(shape, [seed, 0])


@pytest.mark.parametrize("batch", [1, 3])
def test_one_gather_of_four_corners_is_the_warp(batch):
    """Also of targets on whole pixels, on each border, beyond it, and farther than any integer."""
    image, flow = normal(batch, 9, 13, 5), 6 * normal(batch, 9, 13, 2, seed=2).numpy()
    flow[0, 0, :6] = [[1, 0], [11, 8], [12, 8], [11.5, 8.5], [-0.5, -0.5], [1e30, -1e30]]
    expected = Warp()([image, tf.constant(flow)])
    assert np.abs(expected).mean() > 0.1
    np.testing.assert_allclose(PhoneWarp()([image, tf.constant(flow)]), expected, atol=5e-6)


def test_a_warp_by_another_rule_or_of_unknown_size_is_that_of_training():
    image, flow = normal(2, 6, 7, 3), 4 * normal(2, 6, 7, 2, seed=2)
    np.testing.assert_array_equal(PhoneWarp("border")([image, flow]), Warp("border")([image, flow]))
    unknown = [tf.TensorSpec([None, None, None, n]) for n in (3, 2)]
    warp = tf.function(lambda *inputs: PhoneWarp()(list(inputs)), unknown, autograph=False)
    np.testing.assert_allclose(warp(image, flow), Warp()([image, flow]), atol=5e-6)


def test_a_flow_that_is_not_a_number_reads_no_pixel_beyond_the_image():
    """In the file: runtimes refuse such an index, or read what is there."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=converted(lambda a, b: PhoneWarp()([a, b]), (1, 6, 7, 3), (1, 6, 7, 2)))
    interpreter.allocate_tensors()
    image, flow = normal(1, 6, 7, 3).numpy(), np.zeros((1, 6, 7, 2), np.float32)
    flow[0, 2, 3] = np.nan
    for details in interpreter.get_input_details():
        interpreter.set_tensor(details["index"], image if details["shape"][-1] == 3 else flow)
    interpreter.invoke()
    warped = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(warped[~np.isnan(flow).any(-1)], image[~np.isnan(flow).any(-1)], atol=1e-6)


def test_a_warp_is_two_pieces_and_few_operators():
    found = facts(converted(lambda a, b: PhoneWarp()([a, b]), (1, 8, 16, 4), (1, 8, 16, 2)))
    assert found.partitions == 2 and len(found.operators) <= 32 and found.by_kind["GATHER float32"] == 1


@pytest.mark.parametrize("factor", [2, 4])
def test_products_of_neighbours_and_weights_are_the_convex_combination(factor):
    """Also of logits that are cut off."""
    flow, logits = normal(2, 5, 7, 2), 8 * normal(2, 5, 7, 9 * factor**2, seed=2)
    assert np.abs(logits).max() > 20
    expected = ConvexUpsample(factor)([flow, logits])
    np.testing.assert_allclose(PhoneConvexUpsample(factor)([flow, logits]), expected, atol=1e-5)


def test_convex_upsampling_is_one_piece_of_at_most_four_axes():
    found = facts(converted(lambda a, b: PhoneConvexUpsample(4)([a, b]), (1, 8, 16, 2), (1, 8, 16, 144)))
    assert found.partitions == 1 and len(found.operators) <= 30
    assert max(len(shape) for o in found.operators for shape, _ in o.inputs + o.outputs) <= 4


@pytest.mark.parametrize("mean", [(0.4, 0.4, 0.4), (0.4, 0.5, 0.6)])
def test_one_number_for_all_channels_normalizes_as_three_do(mean):
    image = normal(2, 5, 7, 3)
    expected = Normalize(mean, (0.2, 0.2, 0.2))(image)
    np.testing.assert_allclose(PhoneNormalize(mean, (0.2, 0.2, 0.2))(image), expected, atol=1e-6)
