"""FlyingThings3D, HD1K, Spring, VIPER, and pairs in files of any layout: a record reads the files of its pair."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from tests.data import trees
from tfflow.data.formats import read_flow
from tfflow.data.sources import open_source
from tfflow.errors import InputError

h5py = pytest.importorskip("h5py")


def names(source):
    return [source.record_name(i) for i in range(len(source))]


@pytest.mark.parametrize(("kind", "offset"), [("things-clean", 0), ("things-final", 50), ("things-test", 0)])
def test_things_has_both_cameras_and_both_directions(tmp_path, kind, offset):
    trees.things(tmp_path, "TEST" if kind == "things-test" else "TRAIN")
    source = open_source(f"{kind}:{tmp_path}")
    assert names(source) == ["A/0000/left/0006", "A/0000/left/0007", "A/0000/right/0006", "A/0000/right/0007"]
    assert source.truth == {"flow12", "valid1", "flow21", "valid2"}
    sample = source.sample(3)
    np.testing.assert_allclose(sample["image1"], trees.picture(17 + offset) / 255, atol=1e-6)
    np.testing.assert_array_equal(sample["flow12"], trees.ramp_flow(7))
    np.testing.assert_array_equal(sample["flow21"], -trees.ramp_flow(8))
    assert source.sequences and not np.array_equal(source.with_neighbours().sample(3)["image0"], sample["image1"])


def test_hd1k_pairs_the_frames_that_have_flow(tmp_path):
    source = open_source(f"hd1k:{trees.hd1k(tmp_path)}")
    assert names(source) == ["000000_0005", "000000_0006", "000003_0005", "000003_0006"]
    sample = source.sample(3)
    np.testing.assert_array_equal(sample["flow12"][2:], trees.ramp_flow(6)[2:])
    assert sample["valid1"][:2].max() == 0 and sample["valid1"][2:].min() == 1
    np.testing.assert_allclose(sample["image2"], trees.picture(3 + 7) / 255, atol=1e-6)


def test_spring_takes_the_upper_left_of_each_four_values_as_they_are(tmp_path):
    source = open_source(f"spring:{trees.spring(tmp_path)}")
    assert names(source) == ["0001/left_0001", "0001/left_0002", "0001/right_0001", "0001/right_0002"]
    sample = source.sample(1)
    known = np.ones((trees.HEIGHT, trees.WIDTH, 1), np.float32)
    known[1, 2] = 0
    np.testing.assert_array_equal(sample["flow12"], trees.ramp_flow(2) * known)
    np.testing.assert_array_equal(sample["flow21"], -trees.ramp_flow(3) * known)
    np.testing.assert_array_equal(sample["valid1"], known)


def test_springs_test_half_has_frames_alone(tmp_path):
    source = open_source(f"spring:{trees.spring(tmp_path, 'test')}")
    assert len(source) == 4 and source.truth == frozenset()


@pytest.mark.parametrize(("kind", "part"), [("viper", "train"), ("viper-val", "val")])
def test_viper_has_both_directions_and_no_truth_where_it_is_not_finite(tmp_path, kind, part):
    source = open_source(f"{kind}:{trees.viper(tmp_path, part)}")
    assert names(source) == ["001_00001", "001_00002", "077_00005"]
    assert source.truth == {"flow12", "valid1", "flow21", "valid2"} and source.sequences
    sample = source.sample(2)
    known = np.ones((trees.HEIGHT, trees.WIDTH, 1), np.float32)
    known[1, 2] = 0
    np.testing.assert_array_equal(sample["valid1"], known)
    np.testing.assert_array_equal(sample["flow12"], np.float16(trees.ramp_flow(5)) * known)
    np.testing.assert_array_equal(sample["flow21"], -np.float16(trees.ramp_flow(6)) * known)
    np.testing.assert_allclose(sample["image2"], trees.picture(6) / 255, atol=1e-6)


def test_viper_without_its_archives_of_flow_has_frames_alone(tmp_path):
    source = open_source(f"viper:{trees.viper(tmp_path, 'test') / 'test'}")
    assert len(source) == 3 and source.truth == frozenset()


@pytest.mark.parametrize("kind", ["things-clean", "hd1k", "spring", "viper"])
def test_a_folder_of_another_set_is_refused(tmp_path, kind):
    trees.frames(tmp_path / "clip")
    known = "FlyingThings3D|HD1K|Spring|VIPER, or its half train"
    with pytest.raises(InputError, match=rf"is not ({known}): expected a folder .* in it"):
        open_source(f"{kind}:{tmp_path}")


def test_a_list_names_files_in_any_format_from_its_own_folder_on(tmp_path, monkeypatch):
    path = trees.pairs(tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    source = open_source(f"pairs:{path}")
    assert names(source) == ["0", "1", "2"]
    for k in range(3):
        sample = source.sample(k)
        np.testing.assert_array_equal(sample["flow12"], trees.ramp_flow(k))
        np.testing.assert_allclose(sample["image1"], trees.picture(k) / 255, atol=1e-6)
    path.write_text("'cam a/0.png' b/0.jpg\n'cam a/0.png' b/1.jpg")
    assert names(open_source("pairs:set/list.txt")) == ["000001_0", "000002_0"]


def test_a_pattern_pairs_what_stands_in_the_same_place(tmp_path):
    for k in ("x/2", "x/10", "y/1"):
        trees.put_image(tmp_path / f"{k}_a.png", trees.picture(int(k[2:])))
        trees.put_image(tmp_path / f"{k}_b.png", trees.picture(0))
        trees.put_flo(tmp_path / "flow" / f"{k}.flo", trees.ramp_flow(int(k[2:])))
    (tmp_path / "y/1_b.png").unlink()
    source = open_source(f"pairs:{tmp_path}/{{}}_a.png,{{}}_b.png,flow/{{}}.flo")
    assert names(source) == ["x/2", "x/10"] and source.truth == {"flow12", "valid1"}
    np.testing.assert_array_equal(source.sample(1)["flow12"], trees.ramp_flow(10))
    assert open_source(f"pairs:{tmp_path}/x/{{}}_a.png,{{}}_b.png").truth == frozenset()


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("a.png", r"line 1: expected image1 image2 \[flow\], got 'a.png'"),
        ("\na b c d", r"line 2: expected image1 image2 \[flow\], got 'a b c d'"),
        ("a 'b", r"line 1: expected image1 image2"),
        ("a b c.flo\na b", "some pairs have a flow and some have none"),
        ("# nothing", "expected pairs of frames, found none"),
        ("a " * 10_000, "line 1: expected image1 image2"),
        ("a b\r\n" + "c" * 3_000_000, "line 2: expected image1 image2"),
        ("'" + "\\a" * 1_000_000, "line 1: expected image1 image2"),
        ("\n" * 1_000_001, "is longer than a list of pairs may be, 67,108,864 bytes and 1,000,000 lines"),
    ],
)
def test_lists_of_another_form_are_refused(tmp_path, text, refusal):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(InputError, match=refusal):
        open_source(f"pairs:{tmp_path}/list.txt")


def test_a_list_that_is_too_long_is_not_cut_in_silence(tmp_path, monkeypatch):
    monkeypatch.setattr("tfflow.data.pairs.LONGEST", 11)
    (tmp_path / "list.txt").write_text("a b\nc d\ne f")
    assert len(open_source(f"pairs:{tmp_path}/list.txt")) == 3
    (tmp_path / "list.txt").write_text("a b\nc d\ne f\n")
    with pytest.raises(InputError, match="is longer than a list of pairs may be"):
        open_source(f"pairs:{tmp_path}/list.txt")


def test_a_name_that_no_file_has_is_refused_where_it_is_read(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"a\0.png b.png")
    source = open_source(f"pairs:{tmp_path}/list.txt")
    with pytest.raises(InputError, match=r"no such file: '.*a\\x00\.png'; no file has such a name"):
        source.sample(0)


@pytest.mark.parametrize("pattern", ["{}_a.png", "{}_a.png,b.png", "{}{}_a.png,{}_b.png", "{},{},{},{}"])
def test_patterns_of_another_form_are_refused(tmp_path, pattern):
    with pytest.raises(InputError, match=r"expected DIR/\{\}_a.png,\{\}_b.png\[,\{\}.flo\], with one \{\} in each"):
        open_source(f"pairs:{tmp_path}/{pattern}")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f8"])
def test_arrays_of_numpy_are_read_in_either_layout(tmp_path, order, dtype):
    flow = trees.ramp_flow().astype(dtype)
    flow[1, 3] = np.nan
    np.save(tmp_path / "a.npy", np.asfortranarray(flow.transpose(order)))
    read, valid = read_flow(tmp_path / "a.npy")
    assert valid[1, 3] == 0 and valid.sum() == valid.size - 1 and read.dtype == np.float32
    np.testing.assert_array_equal(read[3:], np.float32(flow)[3:])


def _npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + data


def _array(kind: str, shape: tuple[int, ...], size: int = 0) -> bytes:
    return _npy(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}", bytes(size))


def _pickled() -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([[["a", {}]]], object), allow_pickle=True)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is no .npy file"),
        (b"hello", "is no .npy file"),
        (_pickled(), r"is no flow: expected floats .* got \(1, 1, 2\) object"),
        (_array("<f4", (4, 5, 2), 159), "need 160 bytes, got 159"),
        (_array("<f4", (99_999_999, 99_999_999, 2)), "expected at most 67,108,864 numbers"),
        (_array("<i4", (4, 5, 2), 160), "is no flow: expected floats"),
        (_array("<f4", (4, 5, 3), 240), r"got \(4, 5, 3\)"),
        (_array("<f4", (0, 5, 2)), r"got \(0, 5, 2\)"),
        (_npy("(" * 3000), "is no .npy file"),
        (b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1) + b"{", "is no .npy file"),
        (b"\x93NUMPY\1\0" + struct.pack("<H", 9) + b"{'descr': '<f4'", "is no .npy file"),
        (_npy(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'9' * 4000}, 5, 2)}}"), "expected at most"),
        (_array("<f4", (2**40, 2**40, 2)), "expected at most 67,108,864 numbers"),
        (_array("|O", (4, 5, 2), 320), r"got \(4, 5, 2\) object"),
        (_array("<f4", (-4, -5, 2), 160), r"is no flow: expected floats .* got \(-4, -5, 2\)"),
    ],
)
def test_arrays_that_are_no_flow_are_refused(tmp_path, data, text):
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(InputError, match=text):
        read_flow(tmp_path / "a.npy")


def _npz(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return out.getvalue()


def test_what_an_estimate_saves_is_read_as_flow(tmp_path):
    np.savez(tmp_path / "a.npz", flow=trees.ramp_flow(), confidence=np.zeros((2, 3)))
    np.testing.assert_array_equal(read_flow(tmp_path / "a.npz")[0], trees.ramp_flow())


PLANE = _array("<f2", (4, 5), 40)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is no .npz file"),
        (_npz(flows=PLANE), "is no flow: expected an array 'flow', or 'u' and 'v', in it"),
        (_npz(u=PLANE), "is no flow: expected an array 'flow', or 'u' and 'v', in it"),
        (_npz(u=PLANE, v=_array("<f2", (5, 4), 40)), r"expected u and v of one shape, got \(4, 5\) and \(5, 4\)"),
        (_npz(u=PLANE, v=_array("<i2", (4, 5), 40)), r"expected floats \[h, w\] as u and v, got \(4, 5\) int16"),
        (_npz(u=PLANE, v=_array("|O", (4, 5), 160)), r"got \(4, 5\) object"),
        (_npz(u=PLANE, v=PLANE + bytes(2**26)), r"need 40 bytes, got 67,108,904"),
        (_npz(u=PLANE, v=_array("<f2", (99_999, 99_999))), "expected at most 67,108,864 numbers"),
        (_npz(flow=_pickled()), r"is no flow: expected floats .* got \(1, 1, 2\) object"),
        (_npz(flow=b"hello"), "is no .npy file"),
        (_npz(u=PLANE, v=PLANE).replace(b"PK\x03\x04", b"PK\x03\x05", 1), "is no .npz file, or it is damaged"),
    ],
)
def test_archives_that_are_no_flow_are_refused(tmp_path, data, text):
    (tmp_path / "a.npz").write_bytes(data)
    tracemalloc.start()
    with pytest.raises(InputError, match=text):
        read_flow(tmp_path / "a.npz")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_a_member_that_grows_beyond_what_it_says_is_refused(tmp_path):
    """Its directory says 40 bytes after the header; it unpacks to 64 MB."""
    honest, bomb = _npz(flow=_array("<f4", (1, 5, 2), 40)), _npz(flow=_array("<f4", (1, 5, 2), 2**26))
    said = struct.pack("<I", len(_array("<f4", (1, 5, 2), 40)))
    grown = struct.pack("<I", len(_array("<f4", (1, 5, 2), 2**26)))
    assert said in honest and bomb.count(grown) == 2
    (tmp_path / "a.npz").write_bytes(bomb.replace(grown, said))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"or it is damaged|need 40 bytes"):
        read_flow(tmp_path / "a.npz")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


@pytest.mark.parametrize(("suffix", "count"), [(".npy", 1000), (".npz", 1000), (".flo5", 300)])
def test_damaged_numpy_and_hdf5_files_are_read_or_refused(tmp_path, suffix, count):
    whole = tmp_path / f"whole{suffix}"
    put = {".npy": np.save, ".npz": lambda path, flow: np.savez_compressed(path, flow=flow), ".flo5": trees.put_flo5}
    put[suffix](whole, trees.ramp_flow())
    refused = 0
    for damaged in trees.mutated(whole.read_bytes(), count):
        (tmp_path / f"a{suffix}").write_bytes(damaged)
        try:
            flow, valid = read_flow(tmp_path / f"a{suffix}")
            assert flow.shape[2] == 2 and np.isfinite(flow).all() and valid.shape == (*flow.shape[:2], 1)
        except InputError as error:
            refused += 1
            assert len(str(error)) <= 300 + len(str(tmp_path))
    assert refused > count // 10


def test_a_flo5_leads_to_no_other_file_and_to_no_gigabytes(tmp_path):
    trees.put_flo5(tmp_path / "whole.flo5", trees.ramp_flow())
    with h5py.File(tmp_path / "link.flo5", "w") as file:
        file["flow"] = h5py.ExternalLink("whole.flo5", "flow")
    (tmp_path / "raw").write_bytes(bytes(480))
    with h5py.File(tmp_path / "external.flo5", "w") as file:
        file.create_dataset("flow", (6, 10, 2), "f4", external=[(str(tmp_path / "raw"), 0, 480)])
    with h5py.File(tmp_path / "huge.flo5", "w") as file:
        file.create_dataset("flow", (60_000, 60_000, 2), "f4", chunks=(100, 100, 2), compression="gzip")
    with h5py.File(tmp_path / "other.flo5", "w") as file:
        file["flows"] = trees.ramp_flow()
    for name, text in (
        ("link", "no data set 'flow' of its own"),
        ("external", "no data set 'flow' of its own"),
        ("huge", r"claims \(60000, 60000, 2\): expected at most"),
        ("other", "no data set 'flow' of its own"),
    ):
        with pytest.raises(InputError, match=text):
            read_flow(tmp_path / f"{name}.flo5")
