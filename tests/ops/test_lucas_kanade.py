"""The step of Lucas and Kanade: it finds what is left of small motion, and leaves alone what it cannot see."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfflow import ops

INNER = (slice(None), slice(16, -16), slice(16, -16))
"""Pixels whose windows do not reach the border of the frame."""


def frames(motion, h=64, w=96, seed=0, brighter=0.0):
    """A sum of waves of 8 to 24 px, and the same moved by `motion` (u, v): brightness has no other change."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)

    def picture(x, y):
        waves = [(rng.uniform(0.26, 0.7), rng.uniform(0, 6.3), rng.uniform(0, 6.3)) for _ in range(9)]
        return [0.5 + 0.05 * sum(np.sin(f * (np.cos(a) * x + np.sin(a) * y) + p) for f, a, p in waves)] * 3

    state = rng.bit_generator.state
    image1 = np.stack(picture(x, y), -1)
    rng.bit_generator.state = state
    image2 = np.stack(picture(x - motion[0], y - motion[1]), -1) + brighter
    return image1[None].astype(np.float32), image2[None].astype(np.float32)


@pytest.mark.parametrize("motion", [(0.4, -0.3), (-0.7, 0.2), (0.0, 0.6)])
@pytest.mark.parametrize("brighter", [0.0, 0.02])
def test_a_step_finds_motion_of_less_than_a_pixel(motion, brighter):
    image1, image2 = frames(motion, brighter=brighter)
    flow = ops.lucas_kanade(image1, image2, tf.zeros([1, 64, 96, 2])).numpy()
    error = np.linalg.norm(flow - motion, axis=-1)[INNER]
    assert error.mean() < 0.1 * np.hypot(*motion), error.mean()


def test_a_step_adds_to_the_flow_that_it_is_given():
    image1, image2 = frames((5.3, -3.8))
    rough = np.tile(np.float32([5.0, -3.5]), (1, 64, 96, 1))
    error = np.linalg.norm(ops.lucas_kanade(image1, image2, rough) - np.float32([5.3, -3.8]), axis=-1)[INNER]
    assert error.mean() < 0.05 and np.linalg.norm([0.3, 0.3]) > 0.4


def test_pixels_whose_target_is_beyond_the_frame_do_not_count():
    """What is beyond the frame is not known. As black, it would be an edge, and steps at the border would be wrong."""
    image1, image2 = frames((5.3, -3.8))
    rough = np.tile(np.float32([5.0, -3.5]), (1, 64, 96, 1))
    error = np.linalg.norm(ops.lucas_kanade(image1, image2, rough) - np.float32([5.3, -3.8]), axis=-1)
    assert error[:, 8:-4, -16:-8].mean() < 0.1 and error[:, 6:12, 4:-12].mean() < 0.1
    rough[:, :, :40] = -1000.0
    far = ops.lucas_kanade(image1, image2, rough) - rough
    np.testing.assert_allclose(far[:, :, :28], 0.0, atol=1e-3)
    assert np.abs(far[:, 16:-16, 48:80]).mean() > 0.2


@pytest.mark.parametrize("image", ["black", "grey", "equal"])
def test_no_texture_and_equal_frames_leave_flow_as_it_is(image):
    flow = np.zeros([1, 32, 48, 2], np.float32)
    flat = np.full([1, 32, 48, 3], 0.5 if image == "grey" else 0.0, np.float32)
    if image == "equal":
        flat = np.random.default_rng(0).random(flat.shape, np.float32)
    np.testing.assert_allclose(ops.lucas_kanade(flat, flat, flow), flow, atol=1e-5)


def test_no_step_is_longer_than_a_pixel():
    rng = np.random.default_rng(1)
    image1, image2 = rng.random((2, 1, 32, 48, 3)).astype(np.float32)
    step = ops.lucas_kanade(image1, image2, np.zeros([1, 32, 48, 2], np.float32)).numpy()
    assert np.isfinite(step).all() and 0.1 < np.abs(step).max() <= 1.0


def test_the_gradient_of_the_flow_is_that_without_a_step():
    image1, image2 = frames((0.4, -0.3))
    flow = tf.Variable(tf.zeros([1, 64, 96, 2]))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(ops.lucas_kanade(image1, image2, flow)[..., 0])
    expected = np.float32([1, 0]) * np.ones([1, 64, 96, 2], np.float32)
    np.testing.assert_array_equal(tape.gradient(total, flow), expected)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (([1, 32, 48, 1], [1, 32, 48, 3], [1, 32, 48, 2]), "`image1` must be"),
        (([1, 32, 48, 3], [1, 32, 44, 3], [1, 32, 48, 2]), "the same height and width"),
        (([1, 32, 48, 3], [1, 32, 48, 3], [1, 8, 12, 2]), "the same height and width"),
        (([1, 30, 48, 3], [1, 30, 48, 3], [1, 30, 48, 2]), "multiples of 4, got 30 and 48"),
    ],
)
def test_other_shapes_are_refused(shapes, message):
    with pytest.raises(ValueError, match=message):
        ops.lucas_kanade(*(tf.zeros(shape) for shape in shapes))
