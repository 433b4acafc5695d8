"""A network small enough to be exported in seconds."""

from __future__ import annotations

from typing import ClassVar

import pytest
import tf_keras as keras

from tfflow.models import VARIANTS, FlowModel, Variant
from tfflow.models.pwcnet_mobile import PWCNetMobile

SIZE = (32, 48)


class SmallPWC(PWCNetMobile):
    """Two levels of everything that `pwcnet_mobile` has."""

    stride = 8
    channels = (4, 6, 8)
    decoders: ClassVar = {3: (8, 6), 2: (8,)}


VARIANTS["small_pwc"] = Variant("small_pwc", SmallPWC, "of the tests", 1, "none")


@pytest.fixture(scope="session")
def model() -> FlowModel:
    """With weights that give flow of some pixels, the same in every run of the tests."""
    keras.utils.set_random_seed(1)
    model = FlowModel("small_pwc", {"recipe": "ddflow_quick", "data": "none", "steps": "3"})
    for v in model.one_way.weights:
        if v.name.startswith("decoder") and "_flow/" in v.name:
            v.assign(v + (0.01 if "kernel" in v.name else 0.6))
    return model
