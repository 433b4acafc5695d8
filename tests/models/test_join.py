"""Passes over smaller frames, whose flow is joined with that of the frames at full size."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfflow import ops
from tfflow.models import FlowModel, load
from tfflow.models.join import JOINED, SMALLER
from tfflow.models.weights import assign, model_arrays

FAMILIES = ["pwcnet_mobile", "spynet_mobile"]


@pytest.fixture(scope="module", params=FAMILIES)
def both(request) -> tuple[FlowModel, FlowModel]:
    """The pretrained third network of a family, and the fourth one with its weights."""
    return joined(request.param)


def joined(family: str) -> tuple[FlowModel, FlowModel]:
    third, fourth = load(f"{family}_v3"), FlowModel(f"{family}_v4")
    assign(fourth.one_way, model_arrays(third.one_way), "the third network")
    return third, fourth


def errors(models, image1, image2, truth, inside=np.s_[:]) -> list[float]:
    """Mean endpoint error of each network, px."""
    flows = [model.one_way([image1[None], image2[None]])[0][0] for model in models]
    return [float(np.linalg.norm(flow - truth, axis=-1)[:, inside].mean()) for flow in flows]


def shifted(by: int, size=(64, 1024), seed=0):
    """Frames of a texture with detail at all scales, of which the second has moved to the right, and the true flow."""
    rng = np.random.default_rng(seed)
    h, w = size
    wide = np.zeros([h, w + by, 3])
    for cell in (2, 8, 32, 128):
        noise = rng.uniform(size=[1, h // cell + 2, (w + by) // cell + 2, 3])
        wide += tf.image.resize(noise, [h, w + by], "bicubic")[0].numpy() / 4
    wide = np.float32(np.clip(0.5 + 2 * (wide - 0.5), 0, 1))
    flow = np.broadcast_to(np.float32([by, 0]), [h, w, 2])
    return wide[:, by:], wide[:, :w], flow


def test_motion_that_is_too_large_for_a_network_is_found_in_smaller_frames(both):
    error3, error4 = errors(both, *shifted(200), np.s_[:-200])
    assert error4 < 20 < error3


def test_small_motion_is_as_before(both):
    error3, error4 = errors(both, *shifted(3, size=(128, 192)))
    assert error4 < 1.05 * error3 + 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_where_no_smaller_frame_is_clearly_better_the_flow_is_that_of_the_third_network(family, built):
    """Of random weights, whose flow at all sizes is almost 0."""
    third, fourth = built(f"{family}_v3"), FlowModel(f"{family}_v4")
    assign(fourth.one_way, model_arrays(third.one_way), "the third network")
    pair = [tf.random.stateless_uniform([1, 128, 192, 3], [seed, 0]) for seed in (1, 2)]
    for a, b in zip(third.one_way(pair), fourth.one_way(pair), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_sizes_share_their_weights_and_join_once_each(family, built):
    model = built(f"{family}_v4").one_way
    third = built(f"{family}_v3").one_way
    assert set(model_arrays(model)) == set(model_arrays(third))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("HalveFrames") == kinds.count("ChooseFlow") == SMALLER == 2
    assert JOINED == 4


def test_the_flow_of_smaller_frames_is_in_px_of_the_larger_ones(monkeypatch):
    """A choice that always takes the smaller frames: the flow at 1/16 is then theirs, resized."""
    monkeypatch.setattr(ops, "choose_flow", lambda *inputs: inputs[4])
    from tfflow.layers import plain

    monkeypatch.setattr(plain, "_GRAPHS", {})
    _, fourth = joined("pwcnet_mobile")
    image1, image2, truth = shifted(96, seed=3)
    flow = fourth.one_way([image1[None], image2[None]])[0][0]
    error = np.linalg.norm(flow - truth, axis=-1)[:, 16:-112]
    assert np.median(error) < 4
