"""Endpoint errors of levels against loops written from their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.losses.views import N, field, mask, view
from tfflow.losses import EndpointError, LevelEPE, MultiscaleEPE

H, W = 16, 32
STRIDES = (1, 4, 8)


def levels(seed=0):
    return tuple(field(seed + s, h=H // s, w=W // s) for s in STRIDES)


def supervised(flows=None, target=None, used=None):
    return view(
        flows12=flows or levels(),
        image1=np.zeros([N, H, W, 3], np.float32),
        image2=np.zeros([N, H, W, 3], np.float32),
        visible1=np.ones([N, H, W, 1], np.float32),
        target12=field(9, h=H, w=W) if target is None else target,
        target_mask=mask(h=H, w=W) if used is None else used,
    )


def errors(v, flow, i):
    """Endpoint error at each pixel of a level where any truth is known, in px of the level."""
    stride = H // flow.shape[1]
    found = []
    for y, x in np.ndindex(*flow.shape[1:3]):
        window = np.s_[i, y * stride : (y + 1) * stride, x * stride : (x + 1) * stride]
        known = v.target_mask.numpy()[window][..., 0] == 1
        if known.any():
            truth = v.target12.numpy()[window][known].astype(float).mean(0) / stride
            found.append(np.sqrt(((truth - flow[i, y, x].numpy()) ** 2).sum()))
    return found


def test_multiscale_epe_sums_weighted_pixels_of_every_level_that_has_a_weight():
    v = supervised()
    term = MultiscaleEPE(weights=((4, 0.005), (8, 0.01)), unit=20.0)
    for i in range(N):
        expected = 0.005 * sum(errors(v, v.flows12[1], i)) * 4 / 20 + 0.01 * sum(errors(v, v.flows12[2], i)) * 8 / 20
        np.testing.assert_allclose(term(v)[i], expected, rtol=1e-4)


def test_weights_of_pwc_net_are_those_of_the_paper():
    assert MultiscaleEPE() == MultiscaleEPE(((4, 0.005), (8, 0.01), (16, 0.02), (32, 0.08), (64, 0.32)), 20.0)


@pytest.mark.parametrize(("stride", "index"), [(8, 2), (4, 1), (1, 0)])
def test_level_epe_is_the_mean_of_the_level_of_a_stride(stride, index):
    v = supervised()
    for i in range(N):
        np.testing.assert_allclose(LevelEPE(stride)(v)[i], np.mean(errors(v, v.flows12[index], i)), rtol=1e-4)


def test_endpoint_error_is_that_of_the_full_resolution():
    v = supervised()
    for i in range(N):
        np.testing.assert_allclose(EndpointError()(v)[i], np.mean(errors(v, v.flow12, i)), rtol=1e-4)


@pytest.mark.parametrize("term", [MultiscaleEPE(((4, 1.0), (8, 1.0))), LevelEPE(8), EndpointError()], ids=repr)
def test_a_perfect_flow_costs_nothing_and_has_a_finite_gradient(term):
    target = np.broadcast_to(np.float32([8, -16]), [N, H, W, 2])
    flows = tuple(tf.constant(target[:, ::s, ::s] / s) for s in STRIDES)
    with tf.GradientTape() as tape:
        tape.watch(flows)
        value = term(supervised([*flows], target))
    assert np.max(value) < 1e-4
    found = [g for g in tape.gradient(value, flows) if g is not None]
    assert all(np.isfinite(g).all() for g in found)


@pytest.mark.parametrize("term", [MultiscaleEPE(((4, 1.0), (8, 1.0))), LevelEPE(4), EndpointError()], ids=repr)
def test_unknown_truth_does_not_count(term):
    used = mask(h=H, w=W)
    target = field(9, h=H, w=W)
    spoilt = np.where(used == 1, target, 1e3).astype(np.float32)
    np.testing.assert_allclose(term(supervised(used=used, target=spoilt)), term(supervised()), rtol=1e-4)
    np.testing.assert_array_equal(term(supervised(used=np.zeros([N, H, W, 1], np.float32))), 0)
    assert term.needs_truth
