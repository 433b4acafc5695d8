"""A second pass over transformed frames: what it sees, and what it follows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.training import runs
from tfflow.augmentation import Affine, ColourJitter, Flip, Noise
from tfflow.losses import (
    AtLevel,
    Both,
    Confidence,
    Consistency,
    Everywhere,
    ForwardBackward,
    Inside,
    Photometric,
    RangeMap,
    SecondPass,
    TargetFlow,
)
from tfflow.losses.objective import Term
from tfflow.recipes import Phase, Teacher, Transformed
from tfflow.training.step import Step

H, W, B = 12, 20, 2
FLOW = np.random.default_rng(3).uniform(-2, 2, [2 * B, H, W, 2]).astype(np.float32)


def batch():
    images = np.random.default_rng(0).uniform(size=[2, B, H, W, 3]).astype(np.float32)
    return {"image1": images[0], "image2": images[1], "chance": np.float32([[0.1, 0.7], [0.9, 0.2]])}


class Network:
    """Gives one flow after the other, and keeps what it was shown."""

    input_names = ("image1", "image2")

    def __init__(self, *flows):
        self.flows, self.seen = flows, []

    def __call__(self, images, training):
        assert training
        self.seen.append([np.asarray(x) for x in images])
        return [tf.convert_to_tensor(self.flows[len(self.seen) - 1])]


class Keeping(Term):
    """Costs nothing, and keeps the view."""

    def __call__(self, view):
        self.view = view
        return tf.zeros(tf.shape(view.flow12)[:1])


def passes(second, visibility=None, trust=None, frames=None, flow=FLOW):
    """(first, second) views of a phase, and what the network was shown."""
    keeping, network = Keeping(), Network(flow, flow + 1)
    objective = 1.0 * keeping + 0.0 * SecondPass(1.0 * TargetFlow())
    phase = Phase("p", 1, objective, runs.RATE, visibility or Everywhere(), second=Transformed(second, trust))
    Step(phase, network, 4).losses(frames or batch())
    return keeping.view, keeping.view.second, network.seen


def test_the_second_pass_sees_changed_frames_and_follows_the_changed_flow():
    """Mirrored for certain: columns are reversed and u changes sign, in both directions."""
    first, second, seen = passes((Flip(1.0, 0.0),), ForwardBackward())
    frames = batch()
    np.testing.assert_array_equal(seen[0][0], frames["image1"])
    np.testing.assert_array_equal(seen[1][0], frames["image1"][:, :, ::-1])
    np.testing.assert_array_equal(seen[1][1], frames["image2"][:, :, ::-1])
    np.testing.assert_array_equal(second.target12, first.flow12[:, :, ::-1] * np.float32([-1, 1]))
    np.testing.assert_array_equal(second.target_mask, first.visible1[:, :, ::-1])
    assert 0.01 < np.mean(second.target_mask) < 0.99
    np.testing.assert_array_equal(second.flow12, first.flow12 + 1)
    np.testing.assert_array_equal(second.flow21, np.concatenate(np.split(second.flow12, 2)[::-1]))
    np.testing.assert_array_equal(second.image1, np.concatenate(seen[1]))


def test_trust_says_where_the_first_pass_is_to_be_followed():
    first, second, _ = passes((Flip(1.0, 0.0),), None, Confidence(0.05))
    assert np.all(first.visible1 == 1)
    np.testing.assert_array_equal(second.target_mask, Confidence(0.05)(first.flow12, first.flow21)[:, :, ::-1])


def test_every_pair_is_changed_by_its_own_chance():
    """Three times the same pair; the first and the third have the same chance."""
    changes = (Affine(scale=(1.1, 1.5), rotation_deg=20.0), ColourJitter(brightness=0.5), Noise(0.05))
    thrice = {name: np.repeat(x[:1], 3, axis=0) for name, x in batch().items()}
    thrice["chance"] = np.float32([[0.1, 0.7], [0.9, 0.2], [0.1, 0.7]])
    _, second, seen = passes(changes, frames=thrice, flow=np.concatenate([FLOW[:1]] * 6))
    assert second.image1.shape == (6, H, W, 3) and np.isfinite(second.target12).all()
    for frames in (*seen[1], second.target12[:3], second.target12[3:]):
        assert np.abs(frames[0] - frames[1]).max() > 0.05
        np.testing.assert_array_equal(frames[0], frames[2])


def test_only_the_second_pass_learns_from_what_it_follows():
    weight = tf.Variable(1.0)
    phase = Phase("p", 1, 1.0 * SecondPass(1.0 * TargetFlow()), runs.RATE, second=Transformed((Flip(0.0, 1.0),)))
    slopes = []
    for learner in (0, 1):
        with tf.GradientTape() as tape:
            flows = [FLOW * (weight if place == learner else 1.0) for place in (0, 1)]
            terms, _ = Step(phase, Network(*flows), 4).losses(batch())
            total = tf.reduce_sum(terms["secondpass"])
        slopes.append(tape.gradient(total, weight))
    assert slopes[0] is None and abs(float(slopes[1])) > 0.1


@pytest.mark.parametrize(
    "change",
    [
        {"visibility": ForwardBackward()},
        {"visibility": Both(Inside(), RangeMap())},
        {"teacher": Teacher(0.7, trust=Confidence(0.1))},
        {"objective": 1.0 * Consistency()},
        {"objective": 1.0 * AtLevel(4, 1.0 * Photometric(), RangeMap())},
        {"objective": 1.0 * AtLevel(4, 1.0 * Consistency())},
    ],
)
def test_a_phase_that_compares_both_directions_needs_them(change):
    both = Phase("check", 1, 1.0 * Photometric(), runs.RATE, visibility=Both(Inside(), Everywhere()))
    dataclasses.replace(both, directions=1)  # compares nothing
    changed = dataclasses.replace(both, **change)
    with pytest.raises(ValueError, match="phase 'check' compares the flows of both directions: it needs directions=2"):
        dataclasses.replace(changed, directions=1)


def test_a_phase_of_two_passes_needs_both_directions_and_no_teacher():
    plain = Phase("twice", 1, 1.0 * SecondPass(1.0 * TargetFlow()), runs.RATE, second=Transformed((Flip(),)))
    for change in ({"directions": 1}, {"teacher": Teacher(0.7)}):
        with pytest.raises(
            ValueError, match="phase 'twice' makes a second pass: it needs directions=2 and takes no teacher"
        ):
            dataclasses.replace(plain, **change)
