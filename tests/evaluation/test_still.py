"""Frames in which nothing moves: what is measured of a network, with and without the rule of identical frames."""

from __future__ import annotations

import numpy as np
import pytest

from tfflow.data.arrays import at_rest
from tfflow.evaluation.still import LIMIT, still, still_frames


def drifts(images1, images2):
    """A network that sees 3 px to the right and 4 down in black frames, and none in others."""
    black = images1.mean((1, 2, 3)) < 0.01
    return np.where(black[:, None, None, None], np.float32([3, 4]), 0) * np.ones((*images1.shape[:3], 1), np.float32)


def test_the_longest_flow_of_any_frame_counts():
    assert still(drifts) == {"identical": 5.0, "one grey level apart": 5.0}


def test_the_rule_of_identical_frames_ends_at_one_grey_level():
    got = still(lambda a, b: at_rest(drifts(a, b), a, b))
    assert got == {"identical": 0.0, "one grey level apart": 5.0} and got["identical"] < LIMIT


def test_frames_differ_in_one_value_by_one_level():
    seen = []
    still(lambda a, b: seen.append((a, b)) or np.zeros((*a.shape[:3], 2), np.float32))
    (first, same), (_, other) = seen
    assert np.array_equal(first, same) and len(first) == len(still_frames()) == 3
    for a, b in zip(first, other, strict=True):
        assert np.abs(a - b)[a != b] == pytest.approx([1 / 255], rel=1e-4) and b.min() >= 0 and b.max() <= 1
