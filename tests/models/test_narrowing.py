"""Weights of a wider network, cut to the shapes of a narrower one."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tfflow.layers import CostVolume
from tfflow.models.narrowing import narrowed
from tfflow.models.weights import assign, model_arrays


def test_a_narrower_network_gives_the_same_flow_where_the_least_channels_are_zero(built):
    """Its filters are those that are not zero; beyond its radii, no cost is read."""
    wide, narrow = built("pwcnet_mobile_v4").one_way, built("pwcnet_mobile_v5").one_way
    before = model_arrays(wide)
    arrays = {name: x + 0.1 if name.endswith("bias") and "flow" not in name else x for name, x in before.items()}
    draw = np.random.default_rng(0)
    for name, x in model_arrays(narrow).items():
        layer, part = name.split("/")
        if part == "kernel" and x.shape[-1] < before[name].shape[-1]:
            least = draw.permutation(before[name].shape[-1])[x.shape[-1] :]
            arrays[name] = arrays[name].copy()
            arrays[name][..., least] = 0
            arrays[f"{layer}/bias"][least] = 0
    for level, radius in ((3, 3), (2, 2)):
        far = [max(abs(dy), abs(dx)) > radius for dy in range(-4, 5) for dx in range(-4, 5)]
        kernel = arrays[f"decoder{level}_conv1/kernel"] = arrays[f"decoder{level}_conv1/kernel"].copy()
        kernel[:, :, :81][:, :, far] = 0
    try:
        assign(wide, arrays, "zeros")
        kept = narrowed(wide, narrow)
        assert {name: x.shape for name, x in kept.items()} == {n: x.shape for n, x in model_arrays(narrow).items()}
        assign(narrow, kept, "what is kept")
        images = tf.random.stateless_uniform([2, 1, 64, 128, 3], [0, 1])
        for expected, flow in zip(wide(list(images)), narrow(list(images)), strict=True):
            np.testing.assert_allclose(flow, expected, atol=2e-4)
    finally:
        assign(wide, before, "as they were")


def conv(name: str, filters: int):
    return keras.layers.Conv2D(filters, 1, name=name)


@pytest.mark.parametrize("radius", [1, 2])
def test_what_is_kept_follows_the_channels_through_the_graph(radius):
    def model(width: int, radius: int) -> keras.Model:
        image = keras.Input([4, 6, 3], name="image")
        x = keras.layers.ReLU(name="relu")(conv("first", width)(image))
        costs = CostVolume(radius, name="costs")([image, image])
        joined = keras.layers.Concatenate(name="joined")([costs, x, image])
        return keras.Model(image, conv("last", 2)(joined))

    wide, narrow = model(5, 2), model(2, radius)
    arrays = model_arrays(wide)
    arrays["first/kernel"][:] = np.float32([1, -9, 2, 8, 0])
    arrays["first/bias"][:] = np.arange(5)
    arrays["last/kernel"][:] = np.arange(25 + 5 + 3)[:, None]
    assign(wide, arrays, "numbers")
    kept = narrowed(wide, narrow)
    assert kept["first/kernel"][0, 0, 0].tolist() == [-9, 8] and kept["first/bias"].tolist() == [1, 3]
    within = {1: [6, 7, 8, 11, 12, 13, 16, 17, 18], 2: list(range(25))}[radius]
    assert kept["last/kernel"][0, 0, :, 0].tolist() == [*within, 26, 28, 30, 31, 32]
    np.testing.assert_array_equal(arrays["first/kernel"], model_arrays(wide)["first/kernel"])


def test_what_the_wider_network_does_not_have_is_left_out():
    image = keras.Input([4, 6, 3], name="image")
    wide = keras.Model(image, conv("first", 3)(image))
    narrow = keras.Model(image, conv("other", 3)(conv("first", 2)(image)))
    assert {name: x.shape for name, x in narrowed(wide, narrow).items()} == {
        "first/kernel": (1, 1, 3, 2),
        "first/bias": (2,),
    }


def test_transposed_convolutions_and_layers_that_do_not_fit_keep_their_shape():
    def model(more: bool) -> keras.Model:
        image = keras.Input([4, 6, 3], name="image")
        x = keras.layers.Concatenate(name="joined")([conv("first", 4)(image), image])
        x = keras.layers.Conv2DTranspose(2, 4, 2, "same", name="up")(x)
        y = keras.layers.Concatenate(name="inputs")([image] * (3 if more else 2))
        return keras.Model(image, [x, conv("last", 2)(y)])

    wide = model(more=False)
    arrays = model_arrays(wide)
    for more in (False, True):
        kept = narrowed(wide, model(more))
        assert all(np.array_equal(kept[name], x) for name, x in arrays.items())
