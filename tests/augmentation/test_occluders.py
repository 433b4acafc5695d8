"""Superpixels, and noise in some of them: only in the student's frame, and only there."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfflow import ops
from tfflow.augmentation import Superpixels

H, W = 48, 64


def picture():
    noise = tf.random.stateless_uniform([H // 8, W // 8, 3], [1, 2])
    return tf.clip_by_value(tf.image.resize(noise, [H, W], "bicubic"), 0, 1)


def test_superpixels_follow_edges():
    """A bright disc before darkness: where colour counts, no group has pixels of both."""
    y, x = np.mgrid[:H, :W]
    disc = ((y - 20) ** 2 + (x - 30) ** 2 < 150).astype(np.float32)
    image = tf.constant(np.repeat(disc[..., None], 3, -1))
    labels, number = (np.asarray(v) for v in ops.superpixels(image, 48, compactness=5.0))
    assert labels.shape == (H, W) and labels.min() >= 0 and labels.max() < number == 48
    sides = [set(disc[labels == k]) for k in np.unique(labels)]
    assert all(len(side) == 1 for side in sides) and {1.0} in sides and {0.0} in sides
    squares = np.asarray(ops.superpixels(image, 48, compactness=1e4)[0])
    grid = (y * 6 // H) * 8 + x * 8 // W
    assert (squares == grid).mean() > 0.9


def test_superpixels_lie_together_and_are_about_alike():
    labels = np.asarray(ops.superpixels(picture(), 48, compactness=20.0)[0])
    y, x = np.mgrid[:H, :W]
    sizes = np.bincount(labels.ravel(), minlength=48)
    assert (sizes > 10).mean() > 0.9 and sizes.max() < 5 * 64
    assert max(np.hypot(y[labels == k] - y[labels == k].mean(), x[labels == k] - x[labels == k].mean()).max()
               for k in np.unique(labels)) < 24  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_some_superpixels_become_noise_and_nothing_else_changes(seed):
    sample = {"image1": picture(), "image2": picture()[::-1], "flow12": tf.zeros([H, W, 2])}
    after = Superpixels(count=60, covered=(3, 5), compactness=20.0)(sample, tf.constant([seed, 1]))
    assert all(after[key] is sample[key] for key in sample) and set(after) - set(sample) == {"covered2"}
    changed = np.any(after["covered2"] != sample["image2"], -1)
    labels = np.asarray(ops.superpixels(sample["image2"], 60, 20.0)[0])
    changed_labels = [k for k in np.unique(labels) if changed[labels == k].all()]
    assert 3 <= len(changed_labels) <= 5 and changed.sum() == np.isin(labels, changed_labels).sum()
    noise = np.asarray(after["covered2"])[changed]
    assert abs(noise.mean() - 0.5) < 0.1 and abs(noise.std() - 12**-0.5) < 0.05


def test_it_is_the_seed_s_and_of_what_the_network_sees():
    change = Superpixels(count=60, covered=(3, 5))
    sample = {"image1": picture(), "image2": picture()}
    first, again, other = (change(sample, tf.constant([seed, 1]))["covered2"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)
    seen = change({**sample, "input2": picture() * 0.5}, tf.constant([1, 1]))["covered2"]
    assert np.median(np.abs(seen - picture() * 0.5)) == 0


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"`covered` must be \(fewest, most\), 1 to 10, the count, got \(4, 20\)"):
        Superpixels(count=10, covered=(4, 20))
    with pytest.raises(ValueError, match=r"`image` must be \[h, w, 3\] of known size, got \(4, 4, 1\)"):
        ops.superpixels(tf.zeros([4, 4, 1]), 3)
    with pytest.raises(ValueError, match=r"must be positive, got 0, 10\.0, 5"):
        ops.superpixels(tf.zeros([4, 4, 3]), 0)
