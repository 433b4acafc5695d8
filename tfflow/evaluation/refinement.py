"""Refinement of a network's flow: OpenCV's variational refinement, "+ variational" in the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfflow.errors import unknown_name
from tfflow.evaluation.baselines import Predictor
from tfflow.models.cascade import ONCE
from tfflow.models.variational import pair_by_pair, variational


class Refined:
    """A predictor whose flow is refined by the frames of each pair: `pair` takes two images and the flow."""

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
"""Before the scales and before the refinement, in the labels of tables."""

REFINEMENTS: dict[str, Callable[..., np.ndarray]] = {"variational": variational}


def refined(predictor: Predictor, name: str) -> Refined:
    """`predictor` with the refinement called `name` after it; an unknown name is refused."""
    if name not in REFINEMENTS:
        raise unknown_name("refinement", name, REFINEMENTS)
    return Refined(predictor, name, REFINEMENTS[name])


def used_as(name: str, scales: Sequence[float], refinement: str | None) -> str:
    """What a network is called in tables: its name, the scales of its passes if there are several, its refinement."""
    at = "" if tuple(scales) == ONCE else AT + ",".join(f"{scale:g}" for scale in scales)
    return f"{name}{at}" + (f"{AND}{refinement}" if refinement else "")


def is_default(label: str) -> bool:
    """Whether a label of `used_as` says one pass at the frames' own size and no refinement."""
    return AT not in label and AND not in label
