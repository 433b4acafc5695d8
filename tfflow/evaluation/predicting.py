"""Flow of a batch by a predictor, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tfflow.data.records import Sample
from tfflow.errors import InputError
from tfflow.evaluation.baselines import Predictor
from tfflow.messages import counted


def stacked(samples: Sequence[Sample]) -> dict[str, np.ndarray]:
    """image1, image2, and image0 and image3 if the samples have them, each stacked to [b, h, w, 3]."""
    names = [name for name in ("image1", "image2", "image0", "image3") if name in samples[0]]
    return {name: np.stack([sample[name] for sample in samples]) for name in names}


def predict(predictor: Predictor, images: Mapping[str, np.ndarray], both: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """flow12 [b, h, w, 2], and flow21 if `both`, else None. InputError if memory runs out.

    images: from `stacked`. Only networks of three frames get image0 and image3.
    """
    pair = [images["image1"], images["image2"]]
    seen = [images[name] for name in ("image0", "image3") if name in images and getattr(predictor, "frames", 2) > 2]
    try:
        if not both:
            return np.asarray(predictor.batch(*pair, *seen[:1])), None
        flows12, flows21 = predictor.both(*pair, *seen)
        return np.asarray(flows12), np.asarray(flows21)
    except Exception as error:
        if type(error).__name__ != "ResourceExhaustedError":  # of TensorFlow, which an exported file does not need
            raise
        b, h, w, _ = pair[0].shape
        advice = "use a smaller `batch`" if b > 1 else "make the frames smaller"
        raise InputError(f"not enough memory for {counted(b, 'pair')} of {w} x {h} at a time: {advice}") from None


def require_finite(label: str, image: str, *flows: np.ndarray | None) -> None:
    """Raises InputError with the predictor and the image if a flow is not finite."""
    if not all(flow is None or np.isfinite(flow).all() for flow in flows):
        raise InputError(
            f"{label} gave a flow that is not finite on {image}; "
            "the weights are damaged or their training diverged: use an earlier checkpoint"
        )
