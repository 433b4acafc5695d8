"""Layers of the exported graph: the numbers of those of training, in fewer operators and pieces for XNNPACK."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.conftest import converted
from tfflow.exporting.facts import facts
from tfflow.exporting.layers import (
    PhoneConvexUpsample,
    PhoneHalveFrames,
    PhoneL2Normalize,
    PhoneLucasKanade,
    PhoneNormalize,
    PhoneResizeFlowLike,
    PhoneWarp,
)
from tfflow.layers import ConvexUpsample, HalveFrames, LucasKanade, Normalize, ResizeFlowLike, Warp


def normal(*shape, seed=1):
    return tf.random.stateless_normal(shape, [seed, 0])


SMALL_AND_LARGE = [(9, 13), (9, 17)]
"""px of images that are warped by a matrix, and by a gather."""


@pytest.mark.parametrize(("h", "w"), SMALL_AND_LARGE)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_matrix_and_one_gather_of_four_corners_are_the_warp(batch, h, w):
    """Also of targets on whole pixels, on each border, beyond it, and farther than any integer."""
    image, flow = normal(batch, h, w, 5), 6 * normal(batch, h, w, 2, seed=2).numpy()
    flow[0, 0, :6] = [[1, 0], [w - 2, 8], [w - 1, 8], [w - 1.5, 8.5], [-0.5, -0.5], [1e30, -1e30]]
    expected = Warp()([image, tf.constant(flow)])
    assert np.abs(expected).mean() > 0.1
    np.testing.assert_allclose(PhoneWarp()([image, tf.constant(flow)]), expected, atol=5e-6)


def test_a_warp_by_another_rule_or_of_unknown_size_is_that_of_training():
    image, flow = normal(2, 6, 7, 3), 4 * normal(2, 6, 7, 2, seed=2)
    np.testing.assert_array_equal(PhoneWarp("border")([image, flow]), Warp("border")([image, flow]))
    unknown = [tf.TensorSpec([None, None, None, n]) for n in (3, 2)]
    warp = tf.function(lambda *inputs: PhoneWarp()(list(inputs)), unknown, autograph=False)
    np.testing.assert_allclose(warp(image, flow), Warp()([image, flow]), atol=5e-6)


@pytest.mark.parametrize(("h", "w"), SMALL_AND_LARGE)
def test_a_flow_that_is_not_a_number_reads_no_pixel_beyond_the_image(h, w):
    """In the file: runtimes refuse such an index, or read what is there."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=converted(lambda a, b: PhoneWarp()([a, b]), (1, h, w, 3), (1, h, w, 2)))
    interpreter.allocate_tensors()
    image, flow = normal(1, h, w, 3).numpy(), np.zeros((1, h, w, 2), np.float32)
    flow[0, 2, 3] = np.nan
    for details in interpreter.get_input_details():
        interpreter.set_tensor(details["index"], image if details["shape"][-1] == 3 else flow)
    interpreter.invoke()
    warped = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(warped[~np.isnan(flow).any(-1)], image[~np.isnan(flow).any(-1)], atol=1e-6)


def test_a_warp_is_two_pieces_and_few_operators():
    found = facts(converted(lambda a, b: PhoneWarp()([a, b]), (1, 8, 24, 4), (1, 8, 24, 2)))
    assert found.partitions == 2 and len(found.operators) <= 37 and found.by_kind["GATHER float32"] == 1
    assert "SPLIT int32" not in found.by_kind  # which GPUs refuse
    products = [o for o in found.operators if o.name in ("MUL", "ADD", "SUB")]
    assert products and all(o.outputs[0][0] in [shape for shape, _ in o.inputs] for o in products)


def test_a_small_warp_is_one_piece_without_a_gather():
    found = facts(converted(lambda a, b: PhoneWarp()([a, b]), (1, 8, 16, 4), (1, 8, 16, 2)))
    assert found.partitions == 1 and len(found.operators) <= 11 and "GATHER float32" not in found.by_kind


@pytest.mark.parametrize("factor", [2, 4])
def test_products_of_neighbours_and_weights_are_the_convex_combination(factor):
    """Also of logits that are cut off."""
    flow, logits = normal(2, 5, 7, 2), 8 * normal(2, 5, 7, 9 * factor**2, seed=2)
    assert np.abs(logits).max() > 20
    expected = ConvexUpsample(factor)([flow, logits])
    np.testing.assert_allclose(PhoneConvexUpsample(factor)([flow, logits]), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(128, 192), (192, 128), (64, 320)])
def test_frames_are_halved_and_their_flow_resized_as_in_training_by_one_operator(size):
    """Also where half the size is no multiple of 64."""
    frames = tf.random.stateless_uniform([2, *size, 3], [1, 4])
    halved = HalveFrames(64)(frames)
    np.testing.assert_allclose(PhoneHalveFrames(64)(frames), halved, atol=1e-5)
    flow = normal(2, halved.shape[1] // 8, halved.shape[2] // 8, 2)
    like = tf.zeros([2, size[0] // 16, size[1] // 16, 2])
    np.testing.assert_allclose(PhoneResizeFlowLike()([flow, like]), ResizeFlowLike()([flow, like]), atol=1e-5)
    found = facts(converted(PhoneHalveFrames(64), (1, *size, 3)))
    assert [operator.name for operator in found.operators] == ["RESIZE_BILINEAR"]


@pytest.mark.parametrize("batch", [1, 2])
def test_the_step_of_lucas_and_kanade_is_that_of_training(batch):
    """Also where flow leaves the frame, and where it leaves it far."""
    image1 = tf.random.stateless_uniform([batch, 16, 24, 3], [1, 2])
    image2 = 0.7 * image1 + 0.3 * tf.random.stateless_uniform([batch, 16, 24, 3], [1, 3])
    flow = 3 * normal(batch, 16, 24, 2).numpy()
    flow[0, 0, :4] = [[1e30, -1e30], [23, 15], [24, 16], [-0.5, -0.5]]
    inputs = [image1, image2, tf.constant(flow)]
    expected = LucasKanade()(inputs)
    assert np.abs(expected - flow).mean() > 0.01
    np.testing.assert_allclose(PhoneLucasKanade()(inputs)[:, 1:], expected[:, 1:], atol=2e-4)


def test_the_step_of_lucas_and_kanade_has_one_gather_and_takes_a_flow_that_is_not_a_number():
    from ai_edge_litert.interpreter import Interpreter

    shapes = [(1, 16, 24, n) for n in (3, 3, 2)]
    model = converted(lambda a, b, f: PhoneLucasKanade()([a, b, f]), *shapes)
    found = facts(model)
    assert found.by_kind["GATHER float32"] == 1 and len(found.operators) <= 165 and len(model) < 40_000
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    images = np.random.default_rng(0).random((2, 1, 16, 24, 3), np.float32)
    flow = np.zeros(shapes[2], np.float32)
    flow[0, 8, 12] = np.nan
    inputs = sorted(interpreter.get_input_details(), key=lambda d: d["name"])
    for details, array in zip(inputs, (*images, flow), strict=True):
        interpreter.set_tensor(details["index"], array)
    interpreter.invoke()
    result = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert np.isfinite(result).any()


def test_convex_upsampling_is_one_piece_of_at_most_four_axes():
    found = facts(converted(lambda a, b: PhoneConvexUpsample(4)([a, b]), (1, 8, 16, 2), (1, 8, 16, 144)))
    assert found.partitions == 1 and len(found.operators) <= 30
    assert max(len(shape) for o in found.operators for shape, _ in o.inputs + o.outputs) <= 4


@pytest.mark.parametrize("mean", [(0.4, 0.4, 0.4), (0.4, 0.5, 0.6)])
def test_one_number_for_all_channels_normalizes_as_three_do(mean):
    image = normal(2, 5, 7, 3)
    expected = Normalize(mean, (0.2, 0.2, 0.2))(image)
    np.testing.assert_allclose(PhoneNormalize(mean, (0.2, 0.2, 0.2))(image), expected, atol=1e-6)


def test_features_are_normalized_with_one_more_operator_in_eight_bits_alone():
    plain, eight = (facts(converted(PhoneL2Normalize(eight_bits=e), (1, 8, 16, 4))).operators for e in (False, True))
    assert len(eight) == len(plain) + 1
    features = normal(1, 8, 16, 4)
    np.testing.assert_allclose(PhoneL2Normalize(eight_bits=True)(features), PhoneL2Normalize()(features), atol=1e-6)
