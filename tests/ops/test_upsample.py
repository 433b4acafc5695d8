"""Convex upsampling: bilinear where nothing is learned, any neighbour where it is, and never beyond the neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfflow import ops


def smooth_flow(b=1, h=5, w=7):
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    return np.tile(np.stack([0.5 * x - 0.2 * y + 1, 0.3 * y + 0.1 * x - 2], -1)[None], (b, 1, 1, 1))


def one_neighbour(k, h, w, factor):
    """Logits that leave only neighbour k."""
    logits = np.full((1, h, w, 9, factor**2), -20.0, np.float32)
    logits[..., k, :] = 20.0
    return logits.reshape(1, h, w, -1)


@pytest.mark.parametrize("factor", [2, 4])
def test_equal_logits_give_bilinear_upsampling(factor):
    flow = smooth_flow()
    fine = ops.convex_upsample(flow, np.full((1, 5, 7, 9 * factor**2), 0.7, np.float32), factor)
    bilinear = ops.resize_flow(tf.constant(flow), (5 * factor, 7 * factor))
    inner = slice(factor, -factor)  # at the border both repeat the last flow; LEAST leaves a thousandth of the rest
    np.testing.assert_allclose(fine[:, inner, inner], bilinear[:, inner, inner], atol=0.02 * factor)


@pytest.mark.parametrize("k", range(9))
def test_a_sure_logit_takes_that_neighbour_alone(k):
    flow = np.random.default_rng(k).normal(size=(1, 4, 6, 2)).astype(np.float32)
    fine = ops.convex_upsample(flow, one_neighbour(k, 4, 6, 4), 4).numpy()
    around = np.pad(flow, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge")
    expected = 4 * around[:, k // 3 : k // 3 + 4, k % 3 : k % 3 + 6]
    np.testing.assert_allclose(fine, expected.repeat(4, 1).repeat(4, 2), rtol=1e-3, atol=1e-3)


def test_fine_pixels_have_weights_of_their_own_rows_first():
    flow = np.zeros((1, 1, 2, 2), np.float32)
    flow[0, 0, 1] = (1.0, 10.0)
    logits = np.full((1, 1, 2, 9, 2, 2), -20.0, np.float32)
    logits[..., 4, :, :] = 20.0  # the pixel's own flow
    logits[0, 0, 0, 4, 0, 1], logits[0, 0, 0, 5, 0, 1] = -20.0, 20.0  # but top right of the first: its right neighbour
    fine = ops.convex_upsample(flow, logits.reshape(1, 1, 2, 36), 2).numpy()[0]
    np.testing.assert_allclose(fine[..., 0], [[0, 2, 2, 2], [0, 0, 2, 2]], atol=1e-3)
    np.testing.assert_allclose(fine[..., 1], [[0, 20, 20, 20], [0, 0, 20, 20]], atol=1e-2)


def test_no_fine_flow_is_beyond_its_neighbours():
    rng = np.random.default_rng(3)
    flow = rng.normal(size=(2, 4, 5, 2)).astype(np.float32)
    fine = ops.convex_upsample(flow, 3 * rng.normal(size=(2, 4, 5, 144)).astype(np.float32), 4).numpy() / 4
    around = np.pad(flow, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, (3, 3), axis=(1, 2))
    least, greatest = (f(windows, axis=(-1, -2)).repeat(4, 1).repeat(4, 2) for f in (np.min, np.max))
    assert (fine >= least - 1e-5).all() and (fine <= greatest + 1e-5).all()


def test_logits_of_another_factor_are_refused():
    with pytest.raises(ValueError, match="`logits`"):
        ops.convex_upsample(smooth_flow(), np.zeros((1, 5, 7, 36), np.float32), 4)
