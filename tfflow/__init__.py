"""Optical flow from unlabelled frames: training, measuring, and use of flow networks in TensorFlow/Keras."""

from __future__ import annotations

import os

# The quantizer (tensorflow-model-optimization) needs Keras 2; say so before TensorFlow is first imported.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import wrapt

from tfflow.errors import InputError

__version__ = "0.1.0"
__all__ = ["InputError", "__version__", "load"]


@wrapt.when_imported("tf_keras")
def _register_layers(_) -> None:
    """So that Keras loads saved models with layers of this package; not before Keras itself, which takes seconds."""
    import tfflow.layers  # noqa: F401


def load(weights, scales=(1.0,)):
    """A trained network, ready to use: `tfflow.load("pwcnet_mobile").flow(image1, image2)`.

    weights: a name in the box, a .safetensors file, or the output folder of `python -m tfflow.train`.
    scales: sizes, as shares of the frames' own, at which the network looks one after the other: with (1, 2) its flow is
    more exact, at five times the work.
    Returns a `tfflow.models.FlowModel`. Raises InputError, naming what is known, where `weights` is none of them.
    """
    from tfflow.models import load as load_model  # imported late: TensorFlow takes seconds

    return load_model(weights, scales)
