"""PyTorch's two containers, written by hand: opcodes of pickle protocol 2 and the bytes of the storages."""

from __future__ import annotations

import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np

STOP = b"."
STORAGES = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}


class Raw(bytes):
    """Opcodes that go into the pickle as they are."""


def name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


class Pickle:
    """A pickle of containers, numbers, text, and arrays as tensors. python2: text as a `str` of Python 2."""

    def __init__(self, legacy: bool = False, python2: bool = False):
        self.legacy, self.python2 = legacy, python2
        self.storages: dict[str, np.ndarray] = {}

    def dumps(self, value) -> bytes:
        return b"\x80\x02" + self.value(value) + STOP

    def value(self, v) -> bytes:
        if isinstance(v, Raw):
            return bytes(v)
        if isinstance(v, OrderedDict):
            return self.ordered(v)
        if v is None:
            return b"N"
        if isinstance(v, bool):
            return b"\x88" if v else b"\x89"
        if isinstance(v, int):
            if -(2**31) <= v < 2**31:
                return b"J" + struct.pack("<i", v)
            digits = v.to_bytes(v.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(digits)]) + digits
        if isinstance(v, float):
            return b"G" + struct.pack(">d", v)
        if isinstance(v, str):
            return self.text(v)
        if isinstance(v, tuple):
            return b"(" + b"".join(map(self.value, v)) + b"t"
        if isinstance(v, list):
            return b"](" + b"".join(map(self.value, v)) + b"e"
        if isinstance(v, dict):
            return b"}" + self.items(v)
        return self.tensor(v)

    def text(self, v: str) -> bytes:
        data = v.encode()
        return b"U" + bytes([len(data)]) + data if self.python2 else b"X" + struct.pack("<i", len(data)) + data

    def items(self, v: dict) -> bytes:
        return b"(" + b"".join(self.value(key) + self.value(x) for key, x in v.items()) + b"u"

    def ordered(self, v: OrderedDict) -> bytes:
        made = name("collections", "OrderedDict")
        if self.python2:  # there, the items are the arguments
            return made + self.value(([[key, x] for key, x in v.items()],)) + b"R"
        versions = self.value({"_metadata": {"": {"version": 1}}})
        return made + b")R" + self.items(v) + versions + b"b"

    def tensor(self, x: np.ndarray) -> bytes:
        """All arrays that are views of one array share its storage."""
        x = np.asarray(x)
        base = x if x.base is None else x.base
        flat = np.asarray(base).reshape(-1)
        key = next((k for k, known in self.storages.items() if np.shares_memory(known, flat)), str(len(self.storages)))
        self.storages.setdefault(key, flat)
        offset = (x.ctypes.data - flat.ctypes.data) // x.itemsize
        storage = Raw(name("torch", STORAGES[x.dtype.str[1:]]))
        identity = ("storage", storage, key, "cuda:0" if self.legacy else "cpu", flat.size)
        identity += (None,) if self.legacy else ()
        stride = tuple(n // x.itemsize for n in x.strides)
        arguments = (Raw(self.value(identity) + b"Q"), offset, x.shape, stride)
        if self.python2:
            return name("torch._utils", "_rebuild_tensor") + self.value(arguments) + b"R"
        arguments += (False, OrderedDict())
        return name("torch._utils", "_rebuild_tensor_v2") + self.value(arguments) + b"R"


def write_zip(path: Path, value) -> None:
    """As torch.save of 1.6 and newer."""
    pickle = Pickle()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(value))
        archive.writestr("archive/byteorder", "little")
        for key, x in pickle.storages.items():
            archive.writestr(f"archive/data/{key}", x.tobytes())
        archive.writestr("archive/version", "3\n")


def write_stream(path: Path, value, python2: bool = False) -> None:
    """As torch.save of 0.1.10 to 1.5."""
    sizes = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    pickle = Pickle(legacy=True, python2=python2)
    parts = [Pickle().dumps(v) for v in (0x1950A86A20F9469CFC6C, 1001, sizes)]
    parts += [pickle.dumps(value), Pickle().dumps(sorted(pickle.storages))]
    for key in sorted(pickle.storages):
        x = pickle.storages[key]
        parts += [struct.pack("<q", x.size), x.tobytes()]
    path.write_bytes(b"".join(parts))


def write_stream_python2(path: Path, value) -> None:
    """As torch.save of 0.3 under Python 2, when PWC-Net was published."""
    write_stream(path, value, python2=True)


WRITERS: list[Callable[[Path, object], None]] = [write_zip, write_stream, write_stream_python2]
