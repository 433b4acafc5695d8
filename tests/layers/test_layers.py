"""What every layer keeps to: shapes, types under each precision, and coming back from its configuration."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tfflow.layers import (
    LAYERS,
    AbsoluteDifference,
    CentrePair,
    ChooseFlow,
    ConvexUpsample,
    CostVolume,
    DilatedConv2D,
    Frame,
    HalveFrames,
    L2Normalize,
    Length,
    LevelDropout,
    LucasKanade,
    Normalize,
    NormalizePair,
    ResizeFlowLike,
    ResizeToMultiple,
    Scale,
    StackFrames,
    SwapFrames,
    UpsampleFlow,
    Warp,
    ZeroFlow,
)

H, W = 6, 10
FEATURES, FLOW = (H, W, 4), (H, W, 2)

# layer, shapes of its inputs without batch, shape of its output for a batch of 2, type of the output: "as" the
# precision of features, or always float32
CASES = {
    "AbsoluteDifference": (lambda **k: AbsoluteDifference(**k), [FEATURES, FEATURES], (2, H, W, 4), "as"),
    "CentrePair": (lambda **k: CentrePair(**k), [FEATURES], (2, H, W, 4), "as"),
    "ChooseFlow": (lambda **k: ChooseFlow(**k), [FEATURES, FEATURES, FLOW], (2, H, W, 2), "float32"),
    "ConvexUpsample": (lambda **k: ConvexUpsample(2, **k), [FLOW, (H, W, 36)], (2, 2 * H, 2 * W, 2), "float32"),
    "CostVolume": (lambda **k: CostVolume(4, 2, **k), [FEATURES, FEATURES], (2, H, W, 25), "as"),
    "DilatedConv2D": (lambda **k: DilatedConv2D(5, 3, dilation_rate=(2, 1), **k), [FEATURES], (2, H, W, 5), "as"),
    "Frame": (lambda **k: Frame(1, 2, **k), [FEATURES], (1, H, W, 4), "as"),
    "HalveFrames": (lambda **k: HalveFrames(4, **k), [FEATURES], (2, 4, 8, 4), "as"),
    "L2Normalize": (lambda **k: L2Normalize(2.0, 1e-6, centred=True, **k), [FEATURES], (2, H, W, 4), "as"),
    "Length": (lambda **k: Length(**k), [FEATURES], (2, H, W, 1), "as"),
    "LevelDropout": (lambda **k: LevelDropout(0.5, 3, **k), [FEATURES, (H, W, 3)], (2, H, W, 4), "as"),
    "LucasKanade": (lambda **k: LucasKanade(**k), [(8, 12, 3), (8, 12, 3), (8, 12, 2)], (2, 8, 12, 2), "float32"),
    "NormalizePair": (lambda **k: NormalizePair(**k), [FEATURES, FEATURES], (2, H, W, 4), "as"),
    "ResizeFlowLike": (lambda **k: ResizeFlowLike(**k), [FLOW, (H - 1, W - 3, 3)], (2, H - 1, W - 3, 2), "float32"),
    "ResizeToMultiple": (lambda **k: ResizeToMultiple(4, **k), [FEATURES], (2, 8, 12, 4), "as"),
    "Normalize": (lambda **k: Normalize((0.1, 0.2, 0.3), (1, 2, 4), **k), [(H, W, 3)], (2, H, W, 3), "as"),
    "Scale": (lambda **k: Scale(0.625, **k), [FLOW], (2, H, W, 2), "as"),
    "StackFrames": (lambda **k: StackFrames(**k), [FEATURES, FEATURES], (4, H, W, 4), "as"),
    "SwapFrames": (lambda **k: SwapFrames(**k), [FEATURES], (2, H, W, 4), "as"),
    "UpsampleFlow": (lambda **k: UpsampleFlow(2, True, **k), [FLOW], (2, 2 * H, 2 * W, 2), "float32"),
    "Warp": (lambda **k: Warp("border", **k), [FEATURES, FLOW], (2, H, W, 4), "as"),
    "ZeroFlow": (lambda **k: ZeroFlow(**k), [FEATURES], (2, H, W, 2), "float32"),
}
POLICIES = {"float32": tf.float32, "mixed_bfloat16": tf.bfloat16, "mixed_float16": tf.float16}


def arrays(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=[2, *shape]).astype(np.float32) for shape in shapes]


def model_of(case, policy="float32"):
    make, shapes, _, _ = CASES[case]
    inputs = [keras.Input(shape, dtype="float32") for shape in shapes]
    # flow is float32 under every policy; only features come in the precision of the policy
    seen = [x if shape == FLOW else tf_cast(x, policy) for x, shape in zip(inputs, shapes, strict=True)]
    return keras.Model(inputs, make(dtype=policy, name="it")(seen if len(seen) > 1 else seen[0]))


def tf_cast(x, policy):
    return keras.layers.Activation("linear", dtype=keras.mixed_precision.Policy(policy).compute_dtype)(x)


def test_every_layer_has_a_case():
    assert set(CASES) == set(LAYERS)
    assert all(type(make()).__name__ == name for name, (make, *_) in CASES.items())


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("case", CASES)
def test_shape_and_type(case, policy):
    _, shapes, shape, kind = CASES[case]
    model = model_of(case, policy)
    result = model(arrays(shapes))
    assert result.shape == shape and model.output_shape[1:] == shape[1:]
    assert result.dtype == (POLICIES[policy] if kind == "as" else tf.float32)
    assert np.isfinite(tf.cast(result, tf.float32)).all()
    assert all(v.dtype == tf.float32 for v in model.weights)


@pytest.mark.parametrize("case", CASES)
def test_half_precision_comes_near_full(case):
    _, shapes, *_ = CASES[case]
    full, half = model_of(case), model_of(case, "mixed_bfloat16")
    half.set_weights(full.get_weights())
    expected = full(arrays(shapes)).numpy()
    np.testing.assert_allclose(tf.cast(half(arrays(shapes)), tf.float32), expected, atol=0.05, rtol=0.03)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("case", CASES)
def test_comes_back_from_json(case, policy):
    model = model_of(case, policy)
    again = keras.models.model_from_json(model.to_json(), custom_objects=LAYERS)
    again.set_weights(model.get_weights())
    config, config_again = (m.get_layer("it").get_config() for m in (model, again))
    assert json.dumps(config, default=str) == json.dumps(config_again, default=str)
    x = arrays(CASES[case][1])
    np.testing.assert_array_equal(tf.cast(model(x), tf.float32), tf.cast(again(x), tf.float32))


@pytest.mark.parametrize("case", CASES)
def test_gradients_reach_what_is_learned(case):
    _, shapes, *_ = CASES[case]
    model, x = model_of(case), [tf.constant(a) for a in arrays(shapes)]
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(model(x) ** 3)
    found = tape.gradient(total, [*x, *model.trainable_variables], unconnected_gradients="zero")
    # frames that chance is drawn from, whose size alone is read, or that a step or choice is read from: no gradient
    without = ("ZeroFlow", "LevelDropout", "ResizeFlowLike", "LucasKanade", "ChooseFlow")
    assert all(np.abs(g).max() > 0 for g in found) == (case not in without)


@pytest.fixture
def mixed_everywhere():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    yield
    keras.mixed_precision.set_global_policy("float32")


def test_flow_is_never_rounded_whatever_the_global_policy(mixed_everywhere):
    """A column of 300.25 px cannot be written in eight bits of mantissa."""
    flow = np.full([1, 3, 4, 2], 0.25, np.float32) + np.float32([300, 0])
    up = UpsampleFlow(2)(flow)
    np.testing.assert_array_equal(up, np.broadcast_to(np.float32([600.5, 0.5]), [1, 6, 8, 2]))
    assert ZeroFlow()(tf.ones([1, 3, 4, 2], tf.bfloat16)).dtype == tf.float32
    wide = tf.cast(np.arange(512) % 2, tf.bfloat16)[None, None, :, None] * tf.ones([1, 2, 1, 1], tf.bfloat16)
    warped = Warp()([wide, tf.ones([1, 2, 512, 2]) * [257.0, 0.0]])
    assert warped.dtype == tf.bfloat16
    np.testing.assert_array_equal(tf.cast(warped, tf.float32)[0, 0, :255, 0], (np.arange(255) + 257) % 2)


def test_scale_normalize_and_length_do_what_their_names_say():
    x = arrays([(H, W, 3)])[0]
    np.testing.assert_allclose(Scale(-2.5)(x), -2.5 * x, rtol=1e-6)
    mean, std = np.float32([0.1, 0.2, 0.3]), np.float32([0.5, 2, 4])
    np.testing.assert_allclose(Normalize(mean.tolist(), std.tolist())(x), (x - mean) / std, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(L2Normalize(3.0)(x), axis=-1), 3.0, rtol=1e-5)
    np.testing.assert_allclose(L2Normalize()(x) * np.linalg.norm(x, axis=-1, keepdims=True), x, atol=1e-5)


def test_length_of_no_feature_is_zero_and_has_a_finite_gradient():
    x = tf.zeros([1, 2, 3, 4])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = L2Normalize(2.0)(x)
    assert not y.numpy().any()
    assert np.isfinite(tape.gradient(y, x)).all()


def test_length_of_small_half_precision_features_does_not_vanish():
    """Squares of 1e-4 are below float16; they are summed in float32."""
    x = tf.constant([[[[1e-4, 0, 0]]]], tf.float16)
    np.testing.assert_allclose(L2Normalize(1.0, dtype="mixed_float16")(x)[0, 0, 0, 0], 1.0, rtol=2e-3)


def test_mean_of_the_costs_of_unit_features_is_their_cosine():
    f1, f2 = arrays([FEATURES, FEATURES])
    unit = L2Normalize(FEATURES[-1] ** 0.5)
    costs = CostVolume(1)([unit(f1), unit(f2)]).numpy()
    cosine = (f1 * f2).sum(-1) / np.linalg.norm(f1, axis=-1) / np.linalg.norm(f2, axis=-1)
    np.testing.assert_allclose(costs[..., 4], cosine, atol=1e-5)


def test_centred_features_correlate_whatever_they_have_in_common():
    f1, f2 = arrays([FEATURES, FEATURES])
    unit = L2Normalize(FEATURES[-1] ** 0.5, centred=True)
    costs = CostVolume(0)([unit(f1 + 7.0), unit(3.0 * f2 - 5.0)]).numpy()[..., 0]
    flat = zip(f1.reshape(-1, FEATURES[-1]), f2.reshape(-1, FEATURES[-1]), strict=True)
    np.testing.assert_allclose(costs.ravel(), [np.corrcoef(a, b)[0, 1] for a, b in flat], atol=1e-4)


@pytest.mark.parametrize("align_corners", [False, True])
def test_an_upsampled_constant_flow_is_twice_as_long(align_corners):
    flow = np.broadcast_to(np.float32([1.5, -3.0]), [1, 3, 5, 2])
    np.testing.assert_allclose(
        UpsampleFlow(4, align_corners)(flow), np.broadcast_to([6.0, -12.0], [1, 12, 20, 2]), rtol=1e-6
    )


def test_warp_fades_outside_or_repeats_the_border():
    features = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1) + 1
    flow = np.broadcast_to(np.float32([2, 1]), [1, 3, 4, 2])
    np.testing.assert_array_equal(Warp()([features, flow])[0, :, :, 0], [[7, 8, 0, 0], [11, 12, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(
        Warp("border")([features, flow])[0, :, :, 0], [[7, 8, 8, 8], [11, 12, 12, 12], [11, 12, 12, 12]]
    )


def test_refusals_say_what_was_expected_and_what_came():
    with pytest.raises(ValueError, match=r"`index` must be in \[0, 2\), got 2"):
        Frame(2, 2)
    with pytest.raises(ValueError, match="`radius` must be a multiple of `stride`, both positive, got radius 5, str"):
        CostVolume(5, 2)
    with pytest.raises(ValueError, match=r"DilatedConv2D needs odd kernels and stride 1, got \(4, 3\), \(1, 1\)"):
        DilatedConv2D(8, (4, 3))
    with pytest.raises(ValueError, match=r"DilatedConv2D needs odd kernels and stride 1, got \(3, 3\), \(2, 2\)"):
        DilatedConv2D(8, 3, strides=2)
    with pytest.raises(ValueError, match="DilatedConv2D takes no groups, got 2"):
        DilatedConv2D(8, 3, groups=2)
    with pytest.raises(ValueError, match=r"`rate` must be in \[0, 1\), got 1"):
        LevelDropout(1)
    with pytest.raises(ValueError, match="`outside` must be one of zero, border, strict, ddflow, got 'reflect'"):
        Warp("reflect")


def test_an_absolute_difference_has_one_sign():
    a, b = arrays([FEATURES, FEATURES])
    np.testing.assert_allclose(AbsoluteDifference()([a, b]), np.abs(a - b), rtol=1e-6)


def test_a_pair_of_frames_loses_the_mean_of_both():
    stacked = arrays([FEATURES])[0] + np.float32([5.0, 0, -3, 1])
    stacked = np.concatenate([stacked, 2 * stacked + 1])  # two pairs: 0 and 2, 1 and 3
    centred = CentrePair()(stacked).numpy()
    for i in (0, 1):
        mean = stacked[[i, i + 2]].astype(np.float64).mean((0, 1, 2))
        np.testing.assert_allclose(centred[[i, i + 2]], stacked[[i, i + 2]] - mean, atol=1e-5)


def test_a_pair_of_features_is_normalised_by_the_statistics_of_both():
    a, b = (4 * x + shift for x, shift in zip(arrays([FEATURES, FEATURES]), (1.0, -2.0), strict=True))
    for x, y in ((a, b), (b, a)):
        for i in (0, 1):
            mean = (x[i].mean() + y[i].mean()) / 2
            expected = (x[i] - mean) / np.sqrt((x[i].var() + y[i].var()) / 2)
            np.testing.assert_allclose(NormalizePair()([x, y])[i], expected, atol=1e-5)


def test_length_of_a_vector_and_of_none():
    x = tf.constant([[[[3.0, -4.0], [0.0, 0.0]]]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = Length()(x)
    np.testing.assert_allclose(y[0, 0, :, 0], [5, 1e-6])
    np.testing.assert_allclose(tape.gradient(y, x)[0, 0], [[0.6, -0.8], [0, 0]], atol=1e-6)


def test_level_dropout_takes_whole_pairs_by_their_frames_in_training_alone():
    n = 400
    x, y = np.ones([n, 2, 3, 4], np.float32), np.ones([n, 1, 1, 2], np.float32)
    one, other = (np.random.default_rng(i).uniform(-1, 1, [n, 4, 5, 3]).astype(np.float32) for i in (0, 1))
    layer = LevelDropout(0.25, 2)
    np.testing.assert_array_equal(layer([x, one]), x)
    kept = layer([x, one], training=True).numpy()
    assert set(np.unique(kept.mean((1, 2, 3)))) == {0.0, 1.0} and 0.68 < kept.mean() < 0.82
    alike = LevelDropout(0.25, 2)([y, one], training=True).numpy()
    np.testing.assert_array_equal(alike[:, 0, 0, 0], kept[:, 0, 0, 0])  # one draw for all of a place
    for frames, place in ((other, 2), (one, 3)):
        assert np.any(LevelDropout(0.25, place)([x, frames], training=True).numpy() != kept)
    compiled = tf.function(lambda a, b: layer([a, b], training=True), jit_compile=True)(x, one).numpy()
    assert set(np.unique(compiled.mean((1, 2, 3)))) == {0.0, 1.0} and 0.68 < compiled.mean() < 0.82


@pytest.mark.parametrize("case", ["ConvexUpsample", "CostVolume", "LucasKanade", "UpsampleFlow", "Warp"])
def test_a_layer_of_unknown_size_is_one_operator_with_the_same_result_and_gradient(case):
    make, shapes, _, _ = CASES[case]
    values = [tf.random.stateless_normal([2, *shape], [1, 2]) for shape in shapes]
    inputs = [tf.TensorSpec([None, None, None, shape[-1]]) for shape in shapes]
    counts = []

    def results(*x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            before = len(tf.compat.v1.get_default_graph().get_operations())
            y = make(name="first")(list(x) if len(x) > 1 else x[0])
            counts.append(len(tf.compat.v1.get_default_graph().get_operations()) - before)
        return y, [g for g in tape.gradient(y, x) if g is not None]

    flexible = tf.function(results, inputs, autograph=False)(*values)
    fixed = tf.function(results, autograph=False)(*values)
    for one, other in zip(tf.nest.flatten(flexible), tf.nest.flatten(fixed), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
    assert counts[0] < 5 < counts[1]


def test_layers_of_other_settings_share_no_graph():
    a, b, flow = keras.Input((None, None, 4)), keras.Input((None, None, 4)), keras.Input((None, None, 2))
    layers = [CostVolume(1)([a, b]), CostVolume(2)([a, b]), CostVolume(2, 2)([a, b])]
    layers += [Warp()([a, flow]), Warp("border")([a, flow]), UpsampleFlow()(flow), UpsampleFlow(2, True)(flow)]
    values = [tf.random.stateless_normal([1, H, W, n], [n, 2]) for n in (4, 4, 2)]
    x, y, uv = values
    fixed = [CostVolume(1)([x, y]), CostVolume(2)([x, y]), CostVolume(2, 2)([x, y])]
    fixed += [Warp()([x, uv]), Warp("border")([x, uv]), UpsampleFlow()(uv), UpsampleFlow(2, True)(uv)]
    for one, other in zip(keras.Model([a, b, flow], layers)(values), fixed, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
