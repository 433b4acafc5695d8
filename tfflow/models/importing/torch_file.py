"""Reads PyTorch's files (.pth, .pth.tar, .pt) without PyTorch and without unpickling: names and arrays.

There are two containers. Since 1.6 it is a zip archive with NAME/data.pkl, and the bytes of each storage in
NAME/data/KEY. Before, it was one stream: pickles of a magic number, the protocol 1001, the byte order, the value and
the keys of the storages; then for each key an int64 count and the numbers. In both, a tensor refers to its storage by a
persistent id ("storage", type, key, device, count). `state.py` decides which tensors are a network's weights.
Source: torch/serialization.py and torch/_utils.py.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tfflow.errors import InputError
from tfflow.limits import Limit, bytes_limit, read_bytes, values_limit
from tfflow.models.importing.pickled import BESIDE, LONGEST_KEY, plain_dict, read_pickle
from tfflow.models.importing.state import find_state, without_prefixes
from tfflow.models.importing.strided import strided

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
BFLOAT16 = np.dtype(tf.bfloat16.as_numpy_dtype)
ELEMENTS = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": BFLOAT16,
    "LongStorage": "<i8", "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "<i1", "ByteStorage": "<u1",
    "BoolStorage": "?",
}  # fmt: skip
HARMLESS = (
    "argparse.Namespace", "pathlib.Path", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib._local.PosixPath",
    "collections.Counter", "collections.defaultdict", "collections.deque", "_codecs.encode", "copy_reg._reconstructor",
    "copyreg._reconstructor", "datetime.datetime", "numpy.dtype", "numpy.ndarray", "torch.Size", "torch.device",
    *(f"{core}.multiarray.{name}" for core in ("numpy.core", "numpy._core") for name in ("scalar", "_reconstruct")),
    *(f"{home}.{name}" for home in ("__builtin__", "builtins") for name in (
        "bool", "complex", "dict", "float", "frozenset", "int", "list", "object", "set", "slice", "str", "tuple")),
    *(f"torch.{name}" for name in ("bfloat16", "float16", "float32", "float64", "int32", "int64", "uint8", "bool")),
)  # fmt: skip
"""Objects that files of training programs hold besides weights. They are ignored."""


@dataclass
class Storage:
    """A flat array of which tensors are views. values: None until the file's bytes are read."""

    kind: np.dtype
    count: int
    values: np.ndarray | None = None


@dataclass
class Part:
    """A storage from index `first` on, as in PyTorch before 0.4."""

    storage: Storage
    first: int


@dataclass
class Tensor:
    """A view of `storage`: the arguments of `strided`."""

    storage: Storage
    offset: int
    size: tuple
    stride: tuple

    def array(self, made: Limit) -> np.ndarray:
        """The numbers; bfloat16 becomes float32. made: limits their bytes."""
        if self.storage.values is None:
            raise ValueError("a tensor without its numbers")
        array = strided(self.storage.values, self.offset, self.size, self.stride, made)
        return array.astype(np.float32) if array.dtype == BFLOAT16 else array


def read_state(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a network by name, in the order of the file.

    The state dictionary may be wrapped and prefixed as training programs do; `state.py` finds it.
    Raises InputError if the file is damaged, no PyTorch file, or larger than `limits` allows, or if it holds other
    objects than tensors and plain containers.
    """
    where = repr(str(path))
    data = read_bytes(path)
    try:
        value = _read_zip(data, where) if data.startswith(b"PK") else _read_stream(data, where)
        tensors = find_state(value, Tensor, where)
        made = bytes_limit(len(data))
        return without_prefixes({name: tensor.array(made) for name, tensor in tensors.items()})
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{where} is damaged or cut off: {error}; copy it again") from None


class _Names:
    """The names that a pickle of PyTorch may use, and the storages that it refers to."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}
        self.values = values_limit()
        self.known: dict[str, Any] = (
            dict.fromkeys(HARMLESS, BESIDE)
            | {
                "collections.OrderedDict": self._ordered,
                "torch._utils._rebuild_tensor": _tensor,
                "torch._utils._rebuild_tensor_v2": _tensor,
                "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
            }
            | {f"torch.{name}": np.dtype(kind) for name, kind in ELEMENTS.items()}
        )

    def storage(self, key: Any) -> Part:
        """The storage of ("storage", type, key, device, count[, view]). view: None or (key, first, count)."""
        if not isinstance(key, tuple) or len(key) not in (5, 6) or key[0] != "storage":
            raise ValueError("a persistent id that is no storage")
        _, kind, name, _, count = key[:5]
        if not isinstance(kind, np.dtype) or not isinstance(name, str) or not isinstance(count, int) or count < 0:
            raise ValueError("a storage without type, key or count")
        first = key[5][1] if len(key) == 6 and key[5] is not None else 0
        if not isinstance(first, int) or len(name) > LONGEST_KEY:
            raise ValueError("a part of a storage that begins nowhere")
        found = self.storages.setdefault(name, Storage(kind, count))
        if (found.kind, found.count) != (kind, count):
            raise ValueError(f"storage {name!r} of two types or sizes")
        return Part(found, first)

    def _ordered(self, items: Any = ()) -> dict:
        if not isinstance(items, (list, tuple)):
            raise ValueError("a dictionary of what is no list of pairs")
        self.values.add(len(items))  # a single opcode, which may be repeated
        return plain_dict(items)


def _tensor(part: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    shaped = isinstance(size, tuple) and isinstance(stride, tuple) and isinstance(offset, int)
    if not isinstance(part, Part) or not shaped:
        raise ValueError("a tensor without storage, size or stride")
    return Tensor(part.storage, part.first + offset, size, stride)


def _read_zip(data: bytes, where: str) -> Any:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info.filename: info for info in archive.infolist()}
        pickles = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise InputError(f"{where} is a zip archive, but not PyTorch's: it holds no data.pkl")
        folder = pickles[0].removesuffix("data.pkl")

        unpacked = Limit(len(data), "bytes in its members, more than it has itself")  # PyTorch compresses nothing

        def member(name: str) -> bytes:
            if name not in members:
                raise ValueError(f"{name} is missing")
            unpacked.add(members[name].file_size)
            return archive.read(name)

        if f"{folder}byteorder" in members and member(f"{folder}byteorder") != b"little":
            raise InputError(f"{where} was written on a big-endian machine; save it again on another")
        names = _Names()
        value = read_pickle(io.BytesIO(member(pickles[0])), where, names.known, names.storage, names.values)
        for key, storage in names.storages.items():
            contents = member(f"{folder}data/{key}")
            if len(contents) != storage.count * storage.kind.itemsize:
                raise ValueError(f"storage {key!r} has {len(contents)} bytes for {storage.count} numbers")
            storage.values = np.frombuffer(contents, storage.kind)
    return value


def _read_stream(data: bytes, where: str) -> Any:
    stream = io.BytesIO(data)
    names = _Names()

    def following() -> Any:
        return read_pickle(stream, where, names.known, names.storage, names.values)

    if not data.startswith(b"\x80") or following() != MAGIC:
        raise InputError(
            f"{where} is no file of PyTorch: expected a zip archive (1.6 or newer) or a stream of pickles (0.1.10 to "
            "1.5); a tar archive of before must be loaded and saved with a newer PyTorch first"
        )
    if following() != PROTOCOL:
        raise InputError(f"{where} has another protocol than {PROTOCOL}; save it with a newer PyTorch")
    system = following()
    if not isinstance(system, dict) or not system.get("little_endian"):
        raise InputError(f"{where} was written on a big-endian machine; save it again on another")
    value, keys = following(), following()
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or names.storages.keys() - set(keys):
        raise ValueError("a storage is missing")
    for key in keys:
        storage = names.storages.get(key)
        if storage is None:
            raise ValueError(f"storage {key!r} belongs to no tensor")
        count = int.from_bytes(_take(stream, 8), "little", signed=True)
        if count != storage.count:
            raise ValueError(f"storage {key!r} has {count} numbers, {storage.count} were announced")
        storage.values = np.frombuffer(_take(stream, count * storage.kind.itemsize), storage.kind)
    return value


def _take(stream: io.BytesIO, n: int) -> bytes:
    contents = stream.read(n)
    if len(contents) != n:
        raise EOFError(f"it ends {n - len(contents):,} bytes early")
    return contents
