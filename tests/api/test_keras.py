"""Networks as Keras models: any size, named inputs, trained by `fit`, saved and loaded by Keras and by this package."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras as keras

import tfflow
from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow.errors import InputError
from tfflow.models import untrained


def frames(h: int, w: int, count: int = 2) -> dict[str, np.ndarray]:
    """Batches of one pair, and of the frame before it."""
    random = np.random.default_rng(1)
    names = ("image1", "image2", "image0")[:count]
    return {name: random.uniform(size=[1, h, w, 3]).astype(np.float32) for name in names}


@pytest.mark.parametrize("name", ["tiny", "tiny_three"])
def test_a_keras_model_takes_frames_of_any_size_by_name_or_in_order(name):
    model = untrained(name)
    for h, w in ((32, 40), (29, 43)):
        images = frames(h, w, model.frames)
        expected = model.batch(*images.values())
        assert expected.shape == (1, h, w, 2)
        np.testing.assert_allclose(model.keras_model(images), expected, rtol=0, atol=1e-6)
        np.testing.assert_allclose(model.keras_model(list(images.values())), expected, rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_what_fit_trained_is_saved_and_loaded_by_keras_and_its_weights_by_tfflow(tmp_path, suffix):
    model = untrained("tiny")
    images = frames(29, 43)
    before = model.batch(*images.values())
    model.keras_model.compile(keras.optimizers.SGD(1e-3), "mse")
    model.keras_model.fit(images, np.ones((1, 29, 43, 2), np.float32), epochs=2, verbose=0)
    trained = model.batch(*images.values())
    assert np.abs(trained - before).max() > 1e-4  # the weights are shared
    model.keras_model.save(tmp_path / f"m{suffix}")
    again = keras.models.load_model(tmp_path / f"m{suffix}")
    np.testing.assert_allclose(again(images), trained, rtol=0, atol=1e-6)
    path = tfflow.save_weights(again, tmp_path / "mine.safetensors")
    np.testing.assert_allclose(tfflow.load(path).batch(*images.values()), trained, rtol=0, atol=1e-6)


def test_weights_are_written_to_a_safetensors_file_alone(tmp_path):
    with pytest.raises(InputError, match=r"a file that ends in \.safetensors, got '.*mine\.h5'"):
        tfflow.save_weights(untrained("tiny"), tmp_path / "mine.h5")
