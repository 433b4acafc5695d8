"""Frames on the batch axis: what is stacked comes apart, and partners are exchanged."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflow.layers import Frame, StackFrames, SwapFrames


def frames(count=3, b=2, h=3, w=5, c=4):
    return list(np.random.default_rng(0).normal(size=[count, b, h, w, c]).astype(np.float32))


def test_frames_stacked_come_apart_again():
    first, second, third = frames()
    stacked = StackFrames()([first, second, third])
    assert stacked.shape == (6, 3, 5, 4)
    for i, frame in enumerate((first, second, third)):
        np.testing.assert_array_equal(Frame(i, 3)(stacked), frame)


def test_frames_come_apart_where_the_batch_is_not_known():
    first, second = frames(2)
    part = tf.function(Frame(1, 2), input_signature=[tf.TensorSpec([None, 3, 5, 4])])
    np.testing.assert_array_equal(part(np.concatenate([first, second])), second)


def test_swapped_frames_are_those_stacked_the_other_way():
    first, second = frames(2)
    stack = StackFrames()
    np.testing.assert_array_equal(SwapFrames()(stack([first, second])), stack([second, first]))


def test_swapped_twice_is_as_before():
    stacked = StackFrames()(frames(2))
    np.testing.assert_array_equal(SwapFrames()(SwapFrames()(stacked)), stacked)
