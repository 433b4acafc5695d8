"""Weights of training programs are found whatever stands around them and beside them, and whatever type they have."""

from __future__ import annotations

import struct
from collections import OrderedDict

import numpy as np
import pytest
import tensorflow as tf

from tests.models import torch_files
from tfflow.errors import InputError
from tfflow.models.importing.torch_file import read_state

WEIGHT = np.float32([[1.5, -2, 3], [4, 5.25, -6]])
STATE = OrderedDict({"conv.weight": WEIGHT, "fc.bias": WEIGHT[0]})
OPTIMIZER = {"state": {0: {"step": 3, "exp_avg": np.ones([2, 3], np.float32)}}, "param_groups": [{"lr": 1e-4}]}
each_writer = pytest.mark.parametrize("write", torch_files.WRITERS, ids=lambda write: write.__name__)


def renamed(prefix: str) -> OrderedDict:
    return OrderedDict((prefix + name, x) for name, x in STATE.items())


WRAPPED = {
    "bare": STATE,
    "state_dict": {"epoch": 3, "state_dict": STATE, "optimizer": OPTIMIZER},
    "model_state_dict": {"model_state_dict": STATE, "optimizer_state_dict": OPTIMIZER, "loss": 0.5},
    "model": {"optimizer": OPTIMIZER, "model": STATE, "args": "--lr 1"},
    "net": {"net": STATE, "acc": 91, "epoch": 2},
    "model in checkpoint's state_dict": {"model": {"state_dict": STATE, "name": "net"}, "step": np.int64([7])},
    "under a name of its own": {"flow_estimator": STATE, "epoch": 3},
    "module.": {"state_dict": renamed("module.")},
    "model.": renamed("model."),
    "_orig_mod.": {"model": renamed("_orig_mod.")},
    "_orig_mod.module.": {"model": renamed("_orig_mod.module.")},
    "module.model.net.": renamed("module.model.net."),
    "scalars among the weights": {**STATE, "epoch": 3, "lr": 0.1, "name": "mine", "best": None, "options": {"a": [1]}},
}


@each_writer
@pytest.mark.parametrize("which", WRAPPED)
def test_weights_are_found_under_every_wrapping(tmp_path, which, write):
    write(tmp_path / "x.pth", WRAPPED[which])
    read = read_state(tmp_path / "x.pth")
    assert list(read) == list(STATE)
    for name, x in STATE.items():
        np.testing.assert_array_equal(read[name], x)


def test_names_that_do_not_all_begin_alike_stay(tmp_path):
    named = {"module.a": WEIGHT, "b": WEIGHT}
    torch_files.write_zip(tmp_path / "x.pth", named)
    assert list(read_state(tmp_path / "x.pth")) == list(named)


def test_bfloat16_is_read_as_its_number(tmp_path, monkeypatch):
    monkeypatch.setitem(torch_files.STORAGES, "V2", "BFloat16Storage")
    values = np.float32([1.0, -2.5, 3.140625, 1e30, -0.0]).astype(tf.bfloat16.as_numpy_dtype)
    torch_files.write_zip(tmp_path / "x.pth", {"a": values})
    read = read_state(tmp_path / "x.pth")["a"]
    assert read.dtype == np.float32 and read.tobytes() == values.astype(np.float32).tobytes()


def test_half_keeps_its_type_and_numbers(tmp_path):
    torch_files.write_zip(tmp_path / "x.pth", {"a": WEIGHT.astype(np.float16)})
    read = read_state(tmp_path / "x.pth")["a"]
    assert read.dtype == np.float16
    np.testing.assert_array_equal(read, WEIGHT)


def text(v: str) -> bytes:
    return b"X" + struct.pack("<i", len(v)) + v.encode()


def numpy_scalar(core: str) -> bytes:
    """np.float64(1), as pickle protocol 2 has it."""
    kind = torch_files.name("numpy", "dtype") + text("f8") + b"\x89\x88\x87R"
    kind += b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    encoded = torch_files.name("_codecs", "encode") + text("\x00\x00\x00\x00\x00\x00") + text("latin1") + b"\x86R"
    return torch_files.name(f"{core}.multiarray", "scalar") + kind + encoded + b"\x86R"


BESIDE = {
    "a scalar of NumPy 1": numpy_scalar("numpy.core"),
    "a scalar of NumPy 2": numpy_scalar("numpy._core"),
    "options of argparse": torch_files.name("argparse", "Namespace") + b")\x81}(" + text("lr") + b"K\x01ub",
    "a path": torch_files.name("pathlib", "PosixPath") + b"(" + text("/") + text("a") + b"tR",
    "a set": torch_files.name("__builtin__", "set") + b"](K\x01K\x02e\x85R",
    "a dictionary with a default": torch_files.name("collections", "defaultdict")
    + torch_files.name("__builtin__", "list")
    + b"\x85R"
    + text("a")
    + b"]s",
    "a counter that is filled": torch_files.name("collections", "Counter") + b")R(" + text("a") + b"K\x01u",
    "a type of PyTorch": torch_files.name("torch", "float32"),
    "a size of PyTorch": torch_files.name("torch", "Size") + b"(K\x02K\x03t\x85R",
}


@pytest.mark.parametrize("which", BESIDE)
def test_harmless_objects_beside_the_weights_are_left_out(tmp_path, which):
    torch_files.write_zip(tmp_path / "x.pth", {"best": torch_files.Raw(BESIDE[which]), "state_dict": STATE})
    read = read_state(tmp_path / "x.pth")
    np.testing.assert_array_equal(read["conv.weight"], WEIGHT)


def test_harmless_objects_are_never_the_weights(tmp_path):
    for which, opcodes in BESIDE.items():
        torch_files.write_zip(tmp_path / "x.pth", {"conv.weight": torch_files.Raw(opcodes)})
        with pytest.raises(InputError, match=r"holds no dictionary of weights: 'conv.weight' is a \w+"):
            read_state(tmp_path / "x.pth")
            raise AssertionError(which)


def test_tensors_without_a_name_in_text_are_no_weights(tmp_path):
    torch_files.write_zip(tmp_path / "x.pth", {3: WEIGHT})
    with pytest.raises(InputError, match="holds no dictionary of weights: 3 is a Tensor"):
        read_state(tmp_path / "x.pth")
