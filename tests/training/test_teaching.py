"""The way of a teacher is the one whose flow explains the real frames, not the one that is easy to agree with."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tfflow.data.records import Sample, Source
from tfflow.data.rendered import PairFlow
from tfflow.models import FlowModel, untrained
from tfflow.training import teaching
from tfflow.training.teaching import WAYS, Way, best_way


class Shifted(Source):
    """Pairs whose second frame is the first, moved by (3, -2) px."""

    name, truth, sequences = "shifted", frozenset(), False

    def __len__(self) -> int:
        return 5

    def sample(self, index: int) -> Sample:
        rough = np.random.default_rng(index).random((48, 64, 3), np.float32)
        image = cv2.GaussianBlur(rough, (0, 0), 2)
        image = (image - image.min()) / np.ptp(image)
        return {"image1": image, "image2": np.roll(image, (-2, 3), (0, 1))}


@pytest.fixture
def network() -> FlowModel:
    return untrained("pwcnet_mobile")


@pytest.mark.parametrize("right", WAYS)
def test_the_way_that_explains_the_frames_is_chosen(right: Way, network, monkeypatch):
    class Stub:
        def __init__(self, network: FlowModel, folder: None, way: Way):
            self.way = way

        def compute(self, image1: np.ndarray, image2: np.ndarray) -> PairFlow:
            flow = np.zeros((48, 64, 2), np.float32) + (np.float32([3, -2]) if self.way == right else 0)
            return PairFlow(flow, -flow, *[np.ones((48, 64, 1), np.float32)] * 2)

    monkeypatch.setattr(teaching, "Teaching", Stub)
    way, errors = best_way(network, Shifted())
    assert way == right and errors[right] < 0.5 * min(errors[other] for other in WAYS if other != right)


def test_a_flow_that_leaves_the_frame_explains_nothing(network, monkeypatch):
    class Stub:
        def __init__(self, network: FlowModel, folder: None, way: Way):
            self.way = way

        def compute(self, image1: np.ndarray, image2: np.ndarray) -> PairFlow:
            flow = np.full((48, 64, 2), 0 if self.way == WAYS[1] else 1_000, np.float32)
            return PairFlow(flow, -flow, *[np.ones((48, 64, 1), np.float32)] * 2)

    monkeypatch.setattr(teaching, "Teaching", Stub)
    assert best_way(network, Shifted())[0] == WAYS[1]
