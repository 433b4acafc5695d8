"""FLOPs of networks small enough to count by hand."""

from __future__ import annotations

import pytest
import tf_keras as keras

from tfflow.layers import CostVolume, DilatedConv2D
from tfflow.models import both_directions, one_direction, variant
from tfflow.models.flops import flops


def test_flops_of_each_kind_of_layer():
    image = keras.Input((8, 12, 3), 2)
    x = keras.layers.Conv2D(5, 3, 2, "same")(image)
    model = keras.Model(image, x)
    assert flops(model) == 2 * (2 * 4 * 6) * (3 * 3 * 3 * 5)
    y = keras.layers.Conv2DTranspose(7, 4, 2, "same")(x)
    assert flops(keras.Model(x, y)) == 2 * (2 * 4 * 6) * (4 * 4 * 5 * 7)
    y = DilatedConv2D(7, 3, dilation_rate=2)(x)
    assert flops(keras.Model(x, y)) == 2 * (2 * 4 * 6) * (3 * 3 * 5 * 7)
    y = CostVolume(4, 2)([x, x])
    assert flops(keras.Model(x, y)) == 2 * (2 * 4 * 6) * 5 * 25
    assert flops(keras.Model(x, keras.layers.LeakyReLU(0.1)(x))) == 0


def test_a_layer_used_twice_counts_twice_and_use_elsewhere_does_not():
    image = keras.Input((8, 12, 4), 1)
    layer = keras.layers.Conv2D(4, 3, padding="same")
    once = layer(image)
    twice = layer(once)
    one = 2 * 8 * 12 * 9 * 16
    assert flops(keras.Model(image, twice)) == 2 * one
    assert flops(keras.Model(image, once)) == one


def test_flops_of_a_network_grow_with_pixels_and_both_directions_encode_no_more():
    network = variant("spynet").build("float32")
    # five 7x7 convolutions a level on each of six grids
    per_pixel = 2 * 49 * (8 * 32 + 32 * 64 + 64 * 32 + 32 * 16 + 16 * 2)
    pixels = sum((64 >> k) * (96 >> k) for k in range(6))
    one = flops(one_direction(network, (64, 96), 1))
    assert one == per_pixel * pixels
    assert flops(both_directions(network, (64, 96), 3)) == 6 * one


def test_a_model_of_any_size_is_refused():
    image = keras.Input((None, 12, 3), 1)
    with pytest.raises(ValueError, match="must have a fixed batch and size to count its FLOPs, got a tensor of"):
        flops(keras.Model(image, keras.layers.Conv2D(5, 3)(image)))
