"""Networks small enough to be exported in seconds."""

from __future__ import annotations

from typing import ClassVar

import pytest
import tensorflow as tf
import tf_keras as keras

from tfflow.layers import Normalize, UpsampleFlow
from tfflow.models import FlowModel, register_network
from tfflow.models.blocks import TORCH, add, chain, concat, conv, deconv, flow_head
from tfflow.models.pwcnet_mobile import PWCNetMobile

SIZE = (32, 48)


class SmallPWC(PWCNetMobile):
    """Two levels of everything that `pwcnet_mobile` has."""

    stride = 8
    channels = (4, 6, 8)
    decoders: ClassVar = {3: (8, 6), 2: (8,)}


class Upsampling:
    """Flow at 1/8 and two channels of features, both upsampled by learned weights, as in the published PWC-Net."""

    stride = 8

    def __init__(self, dtype: str = "float32"):
        self.normalize = Normalize((0.5, 0.5, 0.5), (1.0, 1.0, 1.0), name="normalize")
        options = {"init": TORCH, "dtype": dtype}
        self.features = chain([conv(f"features{i}", 6, stride=2, **options) for i in (1, 2)])
        self.coarse, self.head = conv("coarse", 6, stride=2, **options), flow_head("flow3", init=TORCH)
        self.up_flow, self.up_features = (deconv(name, 2, TORCH) for name in ("up_flow", "up_features"))
        self.fine = flow_head("flow2", init=TORCH)

    def encode(self, images):
        return [self.normalize(images)]

    def decode(self, images1, images2):
        features = self.features(concat("pair", [*images1, *images2]))
        coarse = self.coarse(features)
        flow = self.head(coarse)
        upsampled = self.up_flow(flow)
        known = concat("decoder2_input", [features, upsampled, self.up_features(coarse)])
        fine = add("refined", self.fine(known), upsampled)
        return [UpsampleFlow(4, name="full_resolution")(fine), fine, flow]


register_network("upsampling", Upsampling, paper="of the tests")
register_network("small_pwc", SmallPWC, paper="of the tests")


@pytest.fixture(scope="session")
def model() -> FlowModel:
    """With weights that give flow of some pixels, the same in every run of the tests."""
    keras.utils.set_random_seed(1)
    model = FlowModel("small_pwc", {"recipe": "ddflow_quick", "data": "none", "steps": "3"})
    for v in model.one_way.weights:
        if v.name.startswith("decoder") and "_flow/" in v.name:
            v.assign(v + (0.01 if "kernel" in v.name else 0.6))
    return model


def converted(function, *shapes: tuple[int, ...], eight_bits: bool = False) -> bytes:
    """What the converter makes of a function of float tensors, with its fake quantizers where asked."""
    specs = [tf.TensorSpec(shape) for shape in shapes]
    concrete = tf.function(lambda *inputs: function(*inputs), specs, autograph=False).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    if eight_bits:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()
