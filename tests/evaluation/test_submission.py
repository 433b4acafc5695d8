"""Submissions: the names that the servers ask for, and flow that reads back."""

from __future__ import annotations

import numpy as np
import pytest

from tfflow.data.formats import read_flow
from tfflow.errors import InputError
from tfflow.evaluation.submission import submission_path, write_submission


@pytest.mark.parametrize(
    ("layout", "source", "record", "expected"),
    [
        ("sintel", "sintel-clean:/data/sintel", "alley_1/frame_0001", "clean/alley_1/frame0001.flo"),
        ("sintel", "sintel-final:/data/sintel", "cave_2/frame_0023", "final/cave_2/frame0023.flo"),
        ("kitti", "kitti2015:/d", "000007_10", "kitti2015/flow/000007_10.png"),
        ("kitti", "kitti2012:/d", "000157_10", "kitti2012/000157_10.png"),
    ],
)
def test_files_are_where_the_server_looks_for_them(layout, source, record, expected):
    assert submission_path(layout, source, record).as_posix() == expected


def test_sintel_flow_reads_back_exactly(tmp_path):
    flow = np.random.default_rng(0).standard_normal((6, 9, 2)).astype(np.float32) * 100
    path = write_submission(tmp_path, "sintel", "sintel-final:x", "cave_2/frame_0002", flow)
    assert path == tmp_path / "final/cave_2/frame0002.flo"
    np.testing.assert_array_equal(read_flow(path)[0], flow)


def test_kitti_flow_reads_back_rounded_to_the_nearest_64th_and_valid_everywhere(tmp_path):
    flow = np.random.default_rng(0).standard_normal((6, 9, 2)).astype(np.float32) * 100
    flow[0, 0], flow[0, 1] = [1000, -1000], [0.0117, 0.0040]  # clipped; 0.75 and 0.26 of a step
    back, valid = read_flow(write_submission(tmp_path, "kitti", "kitti2015:x", "000001_10", flow))
    assert valid.all()
    np.testing.assert_array_equal(back[0, :2], [[511.984375, -512], [1 / 64, 0]])
    assert np.abs(back - flow)[1:].max() <= 0.5 / 64 + 1e-6


def test_other_data_is_refused():
    with pytest.raises(
        InputError, match="a sintel submission is made of sintel-clean:PATH or sintel-final:PATH, got video"
    ):
        submission_path("sintel", "video:holiday.mp4", "frame_000001")
    with pytest.raises(InputError, match="counts frames, but 'first' of kitti2015:x ends in no number"):
        submission_path("kitti", "kitti2015:x", "first")
