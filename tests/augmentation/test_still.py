"""Pairs that do not move: frame 2 is frame 1, and all motion 0."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.augmentation.scene import scene
from tfflow.augmentation import Still


def seeds(count):
    return [tf.constant([7, i]) for i in range(count)]


def test_a_still_pair_has_equal_frames_no_flow_and_sees_everything():
    sample = scene()
    assert np.abs(sample["flow12"]).max() > 0 and np.min(sample["visible1"]) == 0
    still = Still(1.0, flat=0.0)(sample, seeds(1)[0])
    np.testing.assert_array_equal(still["image2"], sample["image1"])
    np.testing.assert_array_equal(still["image1"], sample["image1"])
    assert not np.any(still["flow12"]) and not np.any(still["flow21"])
    assert np.all(still["visible1"] == 1) and np.all(still["valid2"] == 1)


def test_the_share_of_still_pairs_is_the_probability():
    sample = scene()
    still = [not np.any(Still(0.3)(sample, seed)["flow12"]) for seed in seeds(200)]
    assert 0.2 < np.mean(still) < 0.4


def test_flat_pairs_have_almost_no_contrast_and_are_black_in_every_third():
    sample = scene()
    frames = np.stack([Still(1.0, flat=1.0)(sample, seed)["image2"] for seed in seeds(60)])
    assert np.ptp(frames, axis=(1, 2)).max() <= 0.06
    np.testing.assert_allclose(frames * 255, np.round(frames * 255), atol=1e-3)
    dark = frames.max(axis=(1, 2, 3)) <= 0.03
    assert 0.15 < dark.mean() < 0.55


def test_other_pairs_stay_as_they_are():
    sample = scene()
    for key, value in Still(0.0)(sample, seeds(1)[0]).items():
        np.testing.assert_array_equal(value, sample[key])


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="`flat` must be a probability"):
        Still(0.1, flat=1.5)
