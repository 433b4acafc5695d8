"""`tfflow.estimate`: the flow of two images with all that follows from it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from tfflow import models
from tfflow.models.estimate import Estimate
from tfflow.models.scales import ONCE, check_scales

__all__ = ["Estimate", "estimate", "network"]


def estimate(
    image1: Any, image2: Any, weights: Any = None, *, scales: Sequence[float] = ONCE, channels: str = "rgb"
) -> Estimate:
    """Flow from image1 to image2 and back, and what follows from both.

        result = tfflow.estimate(image1, image2)
        result.flow, result.visible, result.confidence       # [h, w, 2] px, bool [h, w], [h, w] in [0, 1]
        result.warp(), result.picture(), result.save("a.flo")

    image1, image2: arrays [h, w, 3], PIL images or paths, of one size. channels: "bgr" for arrays from OpenCV.
    weights: as of `tfflow.load`, or a loaded network. For many pairs, load it once and pass it.
    scales: as of `tfflow.load`.
    Raises InputError where an argument does not fit.
    """
    return network(weights, scales, few=True).estimate(image1, image2, channels=channels)


def network(weights: Any, scales: Sequence[float] = ONCE, few: bool = False) -> Any:
    """The network that `weights` names, or is; None: `tfflow.models.DEFAULT`.

    few: whether it is for a few pairs. A network that is loaded here is then not compiled, see `FlowModel`.
    """
    weights = models.DEFAULT if weights is None else weights
    if not isinstance(weights, str | os.PathLike):
        return weights
    model = models.load(weights, check_scales(scales))
    if few and not isinstance(model, models.TFLiteModel):
        model.compiled = False
    return model
