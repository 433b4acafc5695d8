"""Terms of three frames against loops written from their definitions, and their values where nothing is wrong."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.losses.views import H, N, W, field, picture, still, view
from tests.ops import oracles
from tfflow import ops
from tfflow.losses import (
    AtLevel,
    Charbonnier,
    ConstantVelocity,
    EndpointError,
    MultiFramePhotometric,
    Past,
    Photometric,
    ShareSmoothness,
    Smoothness,
    TwoShares,
)

RHO = Charbonnier(alpha=0.5)


def rho(x):
    return np.sqrt(np.square(x) + 1e-6)


def shares(seed=0, h=H, w=W):
    first = np.random.default_rng(300 + seed).uniform(0.1, 0.9, [N, h, w, 1]).astype(np.float32)
    return np.concatenate([first, 1 - first], -1)


def three(**changes):
    """A View of three frames with all that a network may give."""
    fields = {"image0": picture(2), "flows10": (field(7),), "shares": (shares(),), **changes}
    extra = {k: v if v is None else tuple(map(tf.constant, v)) for k, v in fields.items() if k != "image0"}
    return dataclasses.replace(view(), image0=None if fields["image0"] is None else tf.constant(picture(2)), **extra)


def half(h=H, w=W):
    return (np.full([N, h, w, 2], 0.5, np.float32),)


def inside(flow):
    y, x = np.mgrid[:H, :W]
    x, y = x + flow[..., 0], y + flow[..., 1]
    return (x >= 0) & (x <= W - 1) & (y >= 0) & (y <= H - 1)


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize(("brightness", "gradients"), [(1.0, 0.0), (0.0, 1.0), (0.5, 2.0)])
def test_photometric_of_three_frames_is_its_definition(hard, brightness, gradients):
    v = three()
    flow10 = -field() if hard else field(7)
    total = 0.0
    for image, flow, share in ((picture(1), field(), shares()[..., 0]), (picture(2), flow10, shares()[..., 1])):
        warped = oracles.backward_warp(image, flow, "border")
        cost = brightness * rho(picture() - warped).sum(-1)
        for axis in (1, 2):
            change = np.diff(picture(), axis=axis) - np.diff(warped, axis=axis)
            pad = [(0, 0)] * 4
            pad[axis] = (0, 1)
            cost += gradients * rho(np.pad(change, pad)).sum(-1)
        total += share * np.where(inside(flow), cost, 0.7)
    term = MultiFramePhotometric(RHO, brightness, gradients, outside=0.7, hard=hard)
    np.testing.assert_allclose(term(v), total.mean((1, 2)) / 6, rtol=2e-4)


def test_what_nothing_wrong_costs():
    """0.001 is the least of the authors' penalty: 3 colours x 0.001, shared among 2 frames and averaged over 6."""
    v = dataclasses.replace(still(), image0=still().image1, flows10=still().flows12, shares=half())
    np.testing.assert_allclose(MultiFramePhotometric(RHO)(v), 0.0005, rtol=1e-3)
    np.testing.assert_allclose(MultiFramePhotometric(RHO, hard=False)(v), 0.0005, rtol=1e-3)
    np.testing.assert_allclose(TwoShares()(v), 0.75)
    np.testing.assert_allclose(ShareSmoothness()(v), 0.0)
    np.testing.assert_allclose(ConstantVelocity()(v), 0.0, atol=1e-5)


def test_a_share_is_1_where_one_neighbour_alone_sees():
    certain = np.concatenate([np.ones([N, H, W, 1]), np.zeros([N, H, W, 1])], -1).astype(np.float32)
    np.testing.assert_allclose(TwoShares()(three(shares=(certain,))), 1.0)


def test_shares_are_smoothed_but_at_edges():
    given, image = shares(), picture()
    expected = 0.0
    for axis in (1, 2):
        weight = np.exp(-3.0 * np.abs(np.diff(image, axis=axis)).mean(-1))
        expected += 0.5 * (weight * np.square(np.diff(given, axis=axis)).sum(-1)).mean((1, 2))
    np.testing.assert_allclose(ShareSmoothness(edge=3.0)(three()), expected, rtol=1e-4)


def test_constant_velocity_is_the_length_of_what_does_not_cancel():
    expected = np.linalg.norm(field() + field(7), axis=-1).mean((1, 2))
    np.testing.assert_allclose(ConstantVelocity()(three()), expected, rtol=1e-4)
    np.testing.assert_allclose(ConstantVelocity()(three(flows10=(-field(),))), 0.0, atol=1e-5)


def test_the_past_is_judged_as_the_future_is():
    smooth = Smoothness(order=1, penalty=RHO, edge=2.0)
    objective = 0.5 * Photometric() + 2.0 * smooth
    mirrored = view(image2=picture(2), flows12=(field(7),), visible1=np.ones([N, H, W, 1], np.float32))
    expected = 0.5 * Photometric()(mirrored) + 2.0 * smooth(mirrored)
    np.testing.assert_allclose(Past(objective)(three()), expected, rtol=1e-5)


def test_levels_carry_the_third_frame_and_its_maps():
    half_h, half_w = H // 2, W // 2
    coarse = (field(3, h=half_h, w=half_w), field(4, h=half_h, w=half_w), shares(1, half_h, half_w))
    v = three(flows10=(field(7), coarse[1]), shares=(shares(), coarse[2]))
    v = dataclasses.replace(v, flows12=(v.flow12, tf.constant(coarse[0])))
    small = [ops.resize_image(tf.constant(picture(k)), (half_h, half_w)).numpy() for k in range(3)]
    alone = view(image1=small[0], image2=small[1], flows12=(coarse[0],))
    alone = dataclasses.replace(
        alone, image0=tf.constant(small[2]), flows10=(tf.constant(coarse[1]),), shares=(tf.constant(coarse[2]),)
    )
    for term in (MultiFramePhotometric(RHO, hard=False), TwoShares(), ConstantVelocity()):
        np.testing.assert_allclose(AtLevel(2, 1.0 * term)(v), term(alone), rtol=1e-3)


def test_flows_and_shares_learn():
    given = {"flows12": field(), "flows10": field(7), "shares": shares()}
    tensors = {k: tf.constant(x) for k, x in given.items()}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        v = dataclasses.replace(three(), **{k: (x,) for k, x in tensors.items()})
        total = tf.reduce_sum(MultiFramePhotometric(RHO, hard=False)(v))
    slopes = tape.gradient(total, tensors)
    assert all(np.any(slope) for slope in slopes.values())
    # a larger share of the frame that fits worse costs more
    v = dataclasses.replace(three(), image2=tf.constant(picture()), flows12=(tf.zeros([N, H, W, 2]),))
    costs = [MultiFramePhotometric(RHO, hard=False)(dataclasses.replace(v, shares=(tf.constant(s),)))
             for s in (shares(), shares()[..., ::-1])]  # fmt: skip
    first = shares()[..., 0].mean() > 0.5
    assert (np.sum(costs[0]) < np.sum(costs[1])) == first


@pytest.mark.parametrize(
    ("term", "missing", "text"),
    [
        (MultiFramePhotometric(), "shares", "needs a network that estimates shares"),
        (MultiFramePhotometric(), "image0", "needs a network of three frames"),
        (MultiFramePhotometric(hard=False), "flows10", "needs a network with a flow to the previous frame"),
        (ConstantVelocity(), "flows10", "needs a network with a flow to the previous frame"),
        (Past(1.0 * EndpointError()), "image0", "needs a network of three frames"),
    ],
)
def test_what_a_network_does_not_give_is_said(term, missing, text):
    with pytest.raises(ValueError, match=text):
        term(three(**{missing: None}))
