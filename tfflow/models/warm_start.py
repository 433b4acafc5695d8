"""Temporal consistency: the flow of each pair starts from the last pair's, carried on as if all went on as it went."""

from __future__ import annotations

import cv2
import numpy as np
import tensorflow as tf

from tfflow import ops
from tfflow.errors import InputError
from tfflow.models.flow_model import FlowModel


class WarmStart:
    """A `FlowModel` on consecutive pairs, with the methods of one; each pair starts from the last one's flow.

    Where a pair does not begin with the frame that the last one ended with, as after a shot cut, it starts anew. One
    pair after the other goes through the network, whatever the batch. Not thread-safe: it remembers the last pair.
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
        """Flow of pairs in their order: as `FlowModel.batch`."""
        return np.stack([self._next(a, b, 1)[0] for a, b in zip(images1, images2, strict=True)])

    def both(self, images1: np.ndarray, images2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both flows of pairs in their order: as `FlowModel.both`."""
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
        carried = [carry(flows[0], flows[0])] + [carry(flow21, -flow21) for flow21 in flows[1:]]
        self._last = image2, carried
        return flows


def carry(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """`values` [h, w, c] moved along `flow` [h, w, 2] to where they arrive; what nothing arrives at is filled smoothly.

    carry(flow12, flow12) is the flow of the next pair where every point keeps its speed, on image2's pixels. Where
    several arrive, their mean. Source: the warm start of video, RAFT (Teed and Deng 2020), with splatting of our own.
    """
    ones = np.ones((*values.shape[:2], 1), np.float32)
    landed = ops.splat(tf.constant(np.concatenate([values, ones], -1)[None]), tf.constant(flow[None]))[0].numpy()
    total, weight = landed[..., :-1], landed[..., -1:]
    return _filled(total, weight)


def _filled(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """total / weight, [h, w, c]; where less than half a pixel arrives, that of an ever wider neighbourhood."""
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
