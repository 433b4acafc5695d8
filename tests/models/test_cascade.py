"""A network that makes several passes: what they add up to, and what each is asked for."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tfflow
from tests.evaluation.test_baselines import blobs
from tfflow.data.scenes import Scenes
from tfflow.errors import InputError
from tfflow.models.cascade import cascade

MOTION = np.float32([6, -3])


class Timid:
    """Sees constant motion exactly, up to 4 px per axis; `found` is what it gave so far, px of 40 rows."""

    def __init__(self, motion):
        self.motion, self.found, self.sizes = motion, np.float32([0, 0]), []

    def __call__(self, images1, images2):
        scale = images1.shape[1] / 40
        self.sizes.append(tuple(images2.shape[1:3]))
        step = np.clip((self.motion - self.found) * scale, -4, 4)
        self.found = self.found + step / scale
        return tf.broadcast_to(tf.constant(step, tf.float32), [*images1.shape[:3], 2])


def test_what_one_pass_leaves_the_next_one_finds():
    """6 px at half size are 3; at full size nothing is left."""
    for scales, expected in [((1,), (4, -3)), ((1, 1), (6, -3)), ((0.5,), (6, -3)), ((0.5, 1, 2), (6, -3))]:
        network = Timid(MOTION)
        images = tf.random.stateless_uniform([2, 1, 40, 60, 3], [1, 2])
        flow = cascade(network, images[0], images[1], scales)
        assert flow.shape == (1, 40, 60, 2)
        np.testing.assert_allclose(flow[0, 20, 30], expected, atol=1e-5)
        assert network.sizes == [(round(40 * s), round(60 * s)) for s in scales]


def test_the_second_pass_gets_the_frame_warped_by_the_first():
    image1, image2 = blobs(du=3, dv=-1)
    seen = []

    def network(a, b):
        seen.append((a, b))
        exact = np.float32([3, -1]) if len(seen) == 1 else np.float32([0, 0])
        return tf.broadcast_to(exact, [*a.shape[:3], 2])

    cascade(network, tf.constant(image1[None]), tf.constant(image2[None]), (1, 1))
    (first, _), (again, warped) = seen
    np.testing.assert_array_equal(again, first)
    inner = np.s_[:, 4:-4, 4:-4]
    assert np.abs(warped - again)[inner].max() < 0.05 < np.abs(image2 - image1)[4:-4, 4:-4].max()


def test_what_shrinks_is_averaged_and_what_grows_is_interpolated():
    """Frames of a pass at half size, and the flow of a pass at double size; noise tells a mean from a sample."""
    images = tf.random.stateless_uniform([2, 1, 16, 24, 3], [3, 4])
    seen, fine = [], tf.random.stateless_normal([1, 32, 48, 2], [5, 6])

    def network(a, b):
        seen.append(a)
        return fine if a.shape[1] == 32 else tf.zeros([*a.shape[:3], 2])

    flow = cascade(network, images[0], images[1], (0.5, 2))
    quarters = images[0][:, ::2, ::2], images[0][:, 1::2, ::2], images[0][:, ::2, 1::2], images[0][:, 1::2, 1::2]
    inner = np.s_[:, 2:-2, 2:-2]
    assert np.std((seen[0] - sum(quarters) / 4)[inner]) < 0.6 * np.std((seen[0] - quarters[0])[inner])
    np.testing.assert_allclose(seen[1], tf.image.resize(images[0], (32, 48)), atol=1e-5)
    np.testing.assert_allclose(flow, tf.image.resize(fine, (16, 24), antialias=True) / 2, atol=1e-5)
    assert np.abs(flow - tf.image.resize(fine, (16, 24)) / 2).max() > 0.05


def test_flows_compose_at_their_targets():
    """so_far is not constant: what is known of the pixel that the new flow points at counts."""
    ramp = np.zeros((1, 8, 16, 2), np.float32)
    ramp[..., 0] = np.arange(16)
    answers = iter([tf.constant(ramp), tf.ones([1, 8, 16, 2]) * [2.0, 0.0]])
    image = tf.zeros([1, 8, 16, 3])
    flow = cascade(lambda a, b: next(answers), image, image, (1, 1))
    np.testing.assert_allclose(flow[0, 3, :14, 0], np.arange(14) + 2 + 2, atol=1e-5)


def test_more_passes_of_the_pretrained_network_are_more_exact():
    def epe(model):
        samples = [Scenes((96, 128), seed=5, count=4).sample(i) for i in range(4)]
        return np.mean(
            [np.linalg.norm(model.flow(s["image1"], s["image2"]) - s["flow12"], axis=-1).mean() for s in samples]
        )

    once, twice = (tfflow.load("pwcnet_mobile", scales=s) for s in ((1,), (1, 2)))
    assert epe(twice) < 0.95 * epe(once)
    a, b = (np.random.default_rng(i).random((2, 37, 53, 3), np.float32) for i in range(2))
    flow12, flow21 = twice.both(a, b)
    np.testing.assert_allclose(flow12, twice.batch(a, b), atol=1e-4)
    np.testing.assert_allclose(flow21, twice.batch(b, a), atol=1e-4)


@pytest.mark.parametrize("scales", [(), (0,), ("x",), (1, float("nan")), (9,), None, 2])
def test_scales_that_are_none_are_refused(scales):
    with pytest.raises(InputError, match=r"scales must be one or more numbers from 0\.0625 to 8, such as 1,2, got"):
        tfflow.load("pwcnet_mobile", scales=scales)
