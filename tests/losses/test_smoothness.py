"""Smoothness: what moves alike costs nothing, and edges of the image forgive."""

from __future__ import annotations

import numpy as np
import pytest

from tests.losses.views import H, N, W, field, picture, still, view
from tfflow.losses import AbsRobust, Charbonnier, Smoothness

ZERO = Charbonnier(alpha=0.5, epsilon=0.0001)
NOTHING = 2 * 0.0001  # u and v


def affine(a, b, c):
    rows, columns = np.mgrid[:H, :W]
    u = a + b * columns + c * rows
    return np.broadcast_to(np.stack([u, -2 * u], -1), [N, H, W, 2]).astype(np.float32)


def test_a_constant_flow_is_free_and_an_affine_one_only_at_second_order():
    constant, slanted = still(flows12=(affine(3, 0, 0),)), still(flows12=(affine(3, 0.25, -0.5),))
    np.testing.assert_allclose(Smoothness(1, ZERO)(constant), NOTHING, rtol=1e-3)
    np.testing.assert_allclose(Smoothness(2, ZERO)(constant), NOTHING, rtol=1e-3)
    np.testing.assert_allclose(Smoothness(2, ZERO)(slanted), NOTHING, rtol=1e-3)
    # |du/dx| + |dv/dx| = 0.25 * 3 and along y 0.5 * 3, averaged
    np.testing.assert_allclose(Smoothness(1, ZERO)(slanted), (0.75 + 1.5) / 2, rtol=1e-3)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("edge", [0.0, 10.0])
def test_smoothness_is_its_definition_pixel_by_pixel(order, edge):
    flow, image, penalty = field(), picture(), AbsRobust()
    kernel = {1: [-1, 1], 2: [1, -2, 1]}[order]
    value = Smoothness(order, penalty, edge)(view(flows12=(flow,), image1=image))
    for i in range(N):
        means = []
        for dy, dx in [(0, 1), (1, 0)]:
            costs = []
            for y in range(H - order * dy):
                for x in range(W - order * dx):
                    steps = [(y + n * dy, x + n * dx) for n in range(order + 1)]
                    change = sum(k * flow[i][p] for k, p in zip(kernel, steps, strict=True))
                    weight = np.exp(-edge * np.abs(image[i][steps[1]] - image[i][steps[0]]).mean())
                    costs.append(weight * sum((abs(change) + 0.01) ** 0.4))
            means.append(np.mean(costs))
        np.testing.assert_allclose(value[i], np.mean(means), rtol=1e-4)


def test_edges_of_the_image_weaken_it_where_they_are():
    flow = np.zeros([N, H, W, 2], np.float32)
    flow[:, :, W // 2 :] = 4
    image = np.full([N, H, W, 3], 0.2, np.float32)
    image[:, :, W // 2 :] = 0.8
    grey = np.full([N, H, W, 3], 0.2, np.float32)

    def value(picture, **settings):
        return Smoothness(1, ZERO, **settings)(still(flows12=(flow,), image1=picture)).numpy()

    assert (value(image, edge=10.0) < 0.01 * value(grey, edge=10.0)).all()
    np.testing.assert_allclose(value(grey, edge=10.0), value(image, edge=0.0), rtol=1e-4)
    moved = np.roll(image, 1, 2)  # an edge beside the motion's does not help
    assert (value(moved, edge=10.0) > 0.9 * value(grey, edge=10.0)).all()


@pytest.mark.parametrize("finest", [False, True])
def test_it_is_of_the_full_resolution_or_of_the_finest_level_that_the_network_computes(finest):
    fine, coarse = field(), field(3, h=H // 2, w=W // 2)
    value = Smoothness(1, finest=finest)(view(flows12=(fine, coarse)))
    alone = (fine, coarse)[finest]
    h, w = alone.shape[1:3]
    expected = Smoothness(1)(view(flows12=(alone,), image1=picture(h=h, w=w)))
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_a_coarse_level_sees_the_image_at_its_size():
    image = np.repeat(np.repeat(picture(h=H // 2, w=W // 2), 2, 1), 2, 2)
    flows = (field(), field(3, h=H // 2, w=W // 2))
    with_edges = Smoothness(1, edge=10.0, finest=True)(view(flows12=flows, image1=image))
    without = Smoothness(1, edge=0.0, finest=True)(view(flows12=flows, image1=image))
    assert np.all(with_edges < 0.7 * without)
