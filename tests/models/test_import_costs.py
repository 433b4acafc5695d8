"""A small file of others costs little: each of these would crash, hang or take gigabytes without a limit."""

from __future__ import annotations

import resource
import struct
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.models import t7_files, torch_files
from tfflow.errors import InputError
from tfflow.limits import MOST_VALUES
from tfflow.models.importing.t7 import read_t7
from tfflow.models.importing.tf1_checkpoint import read_checkpoint
from tfflow.models.importing.torch_file import read_state
from tfflow.models.weights import read_arrays

TOO_MANY = f"more than {MOST_VALUES:,} values"
FLOATS = torch_files.name("torch", "FloatStorage")
ORDERED = torch_files.name("collections", "OrderedDict")
REBUILD = torch_files.name("torch._utils", "_rebuild_tensor_v2")


def text(v: str) -> bytes:
    return b"X" + struct.pack("<i", len(v)) + v.encode()


def tensor_with(size: bytes) -> bytes:
    """A tensor of one storage with these opcodes as its size."""
    storage = b"(" + text("storage") + FLOATS + text("0") + text("cpu") + b"K\x04tQ"
    return REBUILD + b"(" + storage + b"K\x00" + size + b"K\x01K\x01\x86\x89}tR"


DOUBLED = b"K\x01" + b"q\x00h\x00\x86" * 200  # a tuple of itself twice, 200 times: 2**200 leaves
NESTED = b")" + b"\x85" * 200_000
COSTLY = {
    "a key of nested tuples": (b"}" + NESTED + b"K\x01s.", "a tuple as a key, expected text or a number"),
    "a key of doubled tuples": (b"}(" + DOUBLED + b"K\x01u.", "a tuple as a key, expected text or a number"),
    "pairs with a key of doubled tuples": (
        ORDERED + b"]" + DOUBLED + b"K\x01\x86a\x85R.",
        "a tuple as a key, expected text or a number",
    ),
    "a size of doubled tuples": (b"}" + text("a") + tensor_with(DOUBLED) + b"s.", "is no whole number of 0 or more"),
    "a name of doubled tuples": (DOUBLED + text("a") + b"\x93.", "a name that is no text"),
    "a list copied again and again": (
        b"](" + b"K\x01K\x01\x86" * 10_000 + b"eq\x01" + (ORDERED + b"h\x01\x85R0") * 3000 + b"}.",
        TOO_MANY,
    ),
    "many empty lists": (b"]" * (MOST_VALUES + 1) + b".", TOO_MANY),
    "long keys, compared again and again": (
        b"}" + (text("k" * 2000) + b"K\x01s") * 2 + b".",
        "a key of 2,000 characters",
    ),
    "keys of one hash": (
        b"}("
        + b"".join(b"\x8a\x0a" + ((2**61 - 1) * i).to_bytes(10, "little") + b"N" for i in range(1, 40_000))
        + b"u.",
        "a key of 61 bits",
    ),
    "places of one hash": (
        b"N" + b"".join(b"p%d\n" % ((2**61 - 1) * i) for i in range(1, 40_000)) + b".",
        "a place of 61 bits",
    ),
    "a number of a million digits": (b"\x8b" + struct.pack("<i", 400_000) + b"\x7f" * 400_000 + b".", "bits"),
}


def refused_quickly(read, path: Path, match: str) -> None:
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match=match) as refusal:
        read(path)
    assert len(str(refusal.value)) <= 300 and path.stem in str(refusal.value)
    assert time.process_time() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # kB


@pytest.mark.parametrize("which", COSTLY)
def test_a_pickle_that_costs_much_is_refused_at_once(tmp_path, which):
    contents, match = COSTLY[which]
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x04" + contents)
        archive.writestr("archive/data/0", bytes(16))
    refused_quickly(read_state, tmp_path / "x.pth", match)


@pytest.mark.parametrize("write", torch_files.WRITERS, ids=lambda write: write.__name__)
def test_many_views_of_one_storage_of_a_torch_file_are_refused(tmp_path, write):
    storage = np.zeros(200_000, np.float32)
    write(tmp_path / "x.pth", {f"view{i}": storage[: 200_000 - i] for i in range(100)})
    refused_quickly(read_state, tmp_path / "x.pth", "more than .* bytes of numbers, 2 times its size")


def test_many_views_of_one_storage_of_a_t7_file_are_refused(tmp_path):
    storage = np.zeros(200_000, np.float32)
    t7_files.write_t7(tmp_path / "x.t7", {i: t7_files.tensor(storage, i, (100_000,)) for i in range(1, 100)})
    refused_quickly(read_t7, tmp_path / "x.t7", "more than .* bytes of numbers, 2 times its size")


def test_weights_that_two_names_share_are_read(tmp_path):
    shared = np.arange(1000, dtype=np.float32)
    torch_files.write_zip(tmp_path / "x.pth", {"a": shared, "b": shared[:]})
    read = read_state(tmp_path / "x.pth")
    np.testing.assert_array_equal(read["a"], shared)
    np.testing.assert_array_equal(read["b"], shared)


def test_a_zip_whose_members_grow_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        storages = {f"w{i}": np.zeros(50_000, np.float32) for i in range(40)}
        pickle = torch_files.Pickle()
        archive.writestr("archive/data.pkl", pickle.dumps(storages))
        for key, x in pickle.storages.items():
            archive.writestr(f"archive/data/{key}", x.tobytes())
    refused_quickly(read_state, tmp_path / "x.pth", "bytes in its members, more than it has itself")


@pytest.mark.parametrize(
    ("contents", "match"),
    [
        (b"".join(struct.pack("<iii", 3, n, 1) for n in range(1, 5000)), "nested deeper than 64"),
        (struct.pack("<iii", 3, 1, MOST_VALUES // 2) + struct.pack("<iii", 5, 0, 0) * (MOST_VALUES // 2), TOO_MANY),
        (struct.pack("<ii", 4, 1) + struct.pack("<i", 12_000) + b"\x01" * 12_000, "asks for"),
    ],
    ids=["nested tables", "a table of many values", "a class with a long name"],
)
def test_a_t7_file_that_costs_much_is_refused_at_once(tmp_path, contents, match):
    (tmp_path / "x.t7").write_bytes(contents)
    refused_quickly(read_t7, tmp_path / "x.t7", match)


def test_a_checkpoint_whose_variables_are_larger_than_its_files_is_refused(tmp_path, monkeypatch):
    """Before any is read: the shapes stand in the index."""

    class Reader:
        def get_variable_to_shape_map(self):
            return {"a": [2**20, 2**20], "beta1_power": []}

        def get_variable_to_dtype_map(self):
            return {"a": tf.float32, "beta1_power": tf.float32}

        def get_tensor(self, name):
            raise AssertionError(name)

    monkeypatch.setattr(tf.train, "load_checkpoint", lambda prefix: Reader())
    (tmp_path / "x.index").write_bytes(bytes(100))
    refused_quickly(read_checkpoint, tmp_path / "x", "more than 200 bytes of numbers, 2 times its size")


def test_a_header_of_gigabytes_is_not_read(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", 2**33) + b"{" * 1000)
    refused_quickly(read_arrays, tmp_path / "x.safetensors", "a header of 8,589,934,592 bytes")
