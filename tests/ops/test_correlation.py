"""The cost volume, in both published sets of parameters."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.ops import oracles, ways
from tfflow.ops import cost_volume, displacements

SETS = {"PWC-Net": (4, 1, 81), "FlowNetC": (20, 2, 441)}


def features(seed=0, b=2, h=5, w=7, c=3):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=[b, h, w, c]).astype(np.float32) for _ in range(2))


@pytest.mark.parametrize(("h", "w"), [(5, 7), (9, 17)])  # one tile; several, the last ones in part
@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_costs_of_pwc_net_are_mean_products_at_each_displacement(way, h, w):
    f1, f2 = features(h=h, w=w)
    costs = way(lambda a, b: cost_volume(a, b, 4), f1, f2)
    assert costs.shape == (2, h, w, 81)
    np.testing.assert_allclose(costs, oracles.cost_volume(f1, f2, 4), atol=1e-6)


def test_costs_of_flownetc_are_mean_products_at_every_second_displacement():
    f1, f2 = features(b=1, h=4, w=23)  # wider than the radius, lower than it
    costs = cost_volume(f1, f2, 20, 2)
    assert costs.shape == (1, 4, 23, 441)
    np.testing.assert_allclose(costs, oracles.cost_volume(f1, f2, 20, 2), atol=1e-6)


@pytest.mark.parametrize(("radius", "stride", "channels"), SETS.values(), ids=SETS)
def test_a_shifted_frame_costs_most_at_its_shift(radius, stride, channels):
    f1, _ = features(h=46, w=50, c=8)
    dy, dx = -2, 4
    f2 = np.roll(f1, (dy, dx), (1, 2))
    costs = cost_volume(f1, f2, radius, stride).numpy()
    assert costs.shape[-1] == channels == len(displacements(radius, stride))
    inner = costs[:, 2:, :-4]
    np.testing.assert_allclose(
        inner[..., displacements(radius, stride).index((dy, dx))], (f1**2).mean(-1)[:, 2:, :-4], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("way", "radius", "stride", "h", "w"),
    [
        (ways.eager, 2, 1, 3, 4),
        (ways.eager, 2, 1, 7, 19),  # several tiles each way, the last ones in part
        (ways.eager, 4, 2, 3, 4),
        (ways.traced, 1, 1, 3, 4),
        (ways.compiled, 2, 2, 3, 4),
    ],
)
@pytest.mark.parametrize("which", [0, 1], ids=["features1", "features2"])
def test_gradient_is_that_of_the_definition(way, which, radius, stride, h, w):
    f1, f2 = features(b=1, h=h, w=w, c=2)
    upstream = np.random.default_rng(1).normal(size=[1, h, w, (2 * radius // stride + 1) ** 2])
    np.testing.assert_allclose(
        ways.gradient(lambda *f: way_of(way, f, radius, stride), [f1, f2], which, upstream),
        oracles.gradient(lambda a, b: oracles.cost_volume(a, b, radius, stride), [f1, f2], which, upstream),
        atol=2e-6,
    )


def way_of(way, inputs, radius, stride):
    def costs(a, b):
        return cost_volume(a, b, radius, stride)

    if way is ways.eager:
        return costs(*inputs)
    return tf.function(costs, jit_compile=way is ways.compiled)(*inputs)


def test_gradient_has_a_gradient():
    f1, f2 = (tf.constant(f) for f in features(b=1, h=3, w=4, c=2))
    with tf.GradientTape() as outer:
        outer.watch(f2)
        with tf.GradientTape() as inner:
            inner.watch(f1)
            energy = tf.reduce_sum(cost_volume(f1, f2, 1) ** 2)
        slope = inner.gradient(energy, f1)
    assert np.abs(outer.gradient(slope, f2).numpy()).max() > 0


@pytest.mark.parametrize(("dtype", "tolerance"), [(tf.float16, 4e-3), (tf.bfloat16, 4e-2)])
def test_half_precision_comes_back_as_it_came(dtype, tolerance):
    f1, f2 = features()
    costs = cost_volume(tf.cast(f1, dtype), tf.cast(f2, dtype), 2)
    assert costs.dtype == dtype
    np.testing.assert_allclose(tf.cast(costs, tf.float32), oracles.cost_volume(f1, f2, 2), atol=tolerance)


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 1), (1, 131), (131, 1)], ids=str)
def test_costs_of_thin_frames(shape):
    f1, f2 = features(h=shape[0], w=shape[1])
    np.testing.assert_allclose(cost_volume(f1, f2, 2), oracles.cost_volume(f1, f2, 2), atol=1e-6)


def test_displacements_run_along_rows_first():
    assert displacements(1) == [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0), (0, 1), (1, -1), (1, 0), (1, 1)]
    assert displacements(4, 2)[:6] == [(-4, -4), (-4, -2), (-4, 0), (-4, 2), (-4, 4), (-2, -4)]


def test_refusals_say_what_was_expected_and_what_came():
    f1, f2 = features()
    with pytest.raises(ValueError, match=r"`features1` and `features2` must have the same height and width"):
        cost_volume(f1, f2[:, 1:], 4)
    with pytest.raises(ValueError, match="both features must have the same channels, got 3 and 2"):
        cost_volume(f1, f2[..., :2], 4)
    with pytest.raises(ValueError, match=r"`features2` must be \[b, h, w, c\], got \(5, 7, 3\)"):
        cost_volume(f1, f2[0], 4)
    with pytest.raises(ValueError, match="`radius` must be a multiple of `stride`, both positive, got radius 5, str"):
        cost_volume(f1, f2, 5, 2)
    with pytest.raises(ValueError, match="got radius -1, stride 1"):
        cost_volume(f1, f2, -1)
