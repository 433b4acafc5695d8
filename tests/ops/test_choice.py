"""The better of two flows at each pixel, by features that both have warped."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.ops import ways
from tfflow.ops import choose_flow

H, W, C = 7, 9, 3


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=[2, H, W, c]).astype(np.float32) for c in (C, C, C, 2, 2)]


def by_loops(features1, warped, other_warped, flow, other, least, window):
    """The definition, pixel by pixel."""
    apart = [np.abs(features1 - x).mean(-1) for x in (warped, other_warped)]
    reach, result = window // 2, flow.copy()
    for b, y, x in np.ndindex(flow.shape[:3]):
        rows, columns = (slice(max(0, n - reach), n + reach + 1) for n in (y, x))
        mine, its = (a[b, rows, columns].mean() for a in apart)
        if its < least * mine:
            result[b, y, x] = other[b, y, x]
    return result


@pytest.mark.parametrize(("least", "window"), [(0.95, 5), (1.0, 1), (0.8, 3)])
@pytest.mark.parametrize("way", ways.ALL, ids=lambda way: way.__name__)
def test_a_pixel_takes_the_other_flow_where_that_is_clearly_better(way, least, window):
    given = inputs()
    expected = by_loops(*given, least, window)
    taken = (expected == given[4]).all(-1).mean()
    assert 0.05 < taken < 0.95
    np.testing.assert_array_equal(way(lambda *x: choose_flow(*x, least, window), *given), expected)


def test_of_two_that_explain_the_frame_alike_the_first_one_stays():
    features1, warped, _, flow, other = inputs()
    np.testing.assert_array_equal(choose_flow(features1, warped, warped, flow, other), flow)
    np.testing.assert_array_equal(choose_flow(features1, features1, features1, flow, other), flow)


def test_each_flow_learns_where_it_is_taken():
    given = [tf.constant(x) for x in inputs()]
    with tf.GradientTape() as tape:
        tape.watch(given[3:])
        flow = choose_flow(*given)
        total = tf.reduce_sum(flow)
    gradients = tape.gradient(total, given[3:])
    taken = (flow.numpy() == given[4].numpy()).astype(np.float32)
    np.testing.assert_array_equal(gradients[1], taken)
    np.testing.assert_array_equal(gradients[0], 1 - taken)


@pytest.mark.parametrize("place", range(1, 5))
def test_another_size_is_refused(place):
    given = inputs()
    given[place] = given[place][:, 1:]
    with pytest.raises(ValueError, match="must have the same height and width"):
        choose_flow(*given)
