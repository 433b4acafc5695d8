"""Classical methods: the interface of a network, OpenCV's numbers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tfflow.data.sources import open_source
from tfflow.evaluation import baselines
from tfflow.evaluation.scoring import run


def blobs(h=96, w=128, du=0, dv=0):
    """Smooth noise, and the same moved by (du, dv)."""
    big = np.random.default_rng(0).random((h + 40, w + 40, 3)).astype(np.float32)
    big = cv2.GaussianBlur(big, (0, 0), 2.0)
    big = (big - big.min()) / (big.max() - big.min())
    return big[20 : 20 + h, 20 : 20 + w], big[20 - dv : 20 - dv + h, 20 - du : 20 - du + w]


@pytest.mark.parametrize("baseline", baselines.all_baselines()[1:], ids=lambda b: b.name)
def test_a_moved_picture_gives_its_motion_and_back_its_opposite(baseline):
    image1, image2 = blobs(du=4, dv=-2)
    forward, backward = baseline.both(image1[None], image2[None])
    assert forward.shape == backward.shape == (1, 96, 128, 2) and forward.dtype == np.float32
    np.testing.assert_allclose(np.median(forward, (0, 1, 2)), [4, -2], atol=0.3)
    np.testing.assert_allclose(np.median(backward, (0, 1, 2)), [-4, 2], atol=0.3)


def test_a_batch_is_its_pairs_one_by_one():
    a, b = blobs(du=3), blobs(dv=2)
    together = baselines.dis("fast").batch(np.stack([a[0], b[0]]), np.stack([a[1], b[1]]))
    np.testing.assert_array_equal(together[1], baselines.dis("fast").batch(b[0][None], b[1][None])[0])
    assert not np.array_equal(together[0], together[1])


def test_zero_flow_is_zero():
    flow = baselines.zero().batch(*(image[None] for image in blobs(du=3)))
    assert flow.shape == (1, 96, 128, 2) and not flow.any()


@pytest.mark.parametrize("size", [(1, 1), (12, 200), (15, 40), (40, 7)])
@pytest.mark.parametrize("preset", ["ultrafast", "fast", "medium"])
def test_dis_takes_pictures_on_which_opencv_alone_crashes(size, preset):
    image = np.random.default_rng(0).random((1, *size, 3)).astype(np.float32)
    assert baselines.dis(preset).batch(image, image).shape == (1, *size, 2)


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="`preset` must be one of ultrafast, fast, medium, got 'slow'"):
        baselines.dis("slow")


@pytest.mark.parametrize(
    ("spec", "image", "expected"),
    [  # EPE of zero flow, Farneback, DIS fast, DIS medium
        ("middlebury:{}/middlebury", "Grove2", (3.09, 0.49, 0.40, 0.32)),
        ("middlebury:{}/middlebury", "RubberWhale", (1.26, 0.33, 0.44, 0.22)),
        ("middlebury:{}/middlebury", "Venus", (3.80, 1.44, 0.57, 0.39)),
        ("sintel-final:{}/sintel", "cave_2/frame_0002", (15.12, 6.70, 2.47, 1.95)),
        ("kitti2012:{}/kitti2012", "000157_10", (2.84, 1.01, 0.34, 0.24)),
        ("chairs:{}/flyingchairs", "00002", (4.35, 5.64, 3.66, 3.45)),
    ],
)
def test_scores_on_real_pairs_are_those_known(real_data, spec, image, expected):
    source = open_source(spec.format(real_data))
    index = [source.record_name(i) for i in range(len(source))].index(image)
    compared = [baselines.zero(), baselines.farneback(), baselines.dis("fast"), baselines.dis("medium")]
    results = run({b.name: b for b in compared}, _One(source, index))
    scores = [result.averages.per_image()["epe"] for result in results.values()]
    assert scores == pytest.approx(expected, rel=0.02, abs=0.006)  # the table has two digits, and another grey


class _One:
    """One record of a source."""

    def __init__(self, source, index):
        self.name, self.truth = source.name, source.truth
        self.record_name = lambda _: source.record_name(index)
        self.sample = lambda _: {k: v for k, v in source.sample(index).items() if k != "visible1"}

    def __len__(self):
        return 1
