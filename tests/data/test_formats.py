"""Flow formats: what is written is read back bit by bit, and what is no such file is refused in words."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.data.trees import mutated, picture, put_flo, put_image, put_kitti, ramp_flow
from tfflow.data.formats import read_flo, read_flow, read_kitti_png, read_pfm, write_flo, write_flow, write_pfm
from tfflow.errors import InputError

FLOWS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 7), st.just(2)),
    elements=st.floats(-(2.0**29), 2.0**29, width=32),
)


def test_flo_is_read_as_its_definition_says(tmp_path):
    flow = ramp_flow()
    read, valid = read_flow(put_flo(tmp_path / "a.flo", flow))
    assert read.dtype == np.float32 and valid.dtype == np.float32 and valid.shape == (6, 10, 1)
    np.testing.assert_array_equal(read, flow)
    np.testing.assert_array_equal(valid, 1)


def test_kitti_png_is_read_as_its_definition_says(tmp_path):
    valid = np.ones((6, 10, 1), np.float32)
    valid[1, 2] = 0
    read, known = read_flow(put_kitti(tmp_path / "a.png", ramp_flow(), valid))
    np.testing.assert_array_equal(known, valid)
    np.testing.assert_array_equal(read, ramp_flow() * valid)


@pytest.mark.parametrize(("scale", "order"), [(-1, "<f4"), (2.5, ">f4")])
def test_pfm_rows_go_upwards_in_the_byte_order_of_the_scale(tmp_path, scale, order):
    values = np.arange(2 * 3 * 3, dtype=np.float32).reshape(2, 3, 3)
    (tmp_path / "a.pfm").write_bytes(f"PF\n3 2\n{scale}\n".encode() + values[::-1].astype(order).tobytes())
    np.testing.assert_array_equal(read_pfm(tmp_path / "a.pfm"), values)
    np.testing.assert_array_equal(read_flow(tmp_path / "a.pfm")[0], values[:, :, :2])


@settings(max_examples=50, deadline=None)
@given(FLOWS, st.sampled_from([".flo", ".pfm"]))
def test_float_formats_keep_every_bit(tmp_path_factory, flow, suffix):
    path = tmp_path_factory.getbasetemp() / f"bits{suffix}"
    write_flow(path, flow)
    read, valid = read_flow(path)
    assert read.tobytes() == flow.tobytes() and valid.all()


@settings(max_examples=50, deadline=None)
@given(
    arrays.arrays(
        np.int32, st.tuples(st.integers(1, 5), st.integers(1, 7), st.just(2)), elements=st.integers(-32768, 32767)
    )
)
def test_kitti_png_keeps_every_64th(tmp_path_factory, coded):
    path = tmp_path_factory.getbasetemp() / "64.png"
    write_flow(path, coded / np.float32(64))
    np.testing.assert_array_equal(read_flow(path)[0] * 64, coded)


def test_kitti_png_rounds_and_clips_instead_of_wrapping_around(tmp_path):
    flow = np.array([[[0.4 / 64, 0.6 / 64], [-0.6 / 64, 600.0], [-9000.0, 511.99]]], np.float32)
    write_flow(tmp_path / "a.png", flow)
    expected = [[[0, 1 / 64], [-1 / 64, 32767 / 64], [-512, 511.984375]]]
    np.testing.assert_array_equal(read_flow(tmp_path / "a.png")[0], np.array(expected, np.float32))


def test_kitti_png_channels_are_u_v_valid(tmp_path):
    write_flow(tmp_path / "a.png", np.array([[[1.0, -2.0], [3.0, 4.0]]]), np.array([[[1], [0]]]))
    bgr = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(bgr[:, :, ::-1], [[[32768 + 64, 32768 - 128, 1], [0, 0, 0]]])


@pytest.mark.parametrize("suffix", [".flo", ".png", ".pfm"])
def test_unknown_pixels_stay_unknown_and_read_as_zero(tmp_path, suffix):
    flow, valid = ramp_flow(2), np.ones((6, 10, 1), np.float32)
    valid[3, 4:] = 0
    flow[3, 4], flow[3, 5] = np.nan, np.inf
    write_flow(tmp_path / f"a{suffix}", flow, valid)
    read, known = read_flow(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(known, valid)
    np.testing.assert_array_equal(read, np.where(valid > 0, ramp_flow(2), 0))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.1e9, -2e9])
@pytest.mark.parametrize("channel", [0, 1])
def test_flo_pixels_that_are_not_finite_or_above_1e9_are_unknown(tmp_path, value, channel):
    flow = ramp_flow()
    flow[1, 7, channel] = value
    read, valid = read_flo(put_flo(tmp_path / "a.flo", flow))
    assert valid.sum() == 6 * 10 - 1 and valid[1, 7] == 0
    assert (read[1, 7] == 0).all() and np.isfinite(read).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_pfm_keeps_plain_values_too(tmp_path, channels):
    values = np.random.default_rng(0).normal(size=(4, 7, channels)).astype(np.float32)
    write_pfm(tmp_path / "a.pfm", values)
    assert read_pfm(tmp_path / "a.pfm").tobytes() == values.tobytes()


def _flo(magic=b"PIEH", width=10, height=6, extra=0):
    return magic + struct.pack("<ii", width, height) + bytes(8 * 60 + extra)


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.flo", b"", r"expected it to begin with b'PIEH', got b''"),
        ("a.flo", _flo(magic=b"HEIP"), r"'.*a\.flo' is no \.flo file: expected it to begin with b'PIEH', got b'HEIP'"),
        ("a.flo", b"PIEH\1\0\0", r"truncated: expected a header of 12 bytes, got 7"),
        ("a.flo", _flo(extra=-1), r"is truncated: 10 x 6 pixels need 480 bytes, got 479"),
        ("a.flo", _flo(extra=1), r"has bytes left over: 10 x 6 pixels need 480 bytes, got 481"),
        ("a.flo", _flo(width=-10, height=-6), r"header claims -10 x -6 pixels, expected 1 to 99,999 a side"),
        ("a.flo", _flo(width=0), r"header claims 0 x 6 pixels"),
        ("a.flo", _flo(width=2**31 - 1, height=2**31 - 1), r"header claims 2147483647 x 2147483647 pixels"),
        ("a.flo", _flo(width=99_999, height=99_999), r"need 79,998,400,008 bytes, got 480"),
        ("a.pfm", b"P6\n1 1\n255\n", r"is no \.pfm file: expected Pf or PF, width, height and scale, got b'P6"),
        ("a.pfm", b"PF\n1 1\n0\n" + bytes(12), r"expected a scale below or above 0, got '0'"),
        ("a.pfm", b"PF\n1 1\n-1-1\n" + bytes(12), r"expected a scale below or above 0, got '-1-1'"),
        ("a.pfm", b"PF\n2 1\n-1\n" + bytes(12), r"is truncated: 2 x 1 pixels need 24 bytes, got 12"),
        ("a.pfm", b"PF\n100000 1\n-1\n" + bytes(12), r"header claims 100000 x 1 pixels"),
        ("a.pfm", b"Pf\n1 1\n-1\n" + bytes(4), r"is no flow: expected 3 channels \(u, v, 0\), got 1"),
        ("a.bin", b"", r"is no flow file: expected a suffix of \.flo, \.png, \.pfm, \.flo5, \.npy, \.npz, got"),
    ],
)
def test_what_is_no_flow_is_refused_in_words(tmp_path, name, data, text):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=text):
        read_flow(tmp_path / name)


def test_an_8_bit_png_is_no_kitti_flow(tmp_path):
    with pytest.raises(InputError, match=r"expected a 16-bit RGB PNG, got an 8-bit image"):
        read_kitti_png(put_image(tmp_path / "a.png", picture(0)))


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"no such file: '.*none\.flo'"):
        read_flow(tmp_path / "none.flo")
    (tmp_path / "a.flo").mkdir()
    with pytest.raises(InputError, match=r"cannot read '.*a\.flo': Is a directory"):
        read_flow(tmp_path / "a.flo")


@pytest.mark.parametrize(
    ("flow", "valid", "text"),
    [
        (np.zeros((4, 5, 4)), None, r"\[h, w, 2\].*, got \(4, 5, 4\)"),
        (np.zeros((4, 5, 2)), np.ones((5, 4, 1)), r"`valid` must be \[h, w, 1\].*\(4, 5\), got \(5, 4, 1\)"),
        (np.full((4, 5, 2), np.nan), None, r"`flow` must be finite where it is valid, 20 pixels are not"),
    ],
)
@pytest.mark.parametrize("suffix", [".flo", ".png", ".pfm"])
def test_a_wrong_flow_is_refused_and_leaves_the_old_file(tmp_path, suffix, flow, valid, text):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match=text):
        write_flow(path, flow, valid)
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == [path.name]


def test_pfm_of_other_shapes_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a \.pfm holds .* got \(4, 5, 4\)"):
        write_pfm(tmp_path / "a.pfm", np.zeros((4, 5, 4)))


def test_flow_is_written_whole_into_new_folders(tmp_path):
    write_flo(tmp_path / "new" / "deep" / "a.flo", ramp_flow())
    assert [p.name for p in (tmp_path / "new" / "deep").iterdir()] == ["a.flo"]


@pytest.mark.parametrize("suffix", [".flo", ".png", ".pfm"])
def test_1000_damaged_flow_files_are_read_or_refused(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_flow(path, ramp_flow())
    outcomes = [_outcome(path, data) for data in mutated(path.read_bytes(), 1000)]
    assert outcomes.count("refused") > 300  # the damage is real


def _outcome(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    try:
        flow, valid = read_flow(path)
    except InputError as error:
        assert str(path) in str(error) and "\n" not in str(error)
        return "refused"
    assert flow.shape == (*valid.shape[:2], 2) and np.isfinite(flow).all() and set(np.unique(valid)) <= {0, 1}
    return "read"
