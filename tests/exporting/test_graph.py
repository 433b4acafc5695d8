"""What leaves for the phone computes what the network computes, and contains what phones run."""

from __future__ import annotations

import re
import tempfile

import numpy as np
import pytest
import tensorflow as tf

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.conftest import SIZE
from tfflow.data.scenes import Scenes
from tfflow.errors import InputError
from tfflow.exporting import convert
from tfflow.exporting.facts import Facts, Operator, facts, violations
from tfflow.exporting.graph import SIGNATURE, Interface, as_function, for_phone, phone_graph
from tfflow.models import VARIANTS, both_directions, one_direction
from tfflow.models.tflite import TFLiteModel

ENDS = {"image1": (1, 4, 6, 3), "image2": (1, 4, 6, 3)}


@pytest.fixture(scope="module")
def pair():
    sample = Scenes(SIZE, seed=4).sample(0)
    return sample["image1"], sample["image2"]


@pytest.mark.parametrize(
    ("options", "outputs", "grid"),
    [
        ({}, {"flow12"}, SIZE),
        ({"both": True}, {"flow12", "flow21"}, SIZE),
        ({"quarter": True, "uint8": True}, {"flow12"}, (8, 12)),
    ],
)
def test_the_file_gives_the_flow_of_the_network(model, pair, tmp_path, options, outputs, grid):
    interface = Interface(SIZE, **options)
    path = tmp_path / "m.tflite"
    path.write_bytes(convert.fp32(phone_graph(model.network, interface), interface))
    exported = TFLiteModel(path)
    bytes_of = [np.rint(255 * x) / np.float32(255) for x in pair] if interface.uint8 else pair
    flows = exported.raw(*bytes_of)
    assert set(flows) == outputs and exported.size == SIZE
    expected12, expected21 = model.both(*(x[None].astype(np.float32) for x in bytes_of))
    assert np.abs(expected12).mean() > 0.5
    for name, expected in (("flow12", expected12[0]), ("flow21", expected21[0])):
        if name in outputs:
            assert flows[name].shape == (*grid, 2) and flows[name].dtype == np.float32
            if interface.quarter:  # bilinear from the quarter: its mean is that of the whole, but for the border
                np.testing.assert_allclose(flows[name].mean((0, 1)), expected.mean((0, 1)), rtol=0.05)
            else:
                np.testing.assert_allclose(flows[name], expected, atol=1e-3)


@pytest.mark.parametrize("name", [name for name in VARIANTS if "_mobile" in name])
def test_the_graph_that_fine_tunes_is_of_any_size_and_computes_the_same(name):
    """`int8-qat` trains the layers of the phone on crops whose number and size are not known when it is built."""
    graph = both_directions(VARIANTS[name].build())
    frames = [x[None] for x in (Scenes((64, 128), seed=4).sample(0)[k] for k in ("image1", "image2"))]
    for flow, expected in zip(for_phone(graph)(frames), graph(frames), strict=True):
        np.testing.assert_allclose(flow, expected, atol=1e-3)


def test_a_layer_that_reads_the_frames_reads_the_inputs():
    """Not copies of them, out of the batch that the encoder takes."""
    graph = one_direction(VARIANTS["spynet_mobile_v4"].build())
    first, second, _ = graph.get_layer("lucas_kanade").input
    assert first is graph.inputs[0] and second is graph.inputs[1]


def test_the_file_has_static_sizes_and_nothing_forbidden(model):
    interface = Interface((48, 64))  # of 1/4 so large that a gather warps it
    found = facts(convert.fp32(phone_graph(model.network, interface), interface))
    assert violations(found, eight_bits=False) == []
    assert found.by_kind["GATHER float32"] == 1 and found.int8_share == 0 and found.live_bytes > 0
    assert all(inputs[1][1] == "int32" for inputs in (o.inputs for o in found.operators if o.name == "GATHER"))
    # What WebGPU leaves to the processor: a comparison of a tensor with itself, and slices that drop an axis.
    slices = [o for o in found.operators if o.name == "STRIDED_SLICE"]
    assert "NOT_EQUAL bool" not in found.by_kind
    assert slices and all(len(o.outputs[0][0]) == len(o.inputs[0][0]) for o in slices)


def converted(function, shape) -> bytes:
    """A graph built to break a rule."""
    spec = tf.TensorSpec(shape, tf.float32)
    concrete = tf.function(lambda x: function(x), autograph=False).get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    return converter.convert()


@pytest.mark.parametrize(
    ("function", "shape", "line"),
    [
        (lambda x: tf.gather_nd(x, tf.cast(x[..., :3], tf.int32)), (2, 3, 4, 5), "GATHER_ND"),
        (lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]), (1, 8, 8, 2), "SPACE_TO_BATCH_ND"),
    ],
    ids=["gather_nd", "space_to_batch"],
)
def test_what_phones_refuse_is_seen(function, shape, line):
    found = violations(facts(converted(function, shape)), eight_bits=False)
    assert any(line in violation for violation in found), found


def test_flow_in_eight_bits_float_indices_and_foreign_operators_are_seen():
    def with_operator(operator):
        return Facts((operator,), 0, 0, 0, ENDS, {"flow12": (1, 4, 6, 2)})

    flow, features = ((1, 4, 6, 2), "int8"), ((1, 4, 6, 8), "int8")
    assert violations(with_operator(Operator("ADD", (flow, flow), (flow,))), True) == [
        "ADD of flow (1, 4, 6, 2) in int8, not float32"
    ]
    assert violations(with_operator(Operator("ADD", (features, features), (features,))), True) == []
    taken = Operator("GATHER", (((8, 2), "float32"), ((4,), "int64")), (((4, 2), "float32"),))
    assert violations(with_operator(taken), False) == ["GATHER by int64 indices, not int32"]
    flex = Operator("FlexLgamma", (features,), (features,))
    assert violations(with_operator(flex), False) == ["1 x FlexLgamma, which is not a built-in operator"]
    unknown = Operator("ADD", (features,), (((-1, 4, 6, 8), "float32"),))
    assert violations(with_operator(unknown), False) == ["1 operators of unknown size, first ADD"]


@pytest.mark.parametrize(
    ("inputs", "outputs", "line"),
    [
        (ENDS | {"image2": (-1, 4, 6, 3)}, {"flow12": (1, 4, 6, 2)}, r"image2 of shape \(-1, 4, 6, 3\), not fixed"),
        (ENDS | {"image2": (2, 4, 6, 3)}, {"flow12": (1, 4, 6, 2)}, r"image2 of shape \(2, 4, 6, 3\), not fixed"),
        (ENDS, {"flow12": (1, 4, -1, 2)}, r"flow12 of shape \(1, 4, -1, 2\), not fixed"),
        ({"args_0": (1, 4, 6, 3), "args_1": (1, 4, 6, 3)}, {"flow12": (1, 4, 6, 2)}, r"takes \['args_0', 'args_1'\]"),
        (ENDS, {"output_0": (1, 4, 6, 2)}, r"gives \['output_0'\], not"),
        ({}, {}, r"takes \[\] and gives \[\]"),
    ],
    ids=["open batch", "batch of two", "open width", "inputs without their names", "output without its name", "none"],
)
def test_an_open_batch_and_other_names_are_seen(inputs, outputs, line):
    (violation,) = violations(Facts((), 0, 0, 0, inputs, outputs), eight_bits=False)
    assert re.search(line, violation)
    assert violations(Facts((), 0, 0, 0, ENDS, dict.fromkeys(["flow12", "flow21"], (1, 4, 6, 2))), False) == []


def test_names_and_shapes_are_read_from_the_file():
    def run(image1, image2):
        return {"flow12": (image2 - image1)[..., :2]}

    spec, module = tf.TensorSpec([None, 4, 6, 3]), tf.Module()
    module.run = tf.function(run, input_signature=[spec, spec], autograph=False)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={SIGNATURE: module.run})
        found = facts(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
    assert found.inputs == {"image1": (-1, 4, 6, 3), "image2": (-1, 4, 6, 3)}
    assert found.outputs == {"flow12": (-1, 4, 6, 2)}
    assert sum("not fixed with the batch 1" in line for line in violations(found, eight_bits=False)) == 3


def test_multiply_adds_are_counted_from_the_kernels():
    image, kernel = ((1, 4, 6, 8), "int8"), ((16, 3, 3, 8), "int8")
    conv = Operator("CONV_2D", (image, kernel, ((16,), "int32")), (((1, 4, 6, 16), "int8"),))
    assert conv.multiply_adds == 4 * 6 * 16 * 9 * 8 and conv.eight_bits
    up = Operator("TRANSPOSE_CONV", (((4,), "int32"), ((2, 4, 4, 8), "float32"), ((1, 4, 6, 8), "float32")), ())
    assert up.multiply_adds == 4 * 6 * 2 * 16 * 8 and not up.eight_bits


def test_a_size_that_does_not_fit_is_refused_with_the_nearest(model):
    with pytest.raises(InputError, match=r"multiples of 8 .*nearest that works is 32x56"):
        phone_graph(model.network, Interface((33, 54)))


def test_the_function_has_a_batch_of_one(model):
    interface = Interface(SIZE, uint8=True)
    _, run = as_function(phone_graph(model.network, interface), interface)
    assert [tuple(s.shape) for s in run.input_signature] == [(1, *SIZE, 3)] * 2
    assert run.input_signature[0].dtype == tf.uint8
