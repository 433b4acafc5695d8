"""The readers on real benchmark files: scores of zero flow against those computed elsewhere (two decimals)."""

from __future__ import annotations

import numpy as np
import pytest

from tfflow.data.sources import each_sample, open_source
from tfflow.data.video import read_frames, video_info

ZERO_FLOW = {  # mean endpoint error of zero flow, px, to 0.01, over valid pixels
    "middlebury:middlebury": {"Grove2": 3.09, "RubberWhale": 1.26, "Urban2": 8.39, "Venus": 3.80},
    "sintel-clean:sintel": {"alley_1/frame_0001": 2.80, "alley_1/frame_0002": 2.98, "alley_1/frame_0003": 3.12,
                            "cave_2/frame_0002": 15.12, "market_5/frame_0002": 31.97},
    "sintel-final:sintel/training": {"alley_1/frame_0001": 2.80, "alley_1/frame_0002": 2.98,
                                     "alley_1/frame_0003": 3.12, "cave_2/frame_0002": 15.12,
                                     "market_5/frame_0002": 31.97, "temple_3/frame_0022": 57.00},
    "kitti2012:kitti2012": {"000157_10": 2.84},
    "kitti2015:kitti2015": {"000000_10": 51.01},
    "chairs:flyingchairs": {"00001": 4.51, "00002": 4.35, "00003": 2.99, "00004": 25.56, "00005": 30.80},
}  # fmt: skip


@pytest.mark.parametrize("spec", ZERO_FLOW)
def test_zero_flow_scores_what_is_known_for_each_pair(real_data, spec):
    kind, _, path = spec.partition(":")
    scores = {}
    for name, sample in each_sample(open_source(f"{kind}:{real_data / path}")):
        length = np.sqrt((sample["flow12"].astype(np.float64) ** 2).sum(axis=2))
        scores[name] = length[sample["valid1"][:, :, 0] > 0].mean()
        assert len({array.shape[:2] for array in sample.values()}) == 1
    assert scores == pytest.approx(ZERO_FLOW[spec], abs=0.0051)


def test_middlebury_has_unknown_pixels_that_read_as_zero(real_data):
    sample = open_source(f"middlebury:{real_data}/middlebury").sample(1)
    unknown = sample["valid1"][:, :, 0] == 0
    assert 0 < unknown.sum() < 0.05 * unknown.size and (sample["flow12"][unknown] == 0).all()


def test_kitti_is_sparse_and_noc_lies_within_occ(real_data):
    sample = open_source(f"kitti2012:{real_data}/kitti2012").sample(0)
    assert sample["image1"].shape == (370, 1226, 3) and 0.1 < sample["valid1"].mean() < 0.5
    assert (sample["visible1"] <= sample["valid1"]).all() and sample["visible1"].sum() < sample["valid1"].sum()
    known = sample["flow12"][sample["valid1"][:, :, 0] > 0]
    assert np.abs(known).max() < 300 and (sample["flow12"][sample["valid1"][:, :, 0] == 0] == 0).all()


def test_sintel_motion_brings_the_second_frame_onto_the_first(real_data):
    """The direction of (u, v): warping image2 by the truth beats doing nothing, by far, where pixels are visible."""
    sample = open_source(f"sintel-clean:{real_data}/sintel").sample(1)
    y, x = np.mgrid[:436, :1024]
    flow = np.rint(sample["flow12"]).astype(int)
    row, column = np.clip(y + flow[..., 1], 0, 435), np.clip(x + flow[..., 0], 0, 1023)
    visible = sample["visible1"][:, :, 0] > 0
    warped, still = (
        np.abs(image - sample["image1"])[visible].mean() for image in (sample["image2"][row, column], sample["image2"])
    )
    assert warped < 0.35 * still


@pytest.mark.parametrize(
    ("path", "pairs", "size"),
    [
        ("video/driving", 29, (370, 1226)),
        ("video/handheld", 9, (720, 1280)),
        ("middlebury/sequence", 7, (388, 584)),
    ],
)
def test_folders_of_real_frames(real_data, path, pairs, size):
    source = open_source(str(real_data / path))
    assert len(source) == pairs and source.sample(pairs - 1)["image2"].shape == (*size, 3)


@pytest.mark.parametrize(
    ("name", "frames", "height", "width"), [("tree.avi", 68, 240, 320), ("carphone_pristine.mp4", 120, 144, 176)]
)
def test_real_videos_are_read_to_their_end(real_data, name, frames, height, width, capfd):
    """tree.avi counts dropped frames in its header (444): that is no video that stops in the middle."""
    path = real_data / "video" / name
    shapes = [frame.shape for frame in read_frames(path)]
    assert shapes == [(height, width, 3)] * frames
    assert video_info(path)[2:] == (height, width) and capfd.readouterr() == ("", "")
