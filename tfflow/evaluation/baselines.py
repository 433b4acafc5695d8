"""Baselines without training: zero flow, and OpenCV's DIS and Farneback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from tfflow.models.variational import grey


class Predictor(Protocol):
    """The interface of what is measured: `tfflow.models.FlowModel` and all baselines.

    batch: images1, images2 float32 RGB [b, h, w, 3] in [0, 1] -> flow12 float32 [b, h, w, 2], px.
    both: the same -> (flow12, flow21).
    If `frames` is 3, `batch` also takes the frame before the pair, and `both` the frames before and after it.
    """

    name: str

    def batch(self, images1: np.ndarray, images2: np.ndarray) -> np.ndarray: ...

    def both(self, images1: np.ndarray, images2: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


class Baseline:
    """A predictor from a function for one pair: two 8-bit grey images [h, w] -> flow [h, w, 2], px."""

    def __init__(self, name: str, pair: Callable[[np.ndarray, np.ndarray], np.ndarray]):
        self.name = name
        self._pair = pair

    def batch(self, images1: np.ndarray, images2: np.ndarray) -> np.ndarray:
        pairs = [self._pair(grey(a), grey(b)) for a, b in zip(images1, images2, strict=False)]
        return np.stack(pairs).astype(np.float32)  # [b, h, w, 2]

    def both(self, images1: np.ndarray, images2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.batch(images1, images2), self.batch(images2, images1)


def zero() -> Baseline:
    """Zero flow. Its EPE is the mean length of the true flow."""
    return Baseline("zero flow", lambda grey1, grey2: np.zeros((*grey1.shape, 2), np.float32))


def dis(preset: str = "medium") -> Baseline:
    """Dense inverse search (Kroeger et al. 2016) with OpenCV's `preset`: ultrafast, fast or medium.

    Sides below 32 px, on which OpenCV fails, are padded by the border, and the flow is cropped.
    Raises ValueError for another preset.
    """
    presets = {
        "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
        "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
        "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    }
    if preset not in presets:
        raise ValueError(f"`preset` must be one of {', '.join(presets)}, got {preset!r}")
    return Baseline(f"DIS {preset}", lambda grey1, grey2: _dis(presets[preset], grey1, grey2))


def farneback() -> Baseline:
    """Polynomial expansion (Farneback 2003): 5 levels, window 13, 10 iterations, neighbourhood 5, sigma 1.1."""

    def pair(grey1: np.ndarray, grey2: np.ndarray) -> np.ndarray:
        flow = np.zeros((*grey1.shape, 2), np.float32)
        return cv2.calcOpticalFlowFarneback(grey1, grey2, flow, 0.5, 5, 13, 10, 5, 1.1, 0)

    return Baseline("Farneback", pair)


def all_baselines() -> list[Baseline]:
    """All baselines, the simplest first."""
    return [zero(), farneback(), dis("ultrafast"), dis("fast"), dis("medium")]


def _dis(preset: int, grey1: np.ndarray, grey2: np.ndarray) -> np.ndarray:
    h, w = grey1.shape
    below, right = max(0, 32 - h), max(0, 32 - w)
    if below or right:
        grey1, grey2 = (np.pad(grey, ((0, below), (0, right)), mode="edge") for grey in (grey1, grey2))
    # None: OpenCV would take any given array as the initial flow
    return cv2.DISOpticalFlow.create(preset).calc(grey1, grey2, None)[:h, :w]  # type: ignore[call-overload]
