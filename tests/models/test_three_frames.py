"""Networks of three frames: parameters, what each frame does, and what their maps are."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow.errors import InputError
from tfflow.exporting.graph import Interface, phone_graph
from tfflow.models import FlowModel, both_directions, one_direction, untrained, variant
from tfflow.models.graph import frames_of, outputs_of

NAMES = ("selflow", "multiframe_hard", "multiframe_soft")
PARAMETERS = {"selflow": 4_790_876, "multiframe_hard": 7_193_316, "multiframe_soft": 10_168_302}
each = pytest.mark.parametrize("name", NAMES)


@functools.lru_cache(maxsize=4)
def both(name):
    """The network, and its graph of both directions at 64x64."""
    network = variant(name).build("float32")
    return network, both_directions(network, (64, 64), 1)


def frames(count=4, h=64, w=64):
    """A texture that moves by (2, -1) px a frame: images 1, 2, 0, 3."""
    noise = tf.random.stateless_uniform([1, h // 4 + 4, w // 4 + 4, 3], [1, 2])
    wide = tf.clip_by_value(tf.image.resize(noise, [h + 16, w + 16], "bicubic"), 0, 1)
    cut = {k: wide[:, 6 + k : 6 + k + h, 8 - 2 * k : 8 - 2 * k + w] for k in range(4)}
    return [cut[k] for k in (1, 2, 0, 3)[:count]]


@each
def test_parameters_and_outputs(name):
    network, graph = both(name)
    assert graph.count_params() == PARAMETERS[name] == variant(name).parameters
    assert variant(name).frames == frames_of(network) == 3 and graph.input_names == [
        "image1",
        "image2",
        "image0",
        "image3",
    ]
    maps = [tuple(int(n) for n in x.shape) for x in graph.outputs]
    grids = (1, 4, 8, 16, 32, 64) if name == "selflow" else (1, 2, 4, 8, 16)
    assert maps == [(2, 64 // g, 64 // g, 2) for g in grids] * len(outputs_of(network))
    names = {"selflow": ["flows12"], "multiframe_hard": ["flows12", "shares"]}
    assert list(outputs_of(network)) == names.get(name, ["flows12", "flows10", "shares"])


def test_selflow_s_widths_are_the_paper_s():
    layers = {layer.name: layer for layer in both("selflow")[1].layers}
    assert [layers[f"decoder{n}_input"].output_shape[-1] for n in (6, 2)] == [166 + 192, 166 + 32]
    assert layers["context_input"].output_shape[-1] == 68


@each
def test_every_weight_is_used_by_some_map(name):
    _, graph = both(name)
    with tf.GradientTape() as tape:
        maps = graph(frames())
        waves = [tf.cos(3.0 * tf.range(x.shape[2], dtype=tf.float32) + 0.3)[:, None] * [1.0, 0.5] for x in maps]
        total = tf.add_n([tf.reduce_sum(x * wave) for x, wave in zip(maps, waves, strict=True)])
    slopes = tape.gradient(total, graph.trainable_variables)
    assert not [v.name for v, g in zip(graph.trainable_variables, slopes, strict=True) if g is None or not np.any(g)]


@each
def test_each_direction_sees_its_own_three_frames(name):
    """1->2 takes 0, 1, 2; 2->1 takes 3, 2, 1: reversing time swaps the halves of every map."""
    _, graph = both(name)
    image1, image2, image0, image3 = frames()
    there = graph([image1, image2, image0, image3])
    back = graph([image2, image1, image3, image0])
    other_past = graph([image1, image2, tf.reverse(image0, [1]), image3])
    for x, y, z in zip(there, back, other_past, strict=True):
        scale = float(tf.reduce_max(tf.abs(x)))
        np.testing.assert_allclose(x[:1], y[1:], atol=1e-4 * scale)
        np.testing.assert_allclose(x[1:], z[1:], atol=1e-4 * scale)  # image0 is not 2->1's
        if x.shape[1] == 64:
            assert np.abs(x[:1] - z[:1]).max() > 1e-3 * scale  # and matters to 1->2


@pytest.mark.parametrize("name", NAMES[:1])  # each graph takes seconds to build
def test_one_direction_is_the_first_half_of_both(name):
    network, graph = both(name)
    alone = one_direction(network, (64, 64), 1)
    assert alone.input_names == ["image1", "image2", "image0"]
    for x, y in zip(alone(frames(3)), graph(frames()), strict=True):
        np.testing.assert_allclose(x, y[:1], atol=1e-4 * float(tf.reduce_max(tf.abs(y))))


@pytest.mark.parametrize("name", NAMES[1:])
def test_shares_add_up_and_are_their_decoder_s(name):
    _, graph = both(name)
    maps = graph(frames())
    finest, coarsest = maps[-5].numpy(), maps[-1].numpy()
    for x in maps[-5:]:
        np.testing.assert_allclose(x.numpy().sum(-1), 1.0, atol=1e-5)
        assert x.numpy().min() > 0 and np.array_equal(x[:, ::4, ::4], x[:, 3::4, 3::4])
    bias = next(v for v in graph.trainable_variables if v.name.startswith("occlusion2_head/bias"))
    bias.assign_add([3.0, 0.0])
    after = graph(frames())
    bias.assign_sub([3.0, 0.0])
    assert (after[-5].numpy()[..., 0] > finest[..., 0]).all()
    np.testing.assert_allclose(after[-1], coarsest)
    np.testing.assert_array_equal(after[0], maps[0])  # no flow hangs on it


def test_a_soft_network_starts_with_the_flows_of_a_hard_one():
    """With the weights of `future` copied to `past`, the two flows cancel: constant velocity."""
    _, graph = both("multiframe_soft")
    arrays = {v.name: v for v in graph.variables}
    before = {name: v.numpy() for name, v in arrays.items()}
    for name, v in arrays.items():
        if name.startswith("past"):
            v.assign(arrays["future" + name.removeprefix("past")])
    maps = graph(frames())
    for name, v in arrays.items():
        v.assign(before[name])
    for to_next, to_previous in zip(maps[:5], maps[5:10], strict=True):
        np.testing.assert_allclose(to_next, -to_previous, atol=1e-5)
    assert np.abs(maps[0]).max() > 1e-2


@pytest.fixture(scope="module")
def small():
    return untrained("tiny_three")


def test_image1_stands_for_a_missing_past_and_image2_for_a_missing_future(small):
    image1, image2, image0, image3 = (x.numpy() for x in frames(h=20, w=27))
    np.testing.assert_allclose(small.batch(image1, image2), small.batch(image1, image2, image1))
    assert np.abs(small.batch(image1, image2, image0) - small.batch(image1, image2)).max() > 1e-5
    np.testing.assert_allclose(
        small.flow(image1[0], image2[0], image0=image0[0]), small.batch(image1, image2, image0)[0]
    )
    there, back = small.both(image1, image2, image0, image3)
    np.testing.assert_allclose(there, small.batch(image1, image2, image0), atol=1e-5)
    np.testing.assert_allclose(back, small.batch(image2, image1, image3), atol=1e-5)
    np.testing.assert_allclose(small.both(image1, image2, image0)[1], small.batch(image2, image1), atol=1e-5)
    assert there.shape == (1, 20, 27, 2)


def test_what_does_not_fit_is_refused(small):
    image1, image2, image0 = (x.numpy() for x in frames(3, 16, 16))
    two = untrained("tiny")
    with pytest.raises(InputError, match="tiny takes two frames: leave out those before and after them"):
        two.batch(image1, image2, image0)
    with pytest.raises(InputError, match="tiny_three takes 3 frames: scales are for networks of two"):
        FlowModel("tiny_three", scales=(1, 2))
    with pytest.raises(InputError, match="TinyThree takes 3 frames: export a network of two"):
        phone_graph(small.network, Interface((16, 16)))
    with pytest.raises(ValueError, match="frames around a pair must be float32"):
        small.batch(image1, image2, image0[:, :8])
