"""Warm start on video: the initial flow of each pair is the last pair's flow, extrapolated at constant velocity."""

from __future__ import annotations

import cv2
import numpy as np
import tensorflow as tf

from tfflow import ops
from tfflow.errors import InputError
from tfflow.models.flow_model import FlowModel


class WarmStart:
    """A `FlowModel` for consecutive pairs. The initial flow of each pair is computed from the last one.

    If a pair does not begin with the last frame of the pair before, as after a shot cut, there is no initial flow. The
    pairs of a batch are computed one by one. It remembers the last pair, so it is not thread-safe.
    """

    frames = 2

    def __init__(self, model: FlowModel):
        if not isinstance(model, FlowModel) or model.frames > 2:
            raise InputError(f"{model.name} cannot start from a flow: that takes a network of two frames, not exported")
        self.name = f"{model.name}, warm start"
        self._model = model
        self._last: tuple[np.ndarray, list[np.ndarray]] | None = (
            None  # the frame it ended with, the flows to start from
        )

    def batch(self, images1: np.ndarray, images2: np.ndarray) -> np.ndarray:
        """Flow of pairs in order, as `FlowModel.batch`."""
        return np.stack([self._next(a, b, 1)[0] for a, b in zip(images1, images2, strict=True)])

    def both(self, images1: np.ndarray, images2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both flows of pairs in order, as `FlowModel.both`."""
        flows = [self._next(a, b, 2) for a, b in zip(images1, images2, strict=True)]
        return np.stack([flow[0] for flow in flows]), np.stack([flow[1] for flow in flows])

    def _next(self, image1: np.ndarray, image2: np.ndarray, ways: int) -> list[np.ndarray]:
        starts = None
        if self._last is not None and np.array_equal(self._last[0], image1) and len(self._last[1]) >= ways:
            starts = [start[None] for start in self._last[1][:ways]]
        pair = image1[None], image2[None]
        if ways == 1:
            flows = [self._model.batch(*pair, initial_flow=None if starts is None else starts[0])[0]]
        else:
            both = self._model.both(*pair, initial_flows=None if starts is None else (starts[0], starts[1]))
            flows = [flow[0] for flow in both]
        carried = [forward_warp(flows[0], flows[0])] + [forward_warp(flow21, -flow21) for flow21 in flows[1:]]
        self._last = image2, carried
        return flows


def forward_warp(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Moves `values` [h, w, c] along `flow` [h, w, 2], px, and fills the holes smoothly: float32 [h, w, c].

    forward_warp(flow12, flow12) is the flow of the next pair under constant velocity. If several pixels arrive at one
    place, it gets their mean. Source: warm start of RAFT (Teed and Deng 2020), here with bilinear splatting.
    """
    ones = np.ones((*values.shape[:2], 1), np.float32)
    landed = ops.splat(tf.constant(np.concatenate([values, ones], -1)[None]), tf.constant(flow[None]))[0].numpy()
    total, weight = landed[..., :-1], landed[..., -1:]
    return _filled(total, weight)


def _filled(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """total / weight, [h, w, c]. Where less than half a pixel arrives, the mean of a wider neighbourhood."""
    height, width = weight.shape[:2]
    mean = total / np.maximum(weight, 1e-6)
    holes = weight < 0.5
    side = 3
    while holes.any() and side < 2 * max(height, width):
        near, near_weight = cv2.blur(total, (side, side)), cv2.blur(weight, (side, side))[..., None]
        found = holes & (near_weight > 0.05)
        mean = np.where(found, near / np.maximum(near_weight, 1e-6), mean)
        holes &= ~found
        side = 2 * side + 1
    return np.where(holes, 0.0, mean).astype(np.float32)
