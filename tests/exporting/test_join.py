"""A network that joins flows of several sizes of the frames, in eight bits."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tfflow.data.scenes import Scenes
from tfflow.exporting import convert
from tfflow.exporting.facts import facts, violations
from tfflow.exporting.graph import Interface, phone_graph
from tfflow.exporting.quantize import calibrate, flow_layers, image_ranges, precision_map, quantized
from tfflow.models import FlowModel, load
from tfflow.models.tflite import TFLiteModel
from tfflow.models.weights import assign, model_arrays

INTERFACE = Interface((64, 192))  # half of 192 is no multiple of 64


@pytest.fixture(scope="module")
def model():
    joined = FlowModel("spynet_mobile_v4")
    assign(joined.one_way, model_arrays(load("spynet_mobile_v3").one_way), "the third network")
    return joined


@pytest.fixture(scope="module")
def graph(model):
    return phone_graph(model.network, INTERFACE)


@pytest.fixture(scope="module")
def pairs():
    scenes = Scenes(INTERFACE.size, seed=4)
    return [tuple(scenes.sample(i)[k][None] for k in ("image1", "image2")) for i in range(3)]


def test_frames_of_all_sizes_keep_the_256_levels_of_the_frames(graph):
    ranges = image_ranges(graph)
    assert ranges["frames"] == ranges["half_frames1"] == ranges["half_frames2"] == (0.0, 1.0)
    assert "standardize" in ranges


def test_flow_of_all_sizes_is_float_and_so_are_the_features_that_choose(graph):
    chosen, flows = precision_map(graph), flow_layers(graph)
    for place in (1, 2):
        own = {f"half{place}_joined", f"half{place}_joined_flows", f"half{place}_joined_resized", f"half{place}_flow3"}
        assert own <= flows and not any(chosen[name].output for name in own if name in chosen)
        assert f"half{place}_joined_features" not in flows
    assert "normalize4" not in chosen


def test_the_file_gives_the_flow_of_the_network(model, graph, pairs, tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(convert.fp32(graph, INTERFACE))
    assert violations(facts(path.read_bytes()), eight_bits=False) == []
    for first, second in pairs:
        expected = model.batch(first, second)[0]
        assert np.abs(expected).mean() > 0.3
        np.testing.assert_allclose(TFLiteModel(path).raw(first[0], second[0])["flow12"], expected, atol=5e-3)


def test_in_eight_bits_the_file_computes_what_was_simulated_and_is_near_the_float_flow(graph, pairs, tmp_path):
    simulated = quantized(graph, calibrate(graph, pairs))
    path = tmp_path / "m.tflite"
    path.write_bytes(convert.int8_trained(simulated, INTERFACE))
    assert violations(facts(path.read_bytes()), eight_bits=True) == []
    for first, second in pairs:
        flow = TFLiteModel(path).raw(first[0], second[0])["flow12"]
        in_eight, in_float = (tf.nest.flatten(x([first, second], training=False))[0][0] for x in (simulated, graph))
        assert np.linalg.norm(flow - in_eight, axis=-1).mean() < 0.1
        assert np.linalg.norm(flow - in_float, axis=-1).mean() < 0.5
