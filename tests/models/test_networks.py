"""The networks of the table: parameters as published, and the laws that all of them keep."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tfflow import ops
from tfflow.errors import InputError
from tfflow.layers import LAYERS
from tfflow.models import VARIANTS, FlowModel, both_directions, lineage, one_direction, variant
from tfflow.models.flownet2 import FlowNet2
from tfflow.models.narrowing import narrowed
from tfflow.models.weights import assign, model_arrays

PARAMETERS = {
    "flownets": 38_676_506,  # with FlowNetC's, the sum of NVIDIA's FlowNet2 comes out: 162,518,834
    "flownetc": 39_175_298,
    "flownet2": 162_518_834,
    "unflow_c": 39_175_298,
    "unflow_cs": 77_876_900,
    "unflow_css": 116_578_502,
    "unflow_css_thin": 16_712_922,
    "spynet": 6 * 240_050,
    "pwcnet": 9_374_340,
    "pwcnet_ddflow": 4_273_628,
    "pwclite": 2_236_660,
    "selflow": 4_790_876,
    "multiframe_hard": 7_193_316,  # counted here, from the layers of the authors' code
    "multiframe_soft": 10_168_302,
    "pwcnet_uflow": 5_718_218,  # by UFlow's lists of layers; of 16,416 nothing is used
    "pwcnet_mobile": 1_178_362,
    "pwcnet_mobile_lk": 1_178_362,
    "pwcnet_mobile_v2": 1_183_114,
    "pwcnet_mobile_v3": 1_183_114,
    "pwcnet_mobile_v4": 1_183_114,
    "pwcnet_mobile_v5": 1_063_658,
    "spynet_mobile": 339_500,
    "spynet_mobile_v2": 331_358,
    "spynet_mobile_v3": 331_358,
    "spynet_mobile_v4": 331_358,
}
STRIDES = {
    "flownets": 64,
    "flownetc": 64,
    "flownet2": 64,
    "unflow_c": 64,
    "unflow_cs": 64,
    "unflow_css": 64,
    "unflow_css_thin": 64,
    "spynet": 32,
    "pwcnet": 64,
    "pwcnet_ddflow": 64,
    "pwclite": 64,
    "selflow": 64,
    "multiframe_hard": 64,
    "multiframe_soft": 64,
    "pwcnet_uflow": 32,
    "pwcnet_mobile": 32,
    "pwcnet_mobile_lk": 32,
    "pwcnet_mobile_v2": 64,
    "pwcnet_mobile_v3": 64,
    "pwcnet_mobile_v4": 64,
    "pwcnet_mobile_v5": 64,
    "spynet_mobile": 64,
    "spynet_mobile_v2": 64,
    "spynet_mobile_v3": 64,
    "spynet_mobile_v4": 64,
}
# strides of the flows that come back, fine to coarse
GRIDS = {
    "flownets": [1, 4, 8, 16, 32, 64],
    "unflow_css_thin": [1, 4, 8, 16, 32, 64] * 3,  # of its last network, of the one before it, of the first
    "spynet": [1, 2, 4, 8, 16, 32],
    "pwcnet": [1, 4, 8, 16, 32, 64],
    "pwcnet_ddflow": [1, 4, 8, 16, 32, 64],
    "pwclite": [1, 4, 8, 16, 32, 64],
    "pwcnet_uflow": [1, 4, 8, 16, 32],
    "pwcnet_mobile": [1, 4, 8, 16, 32],
    "pwcnet_mobile_lk": [1, 4, 8, 16, 32],
    "pwcnet_mobile_v2": [1, 4, 8, 16, 32, 64],
    "pwcnet_mobile_v3": [1, 4, 8, 16, 32, 64],
    "pwcnet_mobile_v4": [1, 4, 8, 16, 32, 64],
    "pwcnet_mobile_v5": [1, 4, 8, 16, 32, 64],
    "spynet_mobile": [1, 2, 4, 8, 16, 32, 64],
    "spynet_mobile_v2": [1, 4, 8, 16, 32, 64],
    "spynet_mobile_v3": [1, 4, 8, 16, 32, 64],
    "spynet_mobile_v4": [1, 4, 8, 16, 32, 64],
}
# FlowNet2, and what the thin stack of UnFlow is made of, of more channels, up to 650 MB: they have tests of their own
LARGE = ("flownetc", "flownet2", "unflow_c", "unflow_cs", "unflow_css")
# in test_three_frames.py
THREE_FRAMES = ("selflow", "multiframe_hard", "multiframe_soft")
each_network = pytest.mark.parametrize("name", [name for name in PARAMETERS if name not in LARGE + THREE_FRAMES])


def frames(b=2, h=64, w=128, seed=0):
    """Smooth frames and their shift: something that a network sees motion in."""
    noise = tf.random.stateless_uniform([b, h // 8 + 2, w // 8 + 2, 3], [seed, 1])
    image = tf.image.resize(noise, [h + 8, w + 8], "bicubic")
    image = tf.clip_by_value(image, 0, 1)
    return image[:, 4 : 4 + h, 4 : 4 + w], image[:, 3 : 3 + h, 2 : 2 + w]


def test_the_table_is_whole():
    published = {name: v for name, v in VARIANTS.items() if v.paper != "of the tests"}
    assert set(published) == set(PARAMETERS)
    for name, v in published.items():
        assert (v.name, v.parameters, v.stride) == (name, PARAMETERS[name], STRIDES[name])
        assert v.paper and v.published_weights


@each_network
def test_parameters_are_those_of_the_paper(name, built):
    used = built(name).one_way.count_params()
    assert used == PARAMETERS[name] - VARIANTS[name].idle == built(name).parameters
    assert built(name).both_ways.count_params() == used
    assert VARIANTS[name].idle == {"pwcnet": 66, "pwcnet_uflow": 16_416}.get(name, 0)


def test_ours_are_small_enough_for_phones():
    assert PARAMETERS["pwcnet_mobile"] < PARAMETERS["pwcnet_mobile_v2"] <= 1_200_000
    assert max(PARAMETERS[f"spynet_mobile{n}"] for n in ("", "_v2", "_v3", "_v4")) <= 400_000


@each_network
def test_flows_come_fine_to_coarse_in_float32(name, built):
    flows = built(name).one_way(list(frames()))
    assert [f.shape for f in flows] == [(2, 64 // g, 128 // g, 2) for g in GRIDS[name]]
    assert all(f.dtype == tf.float32 for f in flows)


@each_network
def test_one_direction_is_the_first_half_of_both(name, built):
    image1, image2 = frames()
    both = built(name).both_ways([image1, image2])
    for forward, backward, stacked in zip(
        built(name).one_way([image1, image2]), built(name).one_way([image2, image1]), both, strict=True
    ):
        scale = np.abs(stacked).max()
        assert np.abs(forward - backward).max() > 1e-3 * scale
        np.testing.assert_allclose(stacked[:2], forward, atol=1e-4 * scale)
        np.testing.assert_allclose(stacked[2:], backward, atol=1e-4 * scale)


@each_network
def test_a_pair_does_not_see_the_others_of_its_batch(name, built):
    image1, image2 = frames()
    whole = built(name).one_way([image1, image2])[0]
    alone = built(name).one_way([image1[1:], image2[1:]])[0]
    np.testing.assert_allclose(whole[1:], alone, atol=1e-4 * np.abs(whole).max())


@each_network
def test_every_weight_is_used(name, built):
    """Where a gradient is zero everywhere, a layer hangs in the air."""
    model = built(name).both_ways
    with tf.GradientTape() as tape:
        flows = model(list(frames(b=1)))
        total = tf.add_n([tf.reduce_sum(f * tf.cos(tf.range(f.shape[2], dtype=tf.float32))[:, None]) for f in flows])
    slopes = tape.gradient(total, model.trainable_variables)
    unused = [v.name for v, g in zip(model.trainable_variables, slopes, strict=True) if g is None]
    assert not unused
    # dead ReLUs may silence a channel, never a layer
    assert not [v.name for v, g in zip(model.trainable_variables, slopes, strict=True) if not np.any(g)]


def runs_of(model) -> dict[str, list[str]]:
    """layer -> the layer that it takes its (first) input from, each time it is run."""
    return {c["name"]: [node[0][0] for node in c["inbound_nodes"]] for c in model.get_config()["layers"]}


@each_network
def test_each_frame_is_encoded_once(name, built):
    """Every layer of the encoder runs once a size, over both frames: they are stacked before its first."""
    for model in (built(name).one_way, built(name).both_ways):
        runs = runs_of(model)
        smaller = [n for n in ("half_frames1", "half_frames2") if n in runs]
        assert len(smaller) == (2 if name.endswith(("_v4", "_v5")) else 0)
        first = next(n for n, inputs in runs.items() if inputs[:1] == ["frames"] and n not in smaller)
        assert first.startswith(("encoder1_conv1", "normalize", "standardize"))
        assert runs["frames"] == ["image1"]
        encoder = [n for n in runs if n.removeprefix("net1_").startswith("encoder")]
        assert bool(encoder) == name.startswith(("pwc", "unflow", "spynet_mobile_v"))
        assert {len(runs[n]) for n in [first, *encoder]} == {1 + len(smaller)}


@pytest.mark.parametrize("name", ["pwcnet", "pwcnet_mobile", "spynet"])
def test_both_directions_are_decoded_in_one_pass(name, built):
    runs = runs_of(built(name).both_ways)
    convolutions = {n: len(runs[n]) for n in runs if n.rpartition("_")[2].startswith(("conv", "flow"))}
    assert len(convolutions) > 20 and set(convolutions.values()) == {1}


@each_network
def test_only_layers_that_are_known_by_name(name, built):
    """No Lambda and no bare TensorFlow call: the quantizer must know every layer."""
    for layer in built(name).one_way.layers:
        kind = type(layer)
        assert kind.__name__ in LAYERS or kind.__module__.startswith(("tf_keras.src.layers.", "tf_keras.src.engine."))
        assert "Lambda" not in kind.__name__


@pytest.mark.parametrize("name", ["pwcnet_mobile", "spynet_mobile"])
def test_a_network_comes_back_from_json(name, built):
    model = built(name).one_way
    again = keras.models.model_from_json(model.to_json(), custom_objects=LAYERS)
    again.set_weights(model.get_weights())
    for a, b in zip(model(list(frames())), again(list(frames())), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["pwcnet_mobile", "pwcnet_mobile_lk", "spynet_mobile", "spynet_mobile_v4"])
@pytest.mark.parametrize("policy", ["mixed_bfloat16"])
def test_half_precision_keeps_weights_and_flow_in_float32(name, policy):
    network = variant(name).build(policy)
    model = one_direction(network, (64, 128))
    assert {v.dtype for v in model.weights} == {tf.float32}
    assert {f.dtype for f in model.outputs} == {tf.float32}
    computed = {layer.name: layer.compute_dtype for layer in model.layers if "conv" in layer.name}
    assert {t for n, t in computed.items() if not n.endswith("_pad")} == {"bfloat16"}
    grids = [layer for layer in model.layers if type(layer).__name__ in ("UpsampleFlow", "Add")]
    assert grids and {layer.compute_dtype for layer in grids} == {"float32"}
    assert all(np.isfinite(f).all() for f in model(list(frames(b=1))))


def test_flownetc_matches_over_20_px_of_its_grid_beside_32_channels_of_the_first_frame(built):
    model = built("flownetc").one_way
    assert model.count_params() == PARAMETERS["flownetc"] == VARIANTS["flownetc"].parameters
    layers = {layer.name: layer for layer in model.layers}
    assert layers["cost_volume3"].output_shape[-1] == 441 and layers["conv_redir"].filters == 32
    assert layers["matched"].output_shape[-1] == 473 and "cost_leaky" in layers and "encoder1_conv1_pad" in layers
    flows = model(list(frames(b=1)))
    assert [f.shape[1] for f in flows] == [64, 16, 8, 4, 2, 1] and all(np.isfinite(f).all() for f in flows)


@pytest.mark.parametrize("name", ["flownets", "flownetc"])
def test_what_comes_up_in_a_flownet(name, built):
    """The skip, features from below and upsampled flow."""
    layers = {layer.name: layer for layer in built(name).one_way.layers}
    assert [layers[f"refine{n}"].output_shape[-1] for n in (5, 4, 3, 2)] == [1026, 770, 386, 194]


def test_parameters_of_unflow_s_stacks():
    """The first network of the largest stack is C, the first two are CS."""
    model = one_direction(variant("unflow_css").build("float32"), (64, 64), 1)
    count = {n: sum(v.shape.num_elements() for v in model.weights if v.name.startswith(f"net{n}_")) for n in (1, 2, 3)}
    assert count[1] == PARAMETERS["unflow_c"] and count[1] + count[2] == PARAMETERS["unflow_cs"]
    assert sum(count.values()) == PARAMETERS["unflow_css"] == model.count_params()
    layers = {layer.name: layer for layer in model.layers}
    assert layers["net2_input"].output_shape[-1] == layers["net3_input"].output_shape[-1] == 14
    assert "net1_cost_leaky" not in layers and all(VARIANTS[name].parameters == PARAMETERS[name] for name in LARGE)


def test_later_networks_of_a_stack_see_the_flow_of_earlier_ones_and_not_the_other_way_round(built):
    model = built("unflow_css_thin").one_way
    before = [f.numpy() for f in model(list(frames(b=1)))]
    bias = next(v for v in model.weights if v.name.startswith("net2_flow2/bias"))
    bias.assign_add([1.0, -2.0])
    after = [f.numpy() for f in model(list(frames(b=1)))]
    bias.assign_sub([1.0, -2.0])
    np.testing.assert_array_equal(before[12], after[12])  # the first network's
    np.testing.assert_allclose(after[6] - before[6], np.broadcast_to([20.0, -40.0], before[6].shape), atol=1e-3)
    assert np.abs(after[0] - before[0]).max() > 1e-3


class ThinFlowNet2(FlowNet2):
    """An eighth of the channels."""

    width = 1 / 8


@pytest.fixture(scope="module")
def thin():
    return both_directions(ThinFlowNet2(), (64, 64))


class AsManyChannels(keras.layers.Layer):
    """Stands for FlowNetC's cost volume where only shapes count: its 441 products take longer than all the rest."""

    def __init__(self, radius, stride, **kwargs):
        super().__init__(**kwargs)
        assert (radius, stride) == (20, 2)

    def call(self, inputs):
        return tf.repeat(inputs[0][..., :1], 441, axis=-1)


def test_parameters_of_flownet2_s_networks(monkeypatch):
    """C, S1, S2, SD and fusion, as NVIDIA counts them."""
    monkeypatch.setattr("tfflow.models.flownet.CostVolume", AsManyChannels)
    model = one_direction(variant("flownet2").build("float32"), (64, 64), 1)
    count = {
        n: sum(v.shape.num_elements() for v in model.weights if v.name.startswith(f"net{n}_")) for n in range(1, 6)
    }
    assert count == {1: 39_175_298, 2: 38_695_322, 3: 38_695_322, 4: 45_371_666, 5: 581_226}
    assert sum(count.values()) == PARAMETERS["flownet2"] == VARIANTS["flownet2"].parameters == model.count_params()
    layers = {layer.name: layer for layer in model.layers}
    assert [layers[f"net{n}_input"].output_shape[-1] for n in (2, 3, 4, 5)] == [12, 12, 6, 11]


def test_flownet2_gives_the_fusion_s_flows_first_and_uses_every_weight(thin):
    image1, image2 = frames(b=1, w=64)
    with tf.GradientTape() as tape:
        flows = thin([image1, image2])
        total = tf.add_n([tf.reduce_sum(f * tf.cos(tf.range(f.shape[2], dtype=tf.float32))[:, None]) for f in flows])
    assert [64 // f.shape[1] for f in flows] == [1, 2, 4, *[1, 4, 8, 16, 32, 64] * 4]
    assert all(f.dtype == tf.float32 and np.isfinite(f).all() for f in flows)
    slopes = tape.gradient(total, thin.trainable_variables)
    assert not [v.name for v, g in zip(thin.trainable_variables, slopes, strict=True) if g is None or not np.any(g)]
    turned = thin([image2, image1])
    for a, b in zip(flows, turned, strict=True):
        np.testing.assert_allclose(a[:1], b[1:], atol=1e-4 * np.abs(a).max())


def test_networks_of_flownet2_see_those_before_them(thin):
    """C under S1 under S2, SD by itself, the fusion above all; units of px differ, and two are not interpolated."""
    pair = list(frames(b=1, w=64))
    before = [f.numpy() for f in thin(pair)]
    first = {5: 0, 4: 3, 3: 9, 2: 15, 1: 21}  # network -> place of its first flow
    for net, unit, moved in ((1, 20.0, (1, 2, 3, 5)), (3, 20.0, (3, 5)), (4, 1 / 20, (4, 5)), (5, 1.0, (5,))):
        bias = next(v for v in thin.weights if v.name.startswith(f"net{net}_flow{0 if net == 5 else 2}/bias"))
        bias.assign_add([1.0, -2.0])
        after = [f.numpy() for f in thin(pair)]
        bias.assign_sub([1.0, -2.0])
        assert [n for n in (1, 2, 3, 4, 5) if np.any(before[first[n]] != after[first[n]])] == list(moved)
        change = after[first[net]] - before[first[net]]
        np.testing.assert_allclose(change, np.broadcast_to([unit, -2 * unit], change.shape), atol=1e-3)
    for net, blocks in ((1, False), (2, False), (3, True), (4, True)):
        flow = before[first[net]]
        assert np.all(flow == np.repeat(np.repeat(flow[:, ::4, ::4], 4, 1), 4, 2)) == blocks


def test_uflow_s_network_leaves_out_levels_in_training_alone(built):
    """What a pair loses is drawn from its pixels: the same again for the same frames, and other levels for others."""
    model = built("pwcnet_uflow").both_ways
    image1, image2 = frames(b=8, w=64)
    plain = [f.numpy() for f in model([image1, image2])]
    trained = [f.numpy() for f in model([image1, image2], training=True)]
    again = model([image1, image2], training=True)
    assert all(np.array_equal(a, b) for a, b in zip(trained, again, strict=True))
    whole = np.array([np.array_equal(a, b) for a, b in zip(plain[0], trained[0], strict=True)])
    assert 1 <= whole.sum() <= 15  # of 16, 0.9**5 or 9 or 10 keep all five draws
    lost = [np.abs(f).max((1, 2, 3)) == 0 for f in (trained[4], plain[4])]  # the coarsest level's flow is its residual
    assert not lost[1].any()
    others = model([image1[::-1], image2[:, ::-1]], training=True)[0]
    assert not np.array_equal(whole, [np.array_equal(a, b) for a, b in zip(plain[0], others, strict=True)])


@pytest.mark.parametrize("name", [name for name in PARAMETERS if "_mobile" in name])
def test_training_starts_from_little_motion(name, built):
    """Heads give a residual that starts near zero, or else training starts by undoing a random flow."""
    flow = built(name).one_way(list(frames()))[0]
    assert np.abs(flow).mean() < 2.0


def test_shifted_frames_have_a_shifted_flow(built):
    """By a multiple of the stride, away from the border that the network sees: SpyNet's coarse levels see far, so
    one level of it, which sees 15 px to each side, stands for the law."""
    from tfflow.models.spynet import SpyNet

    model = one_direction(SpyNet(levels=1))
    image1, image2 = frames(b=1, h=64, w=96)
    flow = model([image1, image2])[0]
    moved = model([tf.roll(image1, [3, -7], [1, 2]), tf.roll(image2, [3, -7], [1, 2])])[0]
    expected = tf.roll(flow, [3, -7], [1, 2])
    np.testing.assert_allclose(moved[:, 22:-22, 26:-26], expected[:, 22:-22, 26:-26], atol=1e-5)


def test_refusals_say_what_was_expected_and_what_came():
    with pytest.raises(InputError, match=r"unknown model 'pwcnt': did you mean pwcnet.*known are flownet2, flown"):
        variant("pwcnt")
    with pytest.raises(ValueError, match=r"size must be a multiple of the network's stride 32, got \(64, 100\)"):
        one_direction(variant("pwcnet_mobile").build("float32"), (64, 100))


def test_the_lineage_of_a_network_leads_back_to_the_first():
    assert lineage("pwcnet_mobile_v3") == ("pwcnet_mobile_v3", "pwcnet_mobile_v2", "pwcnet_mobile")
    assert lineage("pwcnet") == ("pwcnet",)


def test_what_a_network_shares_with_the_one_that_it_extends(built):
    """Weights of one name have one shape, or are narrowed to it. A later network holds all of the one before; one
    SpyNet holds an encoder."""
    shared = {
        "pwcnet_mobile_lk": ("pwcnet_mobile", ""),
        "pwcnet_mobile_v2": ("pwcnet_mobile", ""),
        "pwcnet_mobile_v3": ("pwcnet_mobile_v2", ""),
        "pwcnet_mobile_v4": ("pwcnet_mobile_v3", ""),
        "pwcnet_mobile_v5": ("pwcnet_mobile_v4", ""),
        "spynet_mobile_v2": ("pwcnet_mobile_v2", "encoder"),
        "spynet_mobile_v3": ("spynet_mobile_v2", ""),
        "spynet_mobile_v4": ("spynet_mobile_v3", ""),
    }
    assert {name: v.extends for name, v in VARIANTS.items() if v.extends} == {n: o for n, (o, _) in shared.items()}
    for name, (origin, beginning) in shared.items():
        own, wider = built(name).one_way, built(origin).one_way
        shapes, start = ({k: v.shape for k, v in x.items()} for x in (model_arrays(own), narrowed(wider, own)))
        common = shapes.keys() & start.keys()
        assert {k: shapes[k] for k in common} == {k: start[k] for k in common}
        expected = {k for k in start if k.startswith(beginning) and not k.startswith("encoder5" if beginning else "-")}
        assert common == expected and len(common) >= 16


@pytest.mark.parametrize("name", ["pwcnet_mobile", "spynet_mobile"])
def test_the_third_networks_are_the_second_ones_and_a_step_of_lucas_and_kanade(name, built):
    """With the second one's weights, the flow is the step on the second one's flow."""
    second, third = built(f"{name}_v2"), FlowModel(f"{name}_v3")
    assign(third.one_way, model_arrays(second.one_way), "the second one")
    pair = list(frames(b=1))
    before, after = second.one_way(pair), third.one_way(pair)
    np.testing.assert_allclose(after[0], ops.lucas_kanade(*pair, before[0]), atol=1e-4)
    for a, b in zip(before[1:], after[1:], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_network_for_short_trainings_ends_with_a_step_at_half_and_one_at_full_resolution(built):
    """With the weights of `pwcnet_mobile`, whose flow at 1/4 it goes on from."""
    plain, stepped = built("pwcnet_mobile"), FlowModel("pwcnet_mobile_lk")
    assign(stepped.one_way, model_arrays(plain.one_way), "the network without steps")
    pair = list(frames(b=1))
    before, after = plain.one_way(pair), stepped.one_way(pair)
    halves = [tf.nn.avg_pool2d(image, 2, 2, "VALID") for image in pair]
    flow = ops.lucas_kanade(*halves, ops.resize_flow(before[1], (32, 64)))
    flow = ops.lucas_kanade(*pair, ops.resize_flow(flow, (64, 128)))
    np.testing.assert_allclose(after[0], flow, atol=1e-4)
    for a, b in zip(before[1:], after[1:], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_second_spynet_shares_a_decoder_from_1_64_to_1_16_and_matches_there_and_at_1_8(built):
    layers = {layer.name: layer for layer in built("spynet_mobile_v2").one_way.layers}
    assert {n: layer.radius for n, layer in layers.items() if n.startswith("cost_volume")} == {
        "cost_volume6": 3, "cost_volume5": 3, "cost_volume4": 3, "cost_volume3": 2,
    }  # fmt: skip
    runs = runs_of(built("spynet_mobile_v2").one_way)
    assert [len(runs[f"level{n}_conv1"]) for n in (4, 3, 2)] == [3, 1, 1]
    assert {n for n in layers if n.startswith("warp")} == {"warp5", "warp4", "warp3", "warp2"}
    assert layers["warp2"].output_shape[-1] == 16 and layers["convex"].output_shape[-1] == 144
