"""A network that makes several passes: what they add up to, and what each is asked for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tensorflow as tf

import tfflow
from tests.evaluation.test_baselines import blobs
from tfflow.data.scenes import Scenes
from tfflow.errors import InputError
from tfflow.models.cascade import cascade
from tfflow.models.fusion import better_flow

SIZE, MOTION = (40, 60), (6, -4)


class Search:
    """A network that finds one motion of the whole frame, of at most `REACH` px of the frames it gets per axis."""

    REACH = 4

    def __init__(self):
        self.sizes = []

    def __call__(self, images1, images2):
        self.sizes.append(tuple(images1.shape[1:3]))
        steps = range(-self.REACH, self.REACH + 1)
        inner = np.s_[:, 8:-8, 8:-8]

        def mismatch(step):
            moved = tf.roll(images2, [-step[1], -step[0]], [1, 2])
            return float(tf.reduce_mean(tf.abs(moved - images1)[inner]))

        best = min(((u, v) for u in steps for v in steps), key=mismatch)
        return tf.broadcast_to(tf.constant(best, tf.float32), [*images1.shape[:3], 2])


def frames(motion, seed=1, size=SIZE):
    """Smooth noise, and the same moved by whole pixels: [1, h, w, 3] each."""
    noise = np.random.default_rng(seed).random((*size, 3), np.float32)
    image1 = cv2.GaussianBlur(noise, (0, 0), 1.5)[None]
    return tf.constant(image1), tf.roll(tf.constant(image1), [motion[1], motion[0]], [1, 2])


@pytest.mark.parametrize(
    ("scales", "expected", "sizes"),
    [
        ((0.5,), MOTION, [0.5]),  # 6 px at half size are 3
        ((0.5, 1), MOTION, [0.5, 1, 1]),  # at full size once more without what is known: it finds something else
        ((0.5, 1, 2), MOTION, [0.5, 1, 1, 2]),
        ((0.25, 0.5, 1), MOTION, [0.25, 0.5, 0.5, 1, 1]),
    ],
)
def test_small_frames_show_what_is_out_of_reach(scales, expected, sizes):
    network, pair = Search(), frames(MOTION)
    flow = cascade(network, *pair, scales)
    assert flow.shape == (1, *SIZE, 2)
    np.testing.assert_allclose(flow[0, 20, 30], expected, atol=0.3)
    assert network.sizes == [(round(40 * s), round(60 * s)) for s in sizes]
    assert np.abs(Search()(*pair)[0, 20, 30] - MOTION).max() > 1


def test_a_pass_that_explains_the_frames_worse_does_not_count():
    """Whatever a later pass gives, and whatever small frames give: where the flow so far is right, it stays."""
    image1, image2 = frames((2, -1))
    right, wrong = (tf.broadcast_to(tf.constant(flow, tf.float32), [1, *SIZE, 2]) for flow in ((2, -1), (-3, 5)))
    inner = np.s_[:, 8:-8, 8:-8]

    answers = iter([right, wrong])
    flow = cascade(lambda a, b: next(answers), image1, image2, (1, 1))
    np.testing.assert_array_equal(flow[inner], right[inner])

    answers = iter([wrong[:, ::2, ::2], wrong, right])  # half size, from there, from nothing
    flow = cascade(lambda a, b: next(answers), image1, image2, (0.5, 1))
    np.testing.assert_array_equal(flow[inner], right[inner])


def test_each_pixel_takes_the_flow_that_explains_its_surroundings():
    image1, image2 = frames((2, -1), size=(40, 120))
    left = tf.constant(np.arange(120)[None, None, :, None] < 60)
    right, wrong = (tf.broadcast_to(tf.constant(flow, tf.float32), [1, 40, 120, 2]) for flow in ((2, -1), (-3, 5)))
    flow = better_flow(image1, image2, tf.where(left, right, wrong), tf.where(left, wrong, right))
    off = np.linalg.norm(flow - right, axis=-1)[0, 8:-8, 8:-8] > 0
    assert off.mean() < 0.1 and not off[:, :36].any() and not off[:, -36:].any()  # only beside the border of the halves
    same = better_flow(image1, image2, right, right + 0.01, least=0.5)  # no clear difference
    np.testing.assert_array_equal(same, right)


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

    flow = cascade(network, images[0], images[1], (0.5,)) + cascade(network, images[0], images[1], (2,))
    quarters = images[0][:, ::2, ::2], images[0][:, 1::2, ::2], images[0][:, ::2, 1::2], images[0][:, 1::2, 1::2]
    inner = np.s_[:, 2:-2, 2:-2]
    assert np.std((seen[0] - sum(quarters) / 4)[inner]) < 0.6 * np.std((seen[0] - quarters[0])[inner])
    np.testing.assert_allclose(seen[1], tf.image.resize(images[0], (32, 48)), atol=1e-5)
    np.testing.assert_allclose(flow, tf.image.resize(fine, (16, 24), antialias=True) / 2, atol=1e-5)
    assert np.abs(flow - tf.image.resize(fine, (16, 24)) / 2).max() > 0.05


def test_flows_compose_at_their_targets():
    """The first flow is not constant: what is known of the pixel that the new flow points at counts."""
    ramp = np.zeros((1, 8, 16, 2), np.float32)
    ramp[..., 0] = np.arange(16)
    image = tf.zeros([1, 8, 16, 3])
    flow = cascade(lambda a, b: tf.ones([1, 8, 16, 2]) * [2.0, 0.0], image, image, (1,), tf.constant(ramp))
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
