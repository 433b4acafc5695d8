"""Readers of Lua Torch's and PyTorch's files: what they hold comes out exactly, and nothing that they ask for runs."""

from __future__ import annotations

import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from tests.models import t7_files, torch_files
from tfflow.errors import InputError
from tfflow.limits import bytes_limit
from tfflow.models.importing.strided import strided
from tfflow.models.importing.t7 import Module, read_t7
from tfflow.models.importing.torch_file import read_state

each_writer = pytest.mark.parametrize("write", torch_files.WRITERS, ids=lambda write: write.__name__)


def state() -> OrderedDict:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=[6, 4]).astype(np.float32)
    return OrderedDict(
        {
            "conv.weight": rng.normal(size=[2, 3, 5, 5]).astype(np.float32),
            "conv.bias": np.float32([0, -0.0]),
            "part": shared[2:5, 1:3],  # views of one storage
            "turned": shared.T,
            "steps": np.int64([2**40]),
            "double": rng.normal(size=[3]),
            "half": np.float16([[1.5]]),
            "none": np.zeros([0, 3], np.float32),
        }
    )


def assert_state(read: dict[str, np.ndarray]) -> None:
    assert list(read) == list(state())
    for name, x in state().items():
        assert read[name].shape == x.shape and read[name].dtype == x.dtype, name
        assert read[name].tobytes() == x.tobytes(), name


@each_writer
def test_tensors_of_a_torch_file_come_back_exactly(tmp_path, write):
    write(tmp_path / "bare.pth", state())
    assert_state(read_state(tmp_path / "bare.pth"))
    besides = {"epoch": 3, "best": 2.5, "lr": [1e-4, None, True], "name": "ärger", "size": (1, 2**40), "empty": {}}
    wrapped = OrderedDict((f"module.{name}", x) for name, x in state().items())
    write(tmp_path / "wrapped.pth.tar", {**besides, "state_dict": wrapped})
    assert_state(read_state(tmp_path / "wrapped.pth.tar"))


@each_writer
def test_a_torch_file_cut_off_anywhere_is_refused(tmp_path, write):
    path = tmp_path / "x.pth"
    write(path, state())
    whole = path.read_bytes()
    for kept in [0, 1, 14, *np.linspace(15, len(whole) - 1, 60).astype(int)]:
        path.write_bytes(whole[:kept])
        with pytest.raises(InputError) as refusal:
            read_state(path)
        assert "x.pth" in str(refusal.value) and "\n" not in str(refusal.value)


@each_writer
def test_a_torch_file_changed_anywhere_is_read_or_refused(tmp_path, write):
    """Never another error, and never other numbers in a container that has checksums."""
    path = tmp_path / "x.pth"
    write(path, state())
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(200):
        data = bytearray(whole)
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            read = read_state(path)
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            if write is torch_files.write_zip and list(read) == list(state()):
                assert_state(read)
    assert refused > 40


class Evil:
    """Pickled, it asks for a call when it is read."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def malicious(marker) -> dict[str, tuple[bytes, str]]:
    """Pickles of protocol 0 to 5 with what the refusal must say."""
    touch = f"touch {marker}"
    raw = torch_files.name
    return {
        "os.system": (pickle.dumps(Evil(os.system, touch), 2), r"asks for 'posix.system'"),
        "os.system, protocol 0": (b"\x80\x00" + pickle.dumps(Evil(os.system, touch), 0), r"asks for 'posix.system'"),
        "os.system, protocol 5": (pickle.dumps(Evil(os.system, touch), 5), r"asks for 'posix.system'"),
        "eval": (
            b"\x80\x02" + raw("builtins", "eval") + b"X" + struct.pack("<i", 4) + b"1//0\x85R.",
            r"asks for 'builtins.eval'",
        ),
        "a module of torch": (
            b"\x80\x02" + raw("torch.nn.modules.conv", "Conv2d") + b")\x81}b.",
            r"asks for 'torch.nn.modules.conv.Conv2d', which is no tensor",
        ),
        "getattr of what is known": (b"\x80\x02" + raw("builtins", "getattr") + b".", r"asks for 'builtins.getattr'"),
        "inst": (b"\x80\x02(i__builtin__\neval\n.", "opcode INST"),
        "obj": (b"\x80\x02(" + raw("collections", "OrderedDict") + b"o.", "opcode OBJ"),
        "newobj": (b"\x80\x02" + raw("collections", "OrderedDict") + b")\x81.", "opcode NEWOBJ"),
        "extension": (b"\x80\x02\x82\x01.", "opcode EXT1"),
        "a call of text": (b"\x80\x02U\x09os.system)R.", "a call of what is no function"),
        "a name from the stack": (
            b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
            r"asks for 'os.system'",
        ),
        "storage of nothing": (b"\x80\x02U\x01xQ.", "a persistent id that is no storage"),
    }


@pytest.mark.parametrize("container", ["zip", "stream", "first of the stream"])
@pytest.mark.parametrize("which", malicious(""))
def test_a_malicious_pickle_is_refused_and_nothing_runs(tmp_path, container, which):
    marker = tmp_path / "it ran"
    contents, text = malicious(f"'{marker}'")[which]
    path = tmp_path / "x.pth"
    if container == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", contents)
    elif container == "stream":
        torch_files.write_stream(path, {})
        head = path.read_bytes()
        path.write_bytes(head[: head.index(b"\x80\x02}(u.")] + contents)
    else:
        path.write_bytes(contents)
    with pytest.raises(InputError, match=text) as refusal:
        read_state(path)
    assert "\n" not in str(refusal.value) and str(path) in str(refusal.value)
    assert not marker.exists()


def test_the_malicious_pickle_would_have_run(tmp_path):
    """Else the test above proves nothing."""
    marker = tmp_path / "it ran"
    pickle.loads(malicious(f"'{marker}'")["os.system"][0])
    assert marker.exists()


def test_torch_files_that_hold_something_else(tmp_path):
    path = tmp_path / "x.pth"

    def refused(text):
        with pytest.raises(InputError, match=text):
            read_state(path)

    torch_files.write_zip(path, [1, 2])
    refused("holds no dictionary of weights, but a list")
    torch_files.write_zip(path, {"lr": 0.1, "epoch": 3})
    refused("holds no dictionary of weights: 'lr' is a float, 'epoch' is a int")
    torch_files.write_zip(path, {name: {"x": np.zeros(2, np.float32)} for name in ("teacher", "student")})
    refused("tensors stand under 'teacher', 'student'; save one of them alone")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.txt", "")
    refused("is a zip archive, but not PyTorch's: it holds no data.pkl")
    path.write_bytes(b"\x89PNG")
    refused(r"is no file of PyTorch: expected a zip archive .* a tar archive of before must be loaded and saved")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:  # a bomb
        archive.writestr("archive/data.pkl", b"\x00" * 10_000_000)
    refused("more than .* bytes in its members, more than it has itself")


def test_a_tensor_larger_than_its_storage_is_refused():
    flat = np.arange(6, dtype=np.float32)
    np.testing.assert_array_equal(strided(flat, 1, (2, 2), (2, 1), bytes_limit(24)), [[1, 2], [3, 4]])
    for offset, size, stride in [
        (0, (7,), (1,)),
        (5, (2,), (1,)),
        (0, (10**9, 10**9), (0, 0)),
        (0, (2, 2), (5, 1)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (2,), (1, 1)),
        (0, ("2",), (1,)),
    ]:
        with pytest.raises(ValueError, match=r"is none|does not fit"):
            strided(flat, offset, size, stride, bytes_limit(24))


def test_values_of_a_t7_file_come_back(tmp_path):
    flat = np.arange(24, dtype=np.float32)
    inner = t7_files.module("nn.ReLU", inplace=True)
    values = {1: 2.5, "name": "ärger", "yes": True, "tensor": t7_files.tensor(flat, 4, (2, 3)), "module": inner}
    t7_files.write_t7(tmp_path / "x.t7", values)
    read = read_t7(tmp_path / "x.t7")
    assert (read[1], read["name"], read["yes"]) == (2.5, "ärger", True)
    np.testing.assert_array_equal(read["tensor"], [[4, 5, 6], [7, 8, 9]])
    assert isinstance(read["module"], Module) and read["module"].kind == "nn.ReLU"
    assert read["module"].fields == {"inplace": True}


def test_an_object_that_holds_itself(tmp_path):
    first = struct.pack("<ii", 3, 1) + struct.pack("<i", 1)  # a table of one pair
    (tmp_path / "x.t7").write_bytes(first + struct.pack("<id", 1, 1.0) + struct.pack("<ii", 3, 1))
    read = read_t7(tmp_path / "x.t7")
    assert read[1] is read


def test_a_t7_file_cut_off_or_of_other_contents_is_refused(tmp_path):
    path = tmp_path / "x.t7"

    def refused(text):
        with pytest.raises(InputError, match=text) as refusal:
            read_t7(path)
        assert "\n" not in str(refusal.value)

    t7_files.write_t7(path, {"a": "text", "tensor": t7_files.tensor(np.zeros(24, np.float32), 4, (2, 3))})
    whole = path.read_bytes()
    for kept in range(len(whole)):
        path.write_bytes(whole[:kept])
        refused(r"x.t7' is not a whole .t7 file of Lua Torch in binary mode: ")
    path.write_bytes(struct.pack("<iii", 8, 1, 4) + b"\x1bLJ\x01")
    refused("holds a Lua function; only tensors and plain tables are read from it")
    t7_files.write_t7(path, t7_files.module("threads.Threads", a=1))
    refused("asks for 'threads.Threads'; only tensors and modules of nn are read from it")
    t7_files.write_t7(path, t7_files.tensor(np.zeros(24, np.float32), 20, (2, 3)))
    refused("does not fit into its storage of 24 numbers")
    path.write_bytes(struct.pack("<iiii", 3, 1, 2**31 - 1, 0))
    refused("2147483647 values at byte 8")
    path.write_bytes(b"4\n1\n3\nV 1\n13\nnn.Sequential\n")  # torch.save's mode "ascii"
    refused("unknown tag")
    path.write_bytes(struct.pack("<ii", 3, 1) * 1 + b"".join(struct.pack("<iii", 1, 3, n) for n in range(2, 5000)))
    refused("x.t7")
