"""Crops, mirror images, reversed time and affine maps: frames, flow and masks stay one scene."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.augmentation.scene import scene, tensors
from tfflow import ops
from tfflow.augmentation import Affine, CentreCrop, Crop, Flip, SwapFrames

SEED = (3, 7)
AFFINE = Affine(scale=(1.1, 1.6), rotation_deg=17.0, squeeze=(0.9, 1.1))
RELATIVE = Affine(
    scale=(1.2, 1.5),
    rotation_deg=10.0,
    size=(40, 56),
    relative_scale=(0.97, 1.03),
    relative_rotation_deg=2.0,
    relative_translation=2.0,
)
GEOMETRY = {
    "crop": Crop((37, 50)),
    "crop of a frame that is too small": Crop((90, 96)),
    "centre crop": CentreCrop((31, 44)),
    "flip right": Flip(1.0, 0.0),
    "flip down": Flip(0.0, 1.0),
    "flip both": Flip(1.0, 1.0),
    "swap": SwapFrames(1.0),
    "affine": AFFINE,
    "affine with relative motion": RELATIVE,
}


def numpy(sample):
    return {key: value.numpy() for key, value in sample.items()}


def warp(image, flow):
    return ops.backward_warp(tf.constant(image[None]), tf.constant(flow[None]), "border").numpy()[0]


@pytest.mark.parametrize("augmentation", GEOMETRY.values(), ids=GEOMETRY)
@pytest.mark.parametrize("seed", [(3, 7), (0, 1), (5, 5)], ids=str)
def test_flow_still_leads_from_each_frame_to_the_other(augmentation, seed):
    sample = numpy(augmentation(tensors(scene()), seed))
    for here, there, flow, visible in (
        ("image1", "image2", "flow12", "visible1"),
        ("image2", "image1", "flow21", "visible2"),
    ):
        warped = warp(sample[there], sample[flow])
        wrong = np.abs(warped - sample[here]).max(-1, keepdims=True)[sample[visible] == 1]
        assert sample[visible].mean() > 0.5
        assert wrong.max() < 0.02  # bilinear sampling, twice, of waves of 30 px


@pytest.mark.parametrize("augmentation", GEOMETRY.values(), ids=GEOMETRY)
def test_visible_pixels_have_their_target_in_the_picture(augmentation):
    sample = numpy(augmentation(tensors(scene()), SEED))
    for frame, flow in (("1", "flow12"), ("2", "flow21")):
        inside = ops.inside(tf.constant(sample[flow][None])).numpy()[0]
        assert not (sample["visible" + frame] * (1 - inside)).any()
        assert (sample["valid" + frame] == 1).mean() > 0.9
        assert set(np.unique(sample["visible" + frame])) <= {0.0, 1.0}


@pytest.mark.parametrize("augmentation", GEOMETRY.values(), ids=GEOMETRY)
def test_same_seed_same_result_eagerly_and_in_a_dataset_of_unknown_sizes(augmentation):
    sample = scene()
    signature = {key: tf.TensorSpec([None, None, value.shape[-1]]) for key, value in sample.items()}
    data = tf.data.Dataset.from_generator(lambda: iter([sample, sample]), output_signature=signature)
    results = [numpy(s) for s in data.map(lambda s: augmentation(s, SEED), num_parallel_calls=2)]
    eager = numpy(augmentation(tensors(sample), SEED))
    for key in sample:
        np.testing.assert_array_equal(results[0][key], results[1][key])
        np.testing.assert_allclose(results[0][key], eager[key], atol=1e-4)


@pytest.mark.parametrize(
    "augmentation", [Crop((37, 50)), Flip(), SwapFrames(), AFFINE, RELATIVE], ids=lambda a: type(a).__name__
)
def test_other_seeds_other_results(augmentation):
    results = [numpy(augmentation(tensors(scene()), (n, 1)))["image1"].tobytes() for n in range(12)]
    assert len(set(results)) >= {"Flip": 4, "SwapFrames": 2}.get(type(augmentation).__name__, 12)


def test_crop_is_a_slice_of_everything():
    sample = scene()
    sample["image1"][..., 0] = np.arange(84)
    sample["image1"][..., 1] = np.arange(60)[:, None]
    cropped = numpy(Crop((20, 33))(tensors(sample), SEED))
    left, top = cropped["image1"][0, 0, :2].astype(int)
    assert 0 < left < 84 - 33 and 0 < top < 60 - 20
    for key in sample:
        if not key.startswith("visible"):
            np.testing.assert_array_equal(cropped[key], sample[key][top : top + 20, left : left + 33])


def test_crop_reaches_every_place():
    sample = {"image1": np.arange(12, dtype=np.float32).reshape(3, 4, 1) * np.ones(3, np.float32)}
    sample["image2"] = sample["image1"]
    corners = {float(Crop((2, 2))(tensors(sample), (n, 0))["image1"][0, 0, 0]) for n in range(60)}
    assert corners == {0.0, 1.0, 2.0, 4.0, 5.0, 6.0}


def test_a_crop_of_unknown_size_has_a_known_one():
    data = tf.data.Dataset.from_generator(
        lambda: iter([]), output_signature={f"image{n}": tf.TensorSpec([None, None, 3]) for n in (1, 2)}
    )
    assert data.map(lambda s: Crop((20, 33))(s, SEED)).element_spec["image2"].shape == (20, 33, 3)


def test_a_frame_smaller_than_the_crop_is_enlarged_with_its_flow_and_keeps_its_shape():
    sample = scene(h=20, w=30)
    sample["flow12"][...] = (2.0, -1.0)
    enlarged = numpy(CentreCrop((40, 30))(tensors(sample), SEED))  # 20 x 30 -> 40 x 60 -> 40 x 30
    assert enlarged["image1"].shape == (40, 30, 3)
    np.testing.assert_allclose(enlarged["flow12"], np.broadcast_to([4.0, -2.0], [40, 30, 2]), rtol=1e-5)


def test_sparse_flow_is_never_mixed_with_what_is_missing():
    sample = scene(h=20, w=30)
    sample["flow12"][...] = (6.0, -3.0)
    sample["valid1"] = (np.random.default_rng(0).uniform(size=[20, 30, 1]) < 0.3).astype(np.float32)
    sample["flow12"] *= sample["valid1"]
    for augmentation in (CentreCrop((43, 64)), Affine(scale=(2.0, 2.0), rotation_deg=0.0)):
        result = numpy(augmentation(tensors(sample), SEED))
        valid = result["valid1"][..., 0] == 1
        assert 0.15 < valid.mean() < 0.45
        ratio = result["flow12"][valid] / (6.0, -3.0)
        np.testing.assert_allclose(ratio, np.broadcast_to(ratio[0], ratio.shape), rtol=1e-4)
        assert ratio.min() > 1.9
        assert not result["flow12"][~valid].any()


@pytest.mark.parametrize(("axis", "flip"), [(1, Flip(1.0, 0.0)), (0, Flip(0.0, 1.0))], ids=["right", "down"])
def test_flip_commutes_with_the_warp(axis, flip):
    sample = scene()
    flipped = numpy(flip(tensors(sample), SEED))
    expected = np.flip(warp(sample["image2"], sample["flow12"]), axis)
    np.testing.assert_allclose(warp(flipped["image2"], flipped["flow12"]), expected, atol=1e-4)
    component = 0 if axis == 1 else 1
    np.testing.assert_array_equal(flipped["flow12"][..., component], -np.flip(sample["flow12"], axis)[..., component])


def test_flip_twice_is_identity():
    sample = scene()
    twice = numpy(Flip(1.0, 1.0)(Flip(1.0, 1.0)(tensors(sample), SEED), SEED))
    for key in sample:
        np.testing.assert_array_equal(twice[key], sample[key])


def test_affine_with_nothing_to_do_is_identity():
    sample = scene()
    same = numpy(Affine()(tensors(sample), SEED))
    for key in sample:
        np.testing.assert_allclose(same[key], sample[key], atol=1e-4)


def test_affine_zoom_of_two_doubles_the_flow_in_the_middle():
    sample = scene(h=41, w=61)
    sample["flow12"][...] = (2.0, -1.0)
    zoomed = numpy(Affine(scale=(2.0, 2.0), translation=0.0)(tensors(sample), SEED))
    np.testing.assert_allclose(zoomed["flow12"], np.broadcast_to([4.0, -2.0], [41, 61, 2]), atol=1e-4)
    np.testing.assert_allclose(zoomed["image1"][::2, ::2], sample["image1"][10:31, 15:46], atol=1e-4)


def test_affine_squeeze_stretches_x_and_shrinks_y():
    sample = scene()
    sample["flow12"][...] = (2.0, -1.0)
    squeezed = numpy(Affine(scale=(2.0, 2.0), squeeze=(1.25, 1.25))(tensors(sample), SEED))
    np.testing.assert_allclose(squeezed["flow12"], np.broadcast_to([5.0, -1.6], [60, 84, 2]), atol=1e-4)


def test_affine_turn_keeps_the_length_of_the_flow_times_the_zoom():
    sample = scene()
    sample["flow12"][...] = (3.0, -4.0)
    turned = numpy(Affine(scale=(2.0, 2.0), rotation_deg=20.0)(tensors(sample), SEED))["flow12"]
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), 10.0, rtol=1e-4)
    assert abs(turned[0, 0, 0] - 6.0) > 0.1


def test_affine_never_shows_what_lies_outside_the_first_frame():
    sample = scene()
    sample["valid1"][...] = 1.0
    for n in range(8):
        result = Affine(scale=(0.5, 1.0), rotation_deg=45.0)(tensors(sample), (n, 2))
        assert result["valid1"].numpy().all()


def test_relative_motion_of_the_second_frame_adds_to_the_flow():
    sample = scene()
    sample["flow12"][...] = sample["flow21"][...] = 0.0
    result = numpy(Affine(relative_translation=5.0)(tensors(sample), SEED))
    shift = result["flow12"][0, 0]
    assert 0.1 < np.abs(shift).max() <= 5.0
    np.testing.assert_allclose(result["flow12"], np.broadcast_to(shift, [60, 84, 2]), atol=1e-4)
    valid = result["valid2"][..., 0] == 1
    np.testing.assert_allclose(result["flow21"][valid], np.broadcast_to(-shift, [valid.sum(), 2]), atol=1e-4)
    assert not valid.all()


def test_swap_exchanges_the_frames_and_their_truth():
    sample = scene()
    swapped = numpy(SwapFrames(1.0)(tensors(sample), SEED))
    for one, other in (("image1", "image2"), ("flow12", "flow21"), ("valid1", "valid2"), ("visible1", "visible2")):
        np.testing.assert_array_equal(swapped[one], sample[other])
        np.testing.assert_array_equal(swapped[other], sample[one])


def test_swap_leaves_one_way_truth_in_order_and_turns_plain_frames():
    sample = scene()
    one_way = {key: sample[key] for key in ("image1", "image2", "flow12", "valid1")}
    np.testing.assert_array_equal(SwapFrames(1.0)(tensors(one_way), SEED)["image1"], sample["image1"])
    frames = {key: sample[key] for key in ("image1", "image2")}
    np.testing.assert_array_equal(SwapFrames(1.0)(tensors(frames), SEED)["image1"], sample["image2"])


@pytest.mark.parametrize("augmentation", GEOMETRY.values(), ids=GEOMETRY)
def test_network_inputs_move_with_the_images_and_other_keys_stay(augmentation):
    sample = scene()
    sample |= {"input1": sample["image1"] / 2, "input2": sample["image2"] / 2, "index": np.int64(5)}
    result = numpy(augmentation(tensors(sample), SEED))
    np.testing.assert_allclose(result["input1"], result["image1"] / 2, atol=1e-6)
    np.testing.assert_allclose(result["input2"], result["image2"] / 2, atol=1e-6)
    assert result["index"] == 5


@pytest.mark.parametrize("augmentation", GEOMETRY.values(), ids=GEOMETRY)
def test_frames_without_truth_are_enough(augmentation):
    sample = scene()
    result = augmentation(tensors({key: sample[key] for key in ("image1", "image2")}), SEED)
    assert set(result) == {"image1", "image2"}
    assert result["image1"].shape == result["image2"].shape


def test_settings_are_in_repr_and_refused_with_a_reason():
    assert repr(Crop((20, 33))) == "Crop(size=(20, 33))"
    with pytest.raises(ValueError, match=r"`size` must be \(height, width\) of at least one pixel each, got \(0, 4\)"):
        Crop((0, 4))
    with pytest.raises(ValueError, match=r"`horizontal` must be a probability in \[0, 1\], got 1.5"):
        Flip(horizontal=1.5)
    with pytest.raises(ValueError, match=r"`probability` must be a probability in \[0, 1\], got -1"):
        SwapFrames(-1)
    with pytest.raises(ValueError, match=r"`scale` must be \(low, high\) with 0 < low <= high, got \(2.0, 1.0\)"):
        Affine(scale=(2.0, 1.0))
    with pytest.raises(ValueError, match="`rotation_deg` must not be negative, got -3"):
        Affine(rotation_deg=-3)
