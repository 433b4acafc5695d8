"""Models with our layers are saved and loaded by Keras itself, and layers of Keras 2 are refused inside Keras 3."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tests.layers.test_layers import CASES, arrays, model_of
from tfflow.layers import LAYERS, CostVolume, DilatedConv2D, Scale
from tfflow.layers.plain import FlowLayer
from tfflow.models import untrained

FORMATS = {".keras": {}, ".h5": {}, "": {"save_format": "tf"}}
filterwarnings = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")


def test_every_layer_is_registered_under_its_name():
    for name, layer in LAYERS.items():
        assert issubclass(layer, FlowLayer)
        assert keras.saving.get_registered_object(f"tfflow>{name}") is layer


@filterwarnings
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("case", CASES)
def test_a_layer_comes_back_from_a_saved_model_without_custom_objects(tmp_path, case, suffix):
    model = model_of(case)
    model.save(tmp_path / f"m{suffix}")
    again = keras.models.load_model(tmp_path / f"m{suffix}")
    assert type(again.get_layer("it")) is type(model.get_layer("it"))
    assert again.get_layer("it").get_config() == model.get_layer("it").get_config()
    np.testing.assert_array_equal(model(arrays(CASES[case][1])), again(arrays(CASES[case][1])))


LOADED_ELSEWHERE = """
import sys
import numpy as np
import tfflow
assert "tensorflow" not in sys.modules  # it takes seconds
import tf_keras as keras
frames = np.load(sys.argv[1])
for path in sys.argv[2:]:
    model = keras.models.load_model(path)
    np.save(path + ".npy", model([frames[:1], frames[1:]])[0])
"""


@filterwarnings
def test_a_network_saved_in_every_format_is_loaded_by_another_process_after_import_tfflow(tmp_path):
    model = untrained("spynet_mobile").one_way
    frames = np.random.default_rng(0).uniform(size=[2, 64, 128, 3]).astype(np.float32)
    np.save(tmp_path / "frames.npy", frames)
    paths = []
    for suffix, options in FORMATS.items():
        paths.append(str(tmp_path / f"m{suffix}"))
        model.save(paths[-1], **options)
    command = [sys.executable, "-c", LOADED_ELSEWHERE, str(tmp_path / "frames.npy"), *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = model([frames[:1], frames[1:]])[0].numpy()
    for path in paths:
        np.testing.assert_allclose(np.load(path + ".npy"), expected, atol=1e-5)


def keras_3():
    return pytest.importorskip("keras", minversion="3", reason="Keras 3 is not here")


SAYS = r"is a layer of tf_keras \(Keras 2\) and cannot be part of a model of Keras 3: build the model with .import tf_k"


@pytest.mark.parametrize(
    "use",
    [lambda x: Scale(2.0)(x), lambda x: CostVolume(2)([x, x]), lambda x: DilatedConv2D(3)(inputs=x)],
    ids=["Scale", "CostVolume", "DilatedConv2D"],
)
def test_a_functional_model_of_keras_3_is_refused(use):
    x = keras_3().Input((8, 8, 4))
    with pytest.raises(TypeError, match=SAYS):
        use(x)


def test_a_subclassed_model_of_keras_3_is_refused_and_a_model_of_keras_2_inside_it_is_not():
    class Outer(keras_3().Model):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def call(self, x):
            return self.inner(x)

    x = np.ones([1, 8, 8, 4], np.float32)
    with pytest.raises(TypeError, match=SAYS):
        Outer(DilatedConv2D(3))(x)
    inputs = keras.Input((8, 8, 4))
    inner = keras.Model(inputs, DilatedConv2D(3)(inputs))
    np.testing.assert_array_equal(Outer(inner)(x), inner(x))


def test_a_sequential_model_of_keras_3_says_what_it_was_given():
    with pytest.raises(ValueError, match=r"Received: <Scale '\w+', a layer of tf_keras \(Keras 2\)>"):
        keras_3().Sequential([Scale(2.0)])


def test_a_layer_is_traced_and_called_as_before():
    assert tf.function(Scale(2.0))(tf.ones([1, 2, 2, 1])).numpy().tolist() == [[[[2.0], [2.0]], [[2.0], [2.0]]]]
