"""Optical flow from unlabelled frames: training, measuring, and use of flow networks in TensorFlow and tf_keras.

    import tfflow

    flow = tfflow.load().flow("frame1.png", "frame2.png")                # [h, w, 2], (u right, v down), px
    run = tfflow.train("video:holiday.mp4", out="runs/holiday")
    tfflow.export(run.folder, "out", size=(256, 448), precision="int8-ptq")

The functions are imported when they are asked for: `import tfflow` takes no seconds, sets no environment variable and
changes no logger.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

import wrapt

from tfflow.errors import InputError

if TYPE_CHECKING:
    from tfflow.api.compare import compare as compare
    from tfflow.api.estimate import estimate as estimate
    from tfflow.api.evaluate import evaluate as evaluate
    from tfflow.api.export import export as export
    from tfflow.api.load import load as load
    from tfflow.api.names import list_networks as list_networks
    from tfflow.api.names import list_weights as list_weights
    from tfflow.api.phone import phone as phone
    from tfflow.api.predict import predict as predict
    from tfflow.api.sample import sample_pair as sample_pair
    from tfflow.api.track import track as track
    from tfflow.api.train import train as train
    from tfflow.data.sources import register_data as register_data
    from tfflow.models.variants import register_network as register_network
    from tfflow.models.weights import save_weights as save_weights
    from tfflow.recipes import register_recipe as register_recipe

__version__ = "0.1.0"

_PLACES = {
    "compare": "api.compare",
    "estimate": "api.estimate",
    "evaluate": "api.evaluate",
    "export": "api.export",
    "list_networks": "api.names",
    "list_weights": "api.names",
    "load": "api.load",
    "phone": "api.phone",
    "predict": "api.predict",
    "register_data": "data.sources",
    "register_network": "models.variants",
    "register_recipe": "recipes",
    "sample_pair": "api.sample",
    "save_weights": "models.weights",
    "track": "api.track",
    "train": "api.train",
}
"""Of each function the module that has it."""

__all__ = ["InputError", "__version__", *_PLACES]


class _Library(types.ModuleType):
    """This module. `tfflow.train` is the function, also after `import tfflow.train`, the module of the command."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PLACES and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Library


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


@wrapt.when_imported("tf_keras")
def _register_layers(_) -> None:
    """So that Keras loads saved models with layers of this package; not before Keras itself, which takes seconds."""
    import tfflow.layers  # noqa: F401
