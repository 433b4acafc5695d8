"""Eight bits where they belong, float where the flow is; and the converter keeps to it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.conftest import SIZE
from tests.training import tiny  # noqa: F401 (registers its networks)
from tfflow.data.scenes import Scenes
from tfflow.exporting import convert, quantize
from tfflow.exporting.exporter import MAKERS, Exporter
from tfflow.exporting.facts import facts, violations
from tfflow.exporting.finetune import FineTuning, assign_weights_and_ranges
from tfflow.exporting.graph import Interface, for_phone, phone_graph
from tfflow.exporting.precisions import PRECISIONS
from tfflow.exporting.quantize import (
    Int8,
    calibrate,
    flow_layers,
    flow_strides,
    head_features,
    image_ranges,
    precision_map,
    quantized,
    variables,
)
from tfflow.models import FlowModel, both_directions
from tfflow.models.tflite import TFLiteModel
from tfflow.recipes import get_recipe
from tfflow.training.fitting import fitted

INTERFACE = Interface(SIZE)
LEVELS = (pytest.approx((0 - 0.45) / 0.25), pytest.approx((1 - 0.45) / 0.25))
"""Of frames in [0, 1], standardized."""
SCENES = Scenes(SIZE, seed=4, count=6)


@pytest.fixture(scope="module")
def graph(model):
    return phone_graph(model.network, INTERFACE)


@pytest.fixture(scope="module")
def pairs():
    return [tuple(SCENES.sample(i)[k][None] for k in ("image1", "image2")) for i in range(3)]


@pytest.fixture(scope="module")
def ranges(graph, pairs):
    return calibrate(graph, pairs)


@pytest.fixture(scope="module")
def fake(graph, ranges):
    return quantized(graph, ranges)


@pytest.fixture(scope="module")
def contents(fake):
    return convert.int8_trained(fake, INTERFACE)


def test_flow_is_float_and_its_copies_for_convolutions_are_not(graph):
    float_layers = flow_layers(graph)
    assert float_layers >= {"decoder2_flow", "decoder3_flow", "context_flow", "up_flow2", "flow2", "refined"}
    chosen = {name for name, config in precision_map(graph).items() if config.output}
    assert not chosen & float_layers
    assert chosen >= {
        "frames",
        "flow_in2",
        "flow_in_context",
        "warp2",
        "cost_volume2",
        "encoder1_conv1",
        "context_conv2",
    }


def test_of_two_channels_that_are_upsampled_flow_alone_stays_float(pairs):
    graph = phone_graph(FlowModel("upsampling").network, INTERFACE)
    found = facts(convert.int8_trained(quantized(graph, calibrate(graph, pairs)), INTERFACE))
    upsampled = [o for o in found.operators if o.name == "TRANSPOSE_CONV"]
    assert {o.makes_flow: o.outputs[0][1] for o in upsampled} == {True: "float32", False: "int8"}
    assert violations(found, eight_bits=True) == []


def test_what_coarse_flow_is_read_from_is_float(graph):
    """Of the levels at 1/8 and 1/4 the first; the second's features are read by the context, too."""
    strides = flow_strides(graph)
    assert strides["decoder3_flow"] == 8 and strides["decoder2_flow"] == strides["context_flow"] == 4
    assert head_features(graph) == {"decoder3_conv2", "decoder3_conv2_leaky"}
    chosen = precision_map(graph)
    assert "decoder3_conv2_leaky" not in chosen and not chosen["decoder3_conv2"].output  # its weights alone


def test_the_graph_of_training_has_the_precision_map_of_the_phone_s(model, graph):
    """It is of any size, of both directions, and gives every level's flow."""
    maps = [precision_map(g) for g in (graph, for_phone(both_directions(model.network)))]
    of_phone, of_training = ({name: config.output for name, config in chosen.items()} for chosen in maps)
    assert of_training == of_phone


def test_ranges_are_those_of_the_outputs(graph, pairs, ranges):
    look = keras.Model(graph.inputs, graph.get_layer("encoder2_conv1").output)
    outputs = [look(list(p)).numpy() for p in pairs]
    low, high = np.mean([x.min() for x in outputs]), np.mean([x.max() for x in outputs])
    assert ranges["encoder2_conv1"] == (pytest.approx(min(low, 0), rel=1e-4), pytest.approx(high, rel=1e-4))
    assert ranges["frames"] == (0.0, 1.0)
    look = keras.Model(graph.inputs, graph.get_layer("cost_volume2").input)
    greatest = np.mean([max(np.abs(x).max() for x in look(list(p))) for p in pairs])
    assert ranges["cost_volume2_features"] == (pytest.approx(-greatest, rel=1e-4), pytest.approx(greatest, rel=1e-4))


def test_images_keep_the_256_levels_of_the_frames(graph, fake, ranges):
    assert image_ranges(graph) == {"image1": (0, 1), "image2": (0, 1), "frames": (0, 1), "standardize": LEVELS}
    assert ranges["standardize"] == LEVELS
    levels = (np.arange(SIZE[0] * SIZE[1] * 3) % 256).reshape(1, *SIZE, 3).astype(np.float32) / 255
    look = keras.Model(fake.inputs, fake.get_layer("quant_standardize").output)
    off = look([levels, levels]).numpy() - (np.concatenate([levels, levels]) - 0.45) / 0.25
    np.testing.assert_allclose(off, off[0, 0, 0, 0], atol=1e-5)  # not one level is rounded to its neighbour's
    assert abs(off[0, 0, 0, 0]) < 0.5 / 255 / 0.25


def test_images_that_are_halved_and_warped_keep_their_range():
    graph = phone_graph(FlowModel("spynet_mobile").network, Interface((64, 64)))
    found = image_ranges(graph)
    assert [found[name] for name in ("normalize", "halve", "warp1", "warp5")] == 4 * [LEVELS]
    assert not {"level1_input", "flow_in1", "level1_conv1"} & set(found)


def test_what_only_a_cost_volume_reads_is_rounded_once(graph, ranges):
    """By the cost volume, before and after a calibration, which watches what cost volumes read."""
    assert ranges and not {"normalize2", "normalize3"} & set(precision_map(graph))


def test_the_fake_quantized_graph_is_near_the_float_one_and_not_it(graph, fake, pairs):
    for a, b in pairs:
        exact, rounded = graph([a, b]).numpy(), fake([a, b], training=False).numpy()
        gap = np.linalg.norm(exact - rounded, axis=-1).mean()
        assert 1e-4 < gap < 0.1 * np.linalg.norm(exact, axis=-1).mean()


def test_the_converted_network_computes_what_was_simulated(contents, fake, pairs, tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(contents)
    exported = TFLiteModel(path)
    for a, b in pairs:
        expected = fake([a, b], training=False).numpy()[0]
        gap = np.linalg.norm(exported.raw(a[0], b[0])["flow12"] - expected, axis=-1).mean()
        assert gap < 0.03 * np.linalg.norm(expected, axis=-1).mean()


def test_the_converted_network_keeps_the_precision_map(contents):
    found = facts(contents)
    assert violations(found, eight_bits=True) == []
    heads = [o for o in found.operators if o.name == "CONV_2D" and o.outputs[0][0][-1] == 2]
    warp = [o for o in found.operators if o.name == "CONV_2D" and o.inputs[0][0][-1] == 2]
    others = [o for o in found.operators if o.name == "CONV_2D" and o not in heads + warp]
    assert warp and not any(o.eight_bits for o in warp)  # it spreads coordinates
    assert len(heads) == 3 and not any(o.outputs[0][1] == "int8" for o in heads)
    (before_coarse_head,) = (o for o in others if not o.eight_bits)
    assert len(others) > 8 and before_coarse_head.outputs[0] == ((1, 4, 6, 6), "float32")
    kernel = next(o for o in found.operators if before_coarse_head.inputs[1] in o.outputs and o.name == "DEQUANTIZE")
    assert kernel.inputs[0] == ((6, 3, 3, 8), "int8")
    assert found.by_kind["MEAN float32"] and not found.by_kind.get("MEAN int8")  # TensorFlow Lite 2.18 crashes on those
    assert found.by_kind["BATCH_MATMUL int8"] == 2 and found.by_kind["ABS float32"] == 1


def test_flow_heads_in_eight_bits_are_refused(model, ranges, monkeypatch):
    """The rule fails on a graph whose heads are quantized like all other convolutions."""
    graph = phone_graph(model.network, INTERFACE)
    everything = precision_map(graph) | {layer.name: Int8() for layer in graph.layers if hasattr(layer, "kernel")}
    monkeypatch.setattr(quantize, "precision_map", lambda graph: everything)
    wide = dict.fromkeys(everything, (-8.0, 8.0)) | ranges
    contents = convert.int8_trained(quantized(graph, wide), INTERFACE)
    assert any("of flow" in line for line in violations(facts(contents), eight_bits=True))


@pytest.mark.parametrize("name", ["supervised", "arflow", "self_taught_mobile"])
def test_fine_tuning_learns_as_the_recipe_does(name, pairs):
    """From ground truth, of a second pass, or of a teacher; compiled, as in use."""
    tiny_model = FlowModel("tiny")
    ranges = calibrate(phone_graph(tiny_model.network, INTERFACE), pairs)
    recipe, _ = fitted(dataclasses.replace(get_recipe(name), crop=SIZE, batch=2), tiny_model)
    tuning = FineTuning(tiny_model.network, ranges, recipe, SCENES, tf.distribute.get_strategy())
    before, losses = tuning.weights()["quant_level3_flow/kernel"], []
    tuning.run(1, lambda step, loss: losses.append(loss))
    assert np.isfinite(losses).all() and np.abs(tuning.weights()["quant_level3_flow/kernel"] - before).max() > 0


@pytest.fixture(scope="module")
def tuned(model, ranges, eagerly):
    """Ten steps of fine-tuning at a high rate: weights and ranges before and after each, losses and rates."""
    recipe = dataclasses.replace(get_recipe("ddflow_quick"), crop=SIZE, batch=2)
    tuning = FineTuning(model.network, ranges, recipe, SCENES, tf.distribute.get_strategy(), rate=2e-3)
    weights, losses, rates = [tuning.weights()], [], []

    def noted(step: int, loss: float) -> None:
        weights.append(tuning.weights())
        losses.append(loss)
        rates.append(float(tuning.optimizer.learning_rate))

    tuning.run(10, noted)
    return weights, losses, rates


def test_fine_tuning_moves_weights_and_lowers_its_loss(model, ranges, tuned):
    (before, *_, after), losses, _ = tuned
    assert np.isfinite(losses).all() and len(losses) == 10
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    moved = {name for name in before if np.abs(after[name] - before[name]).max() > 1e-6}
    assert moved >= {"quant_encoder1_conv1/kernel", "quant_encoder1_conv1/output_max", "quant_decoder2_flow/kernel"}
    assert not {
        name for name in moved if name.startswith(("quant_frames", "quant_standardize"))
    }  # images do not change
    one_way = quantized(phone_graph(model.network, INTERFACE), ranges)
    assign_weights_and_ranges(one_way, after, ranges)
    for name, v in variables(one_way).items():
        np.testing.assert_array_equal(v, after[name], err_msg=name)


def test_its_rate_falls_evenly_to_nothing(tuned):
    np.testing.assert_allclose(tuned[2], 2e-3 * np.linspace(1, 0.1, 10), rtol=1e-5)


def test_ranges_are_frozen_at_the_end(tuned):
    values = [float(weights["quant_encoder1_conv1/output_max"]) for weights in tuned[0][1:]]
    assert len(set(values[:8])) == 8 and values[8] == values[9] == values[7]


def test_every_rung_of_the_ladder_is_near_the_float_flow(model, tmp_path):
    exporter = Exporter(model, Interface(SIZE, both=True), SCENES)
    a, b = (SCENES.sample(5)[k] for k in ("image1", "image2"))
    exact = model.flow(a, b)
    sizes = {}
    assert tuple(MAKERS) == PRECISIONS
    for precision in set(PRECISIONS) - {"int8-qat"}:  # which needs a recipe
        path = tmp_path / f"{precision}.tflite"
        path.write_bytes(exporter.make(precision).contents)
        sizes[precision] = path.stat().st_size
        exported = TFLiteModel(path)
        assert exported.order == {"image1": 0, "image2": 1, "flow12": 0, "flow21": 1}
        gap = np.linalg.norm(exported.flow(a, b) - exact, axis=-1).mean()
        limit = {"fp32": 1e-4, "int16x8": 0.05}.get(precision, 0.2)
        assert gap < limit * np.linalg.norm(exact, axis=-1).mean(), precision
    assert sizes["fp16"] < sizes["fp32"]
    kinds = facts((tmp_path / "int16x8.tflite").read_bytes()).by_kind
    assert kinds["CONV_2D int16"] == facts(exporter.fp32).by_kind["CONV_2D float32"] and kinds["ABS float32"] == 1


def test_flow_that_enters_a_concatenation_as_it_is_stays_float_too(pairs, tmp_path):
    """SpyNet's: its copies are rounded inside, and the flow that is summed and warped by is not."""
    model = FlowModel("tiny")
    graph = phone_graph(model.network, INTERFACE)
    ranges = calibrate(graph, pairs)
    assert {name for name in ranges if name.endswith("_flow")} == {"level2_input_flow", "level3_input_flow"} | (
        {"level1_input_flow"} & set(ranges)
    )
    fake = quantized(graph, ranges)
    contents = convert.int8_trained(fake, INTERFACE)
    found = facts(contents)
    assert violations(found, eight_bits=True) == []
    assert any(o.name == "CONCATENATION" and o.outputs[0][1] == "int8" for o in found.operators)
    path = tmp_path / "m.tflite"
    path.write_bytes(contents)
    a, b = pairs[0]
    expected = np.asarray(fake([a, b], training=False))[0]
    gap = np.linalg.norm(TFLiteModel(path).raw(a[0], b[0])["flow12"] - expected, axis=-1).mean()
    assert gap < 0.05 * max(1.0, np.linalg.norm(expected, axis=-1).mean())
