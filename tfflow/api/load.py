"""`tfflow.load`: trained weights, ready to use."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfflow import models

if TYPE_CHECKING:  # an exported file needs no TensorFlow, whose import takes seconds
    from tfflow.models import FlowModel, TFLiteModel


def load(weights: str | os.PathLike | None = None, scales: Sequence[float] = (1.0,)) -> FlowModel | TFLiteModel:
    """A trained network, ready to use.

        model = tfflow.load()
        flow = model.flow(*tfflow.sample_pair())          # float32 [h, w, 2], (u right, v down), px
        exact = tfflow.load("pwcnet_mobile", scales=(1, 2))

    weights: the name of pretrained weights (`tfflow.list_weights`), a .safetensors file, the folder of a training, or
        the .tflite of an export. Default: `tfflow.models.DEFAULT`.
    scales: the network makes one pass at each, as shares of the frames' size. (1, 2) is more exact, at five times the
        work. An exported network has one size and takes none.
    Raises InputError where `weights` is none of these; it lists the names that are known.
    """
    return models.load(models.DEFAULT if weights is None else weights, scales)
