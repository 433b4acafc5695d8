"""Baselines without learning, measured beside a network: zero flow, and OpenCV's DIS and Farneback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from tfflow.models.variational import grey


class Predictor(Protocol):
    """What is measured: `tfflow.models.FlowModel`, and everything here.

    batch: images1, images2 float32 RGB [b, h, w, 3] in [0, 1] -> flow12 float32 [b, h, w, 2], px.
    both: the same -> (flow12, flow21).
    One whose `frames` is 3 takes more: batch the frame before the pair, both that and the frame after it.
    """

    name: str

    def batch(self, images1: np.ndarray, images2: np.ndarray) -> np.ndarray: ...

    def both(self, images1: np.ndarray, images2: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


class Baseline:
    """A predictor made of a function of two grey 8-bit pictures [h, w] -> flow [h, w, 2], applied pair by pair."""

    def __init__(self, name: str, pair: Callable[[np.ndarray, np.ndarray], np.ndarray]):
        self.name = name
        self._pair = pair

    def batch(self, images1: np.ndarray, images2: np.ndarray) -> np.ndarray:
        pairs = [self._pair(grey(a), grey(b)) for a, b in zip(images1, images2, strict=False)]
        return np.stack(pairs).astype(np.float32)  # [b, h, w, 2]

    def both(self, images1: np.ndarray, images2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.batch(images1, images2), self.batch(images2, images1)


def zero() -> Baseline:
    """No motion anywhere: its EPE is the mean length of the true flow."""
    return Baseline("zero flow", lambda grey1, grey2: np.zeros((*grey1.shape, 2), np.float32))


def dis(preset: str = "medium") -> Baseline:
    """Dense inverse search (Kroeger et al. 2016), OpenCV's `preset`: ultrafast, fast or medium.

    A side of less than 32 px, on which OpenCV refuses or crashes, is continued by its border and cropped back.
    Raises ValueError on another preset.
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
    """Every baseline, from the simplest on."""
    return [zero(), farneback(), dis("ultrafast"), dis("fast"), dis("medium")]


def _dis(preset: int, grey1: np.ndarray, grey2: np.ndarray) -> np.ndarray:
    h, w = grey1.shape
    below, right = max(0, 32 - h), max(0, 32 - w)
    if below or right:
        grey1, grey2 = (np.pad(grey, ((0, below), (0, right)), mode="edge") for grey in (grey1, grey2))
    # None, as OpenCV would start from a flow that is given, be it of zeros
    return cv2.DISOpticalFlow.create(preset).calc(grey1, grey2, None)[:h, :w]  # type: ignore[call-overload]
