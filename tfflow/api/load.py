"""`tfflow.load`: trained weights, ready to use."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tfflow import models
from tfflow.models import FlowModel, TFLiteModel


def load(weights: str | os.PathLike | None = None, scales: Sequence[float] = (1.0,)) -> FlowModel | TFLiteModel:
    """A trained network, ready to use: `tfflow.load().flow(image1, image2)`.

    weights: the name of pretrained weights (`tfflow.list_weights()`), a .safetensors file, the output folder of a
        training, or a .tflite of an export. Default: `tfflow.models.DEFAULT`.
    scales: sizes, as shares of the frames' own, at which the network makes a pass one after the other: with (1, 2) its
        flow is more exact, at five times the work.
    Raises InputError, naming what is known, where `weights` is none of them.
    """
    return models.load(models.DEFAULT if weights is None else weights, scales)
