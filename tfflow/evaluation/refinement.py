"""Refinement of a network's flow by OpenCV's variational refinement, "+ variational" in tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfflow.errors import unknown_name
from tfflow.evaluation.baselines import Predictor
from tfflow.models.scales import ONCE
from tfflow.models.variational import pair_by_pair, variational


class Refined:
    """A predictor with refined flow. pair: (image1, image2, flow) -> flow, for one pair."""

    def __init__(self, predictor: Predictor, name: str, pair: Callable[..., np.ndarray]):
        self.name = f"{predictor.name} + {name}"
        self.frames = getattr(predictor, "frames", 2)
        self._predictor, self._pair = predictor, pair

    def batch(self, images1: np.ndarray, images2: np.ndarray, *before: np.ndarray) -> np.ndarray:
        return self._refined(images1, images2, self._predictor.batch(images1, images2, *before))

    def both(self, images1: np.ndarray, images2: np.ndarray, *neighbours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        flow12, flow21 = self._predictor.both(images1, images2, *neighbours)
        return self._refined(images1, images2, flow12), self._refined(images2, images1, flow21)

    def _refined(self, images1: np.ndarray, images2: np.ndarray, flows: np.ndarray) -> np.ndarray:
        return pair_by_pair(images1, images2, flows, self._pair)  # [b, h, w, 2]


AT, AND = " at ", " + "
"""The texts before the scales and before the refinement in the labels of tables."""

REFINEMENTS: dict[str, Callable[..., np.ndarray]] = {"variational": variational}


def refined(predictor: Predictor, name: str) -> Refined:
    """`predictor` with the refinement called `name`. InputError for an unknown name."""
    if name not in REFINEMENTS:
        raise unknown_name("refinement", name, REFINEMENTS)
    return Refined(predictor, name, REFINEMENTS[name])


def label_of(name: str, scales: Sequence[float], refinement: str | None) -> str:
    """The label of a network in tables: its name, the scales of several passes, its refinement."""
    at = "" if tuple(scales) == ONCE else AT + ",".join(f"{scale:g}" for scale in scales)
    return f"{name}{at}" + (f"{AND}{refinement}" if refinement else "")


def is_default(label: str) -> bool:
    """Whether a label of `label_of` means one pass at the frame size without refinement."""
    return AT not in label and AND not in label
