"""The frames before and after a pair are changed as the pair is."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfflow.augmentation import (
    Affine,
    ColourJitter,
    Crop,
    Flip,
    Lighting,
    Noise,
    PermuteChannels,
    SwapFrames,
)

H, W = 40, 56
ALIKE = {
    "crop": Crop((24, 32)),
    "crop of frames too small": Crop((60, 64)),
    "flip": Flip(1.0, 1.0),
    "affine": Affine(scale=(1.2, 1.5), rotation_deg=15.0, size=(24, 32)),
    "permute": PermuteChannels(),
    "permute inputs": PermuteChannels(inputs_only=True),
    "jitter": ColourJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.2, gamma=(0.7, 1.4)),
    "lighting": Lighting(0.5),
}


def sample(**others):
    """image0 is image1 and image3 is image2; all smooth."""
    noise = tf.random.stateless_uniform([2, H // 4, W // 4, 3], [1, 2])
    images = tf.image.resize(noise, [H, W], "bicubic") * 0.6 + 0.2
    return {f"image{k}": images[i] for k, i in ((1, 0), (2, 1), (0, 0), (3, 1))} | others


@pytest.mark.parametrize("change", ALIKE.values(), ids=ALIKE)
def test_frames_that_were_alike_stay_alike(change):
    before, after = sample(), change(sample(), tf.constant([4, 9]))
    for names in (("image0", "image1"), ("image3", "image2"), ("input0", "input1"), ("input3", "input2")):
        assert (names[0] in after) == (names[1] in after)
        if names[0] in after:
            np.testing.assert_allclose(after[names[0]], after[names[1]], atol=1e-6)
    seen = "input0" if "input0" in after else "image0"
    assert after[seen].shape != before["image0"].shape or np.abs(after[seen] - before["image0"]).max() > 0.01
    assert np.abs(after[seen] - after[seen.replace("0", "3")]).max() > 0.05  # two pictures, still


@pytest.mark.parametrize("change", ALIKE.values(), ids=ALIKE)
def test_the_pair_changes_as_without_them(change):
    pair = {key: value for key, value in sample().items() if key in ("image1", "image2")}
    alone, together = (change(s, tf.constant([4, 9])) for s in (pair, sample()))
    assert set(alone) == {key for key in together if key[-1] in "12"}
    assert all(np.array_equal(alone[key], together[key]) for key in alone)


def test_noise_is_each_frame_s_own():
    after = Noise(0.1)(sample(), tf.constant([4, 9]))
    grains = [np.asarray(after[f"image{k}"] - sample()[f"image{k}"]).ravel() for k in range(4)]
    assert np.abs(np.corrcoef(grains) - np.eye(4)).max() < 0.1


def test_reversed_time_runs_through_all_four_frames():
    after = SwapFrames(1.0)(sample(), tf.constant([4, 9]))
    for here, there in (("image0", "image3"), ("image1", "image2"), ("image2", "image1"), ("image3", "image0")):
        np.testing.assert_array_equal(after[here], sample()[there])


def test_motion_that_is_added_goes_on_before_and_after_the_pair():
    """Four frames of one ramp: a shift of the second by s shifts the third by 2 s and the one before by -s."""
    x, y = tf.meshgrid(tf.range(W, dtype=tf.float32), tf.range(H, dtype=tf.float32))
    ramp = tf.stack([x, y, x + y], -1) / (H + W)
    change = Affine(relative_translation=3.0, relative_scale=(1.05, 1.05), relative_rotation_deg=4.0, size=(24, 32))
    after = change({f"image{k}": ramp for k in (1, 2, 0, 3)}, tf.constant([4, 9]))
    places = [np.asarray(after[f"image{k}"])[..., :2] * (H + W) for k in range(4)]  # where in the ramp each pixel lies
    grid = np.stack(np.meshgrid(np.arange(32), np.arange(24)), -1).reshape(-1, 2).astype(np.float64)
    ones = np.concatenate([grid, np.ones([len(grid), 1])], 1)
    inner = (slice(8, 16), slice(10, 22))
    keep = np.zeros([24, 32], bool)
    keep[inner] = True
    affine = []  # pixel -> place, as 3x3 matrices
    for place in places:
        solution = np.linalg.lstsq(ones[keep.ravel()], place[keep].astype(np.float64), rcond=None)[0]
        affine.append(np.vstack([solution.T, [0, 0, 1]]))
    steps = [np.linalg.inv(affine[k + 1]) @ affine[k] for k in range(3)]  # from frame k's pixels to frame k + 1's
    assert np.abs(steps[1] - np.eye(3)).max() > 0.5
    np.testing.assert_allclose(steps[0], steps[1], atol=2e-3)
    np.testing.assert_allclose(steps[2], steps[1], atol=2e-3)
