"""Light, colour and noise: what changes, what does not, and what comes from which seed."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.augmentation.scene import scene, tensors
from tfflow.augmentation import ColourJitter, Crop, Flip, Lighting, Noise, PermuteChannels, apply

SEED = (3, 7)
COLOUR = {
    "permute": PermuteChannels(),
    "jitter": ColourJitter(0.4, 0.4, 0.4, hue=0.1, channels=0.1, gamma=(0.7, 1.5)),
    "asymmetric": ColourJitter(0.4, 0.4, 0.4, gamma=(0.7, 1.5), asymmetric=1.0),
    "lighting": Lighting(0.1),
    "noise": Noise(0.04),
    "positive noise": Noise(0.1, "positive"),
}


def numpy(sample):
    return {key: value.numpy() for key, value in sample.items()}


def inputs_only(augmentation):
    return type(augmentation)(**{**vars(augmentation), "inputs_only": True})


@pytest.mark.parametrize("augmentation", COLOUR.values(), ids=COLOUR)
def test_only_colours_change_and_stay_in_range(augmentation):
    sample = scene()
    result = numpy(augmentation(tensors(sample), SEED))
    for key in sample:
        if key.startswith("image"):
            assert np.abs(result[key] - sample[key]).max() > 0.001
            assert result[key].min() >= 0 and result[key].max() <= 1 and result[key].dtype == np.float32
        else:
            np.testing.assert_array_equal(result[key], sample[key])


@pytest.mark.parametrize("augmentation", COLOUR.values(), ids=COLOUR)
def test_inputs_only_leaves_to_the_losses_the_frames_as_they_are(augmentation):
    sample = scene()
    whole = numpy(augmentation(tensors(sample), SEED))
    result = numpy(inputs_only(augmentation)(tensors(sample), SEED))
    for frame in "12":
        np.testing.assert_array_equal(result["image" + frame], sample["image" + frame])
        np.testing.assert_allclose(result["input" + frame], whole["image" + frame], atol=1e-6)
    again = numpy(inputs_only(augmentation)(tensors(result), (9, 9)))  # what is there already changes further
    assert np.abs(again["input1"] - result["input1"]).max() > 0
    np.testing.assert_array_equal(again["image1"], sample["image1"])


@pytest.mark.parametrize("augmentation", COLOUR.values(), ids=COLOUR)
def test_same_seed_same_result_eagerly_and_in_a_dataset_of_unknown_sizes(augmentation):
    sample = scene()
    signature = {key: tf.TensorSpec([None, None, value.shape[-1]]) for key, value in sample.items()}
    data = tf.data.Dataset.from_generator(lambda: iter([sample, sample]), output_signature=signature)
    first, second = (numpy(s) for s in data.map(lambda s: augmentation(s, SEED), num_parallel_calls=2))
    eager = numpy(augmentation(tensors(sample), SEED))
    for key in sample:
        np.testing.assert_array_equal(first[key], second[key])
        np.testing.assert_allclose(first[key], eager[key], atol=1e-5)


@pytest.mark.parametrize("augmentation", COLOUR.values(), ids=COLOUR)
def test_other_seeds_other_results(augmentation):
    results = {numpy(augmentation(tensors(scene()), (n, 1)))["image1"].tobytes() for n in range(8)}
    assert len(results) >= (4 if isinstance(augmentation, PermuteChannels) else 8)


def test_permutation_is_one_and_the_same_for_both_frames():
    sample = scene()
    for n in range(6):
        result = numpy(PermuteChannels()(tensors(sample), (n, 0)))
        orders = [
            [int(np.argmin([np.abs(result[k][..., i] - sample[k][..., j]).max() for j in range(3)])) for i in range(3)]
            for k in ("image1", "image2")
        ]
        assert orders[0] == orders[1] and sorted(orders[0]) == [0, 1, 2]


@pytest.mark.parametrize(("asymmetric", "same"), [(0.0, True), (1.0, False)])
def test_both_frames_share_the_light_unless_asymmetric(asymmetric, same):
    sample = scene()
    sample["image2"] = sample["image1"]
    result = numpy(ColourJitter(0.4, 0.4, 0.4, gamma=(0.7, 1.5), asymmetric=asymmetric)(tensors(sample), SEED))
    assert np.array_equal(result["image1"], result["image2"]) == same


def test_brightness_multiplies_contrast_keeps_the_mean_and_saturation_the_grey():
    sample = scene()
    sample["image1"] = sample["image2"] = sample["image1"] * 0.4 + 0.3  # far from both ends

    def one(**settings):
        return numpy(ColourJitter(**settings)(tensors(sample), SEED))["image1"]

    ratio = one(brightness=0.3) / sample["image1"]
    np.testing.assert_allclose(ratio, ratio[0, 0, 0], rtol=1e-4)
    assert 0.7 < ratio[0, 0, 0] < 1.3 and abs(ratio[0, 0, 0] - 1) > 0.01
    grey = np.array([0.2989, 0.5870, 0.1140])
    contrast, saturation = one(contrast=0.4), one(saturation=0.4)
    np.testing.assert_allclose((contrast @ grey).mean(), (sample["image1"] @ grey).mean(), atol=1e-3)
    np.testing.assert_allclose(saturation @ grey, sample["image1"] @ grey, atol=1e-3)
    assert np.abs(contrast - sample["image1"]).max() > 0.005 and np.abs(saturation - sample["image1"]).max() > 0.005


def test_gamma_of_one_value_is_a_power():
    sample = scene()
    result = numpy(ColourJitter(gamma=(2.0, 2.0))(tensors(sample), SEED))
    np.testing.assert_allclose(result["image2"], sample["image2"] ** 2, atol=1e-6)


def test_lighting_adds_one_colour_to_every_pixel():
    sample = scene()
    sample["image1"] = sample["image1"] * 0.4 + 0.3
    step = numpy(Lighting(0.1)(tensors(sample), SEED))["image1"] - sample["image1"]
    np.testing.assert_allclose(step, np.broadcast_to(step[0, 0], step.shape), atol=1e-6)


def test_noise_is_new_for_every_pixel_frame_and_of_the_size_asked_for():
    sample = {key: np.full([200, 300, 3], 0.5, np.float32) for key in ("image1", "image2")}
    gaussian = [numpy(Noise(0.1)(tensors(sample), (n, 0)))["image1"].std() for n in range(30)]
    assert max(gaussian) < 0.1 and min(gaussian) < 0.02 and max(gaussian) > 0.08
    positive = numpy(Noise(0.1, "positive")(tensors(sample), SEED))
    step = positive["image1"] - 0.5
    assert step.min() >= 0 and step.max() <= 0.1 + 1e-6
    np.testing.assert_allclose(step.mean(), 0.05, atol=1e-3)
    assert abs(np.corrcoef(step.ravel(), (positive["image2"] - 0.5).ravel())[0, 1]) < 0.02


def test_apply_gives_each_place_a_seed_of_its_own():
    grey = np.full([40, 60, 3], 0.4, np.float32)
    sample = tensors({"image1": grey, "image2": grey})
    twice = numpy(apply([Noise(0.1, "positive"), Noise(0.1, "positive")], sample, SEED))["image1"]
    first, second = (numpy(apply(a, sample, SEED))["image1"] for a in ([Noise(0.1, "positive")], []))
    one, other = first - second, twice - first
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.05
    chain = [Crop((32, 40)), Flip(), PermuteChannels(), ColourJitter(0.4, inputs_only=True)]
    a, b, c = (numpy(apply(chain, tensors(scene()), seed)) for seed in ((1, 2), (1, 2), (1, 3)))
    assert all(np.array_equal(a[key], b[key]) for key in a)
    assert not np.array_equal(a["image1"], c["image1"])


def test_settings_are_refused_with_a_reason():
    with pytest.raises(ValueError, match="`brightness` must be at most 1, so that no factor is negative"):
        ColourJitter(brightness=1.5)
    with pytest.raises(ValueError, match=r"`hue` must be at most 0.5, half a turn, got 0.7"):
        ColourJitter(hue=0.7)
    with pytest.raises(ValueError, match=r"`gamma` must be \(low, high\) with 0 < low <= high, got \(0, 1\)"):
        ColourJitter(gamma=(0, 1))
    with pytest.raises(ValueError, match=r"`sigma` must not be negative, got -0.1"):
        Noise(-0.1)
    with pytest.raises(ValueError, match='`kind` must be "gaussian" or "positive", got \'salt\''):
        Noise(0.1, "salt")
    with pytest.raises(ValueError, match="`strength` must not be negative, got -1"):
        Lighting(-1)
