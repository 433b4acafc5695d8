"""PyTorch's files (.pth, .pth.tar, .pt), read without PyTorch and without unpickling: names and arrays come out.

Two containers. Since 1.6 a zip archive: NAME/data.pkl, and each storage's bytes as NAME/data/KEY. Before, one stream:
pickles of a magic number, 1001, the byte order, the value and the storages' keys, then for each key an int64 count and
the numbers. In both, the value's tensors name their storage by a persistent id ("storage", type, key, device, count).
Source: torch/serialization.py and torch/_utils.py.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfflow.errors import InputError
from tfflow.models.importing.pickled import read_pickle
from tfflow.models.importing.strided import strided

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
ELEMENTS = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "<i1", "ByteStorage": "<u1", "BoolStorage": "?",
}  # fmt: skip


@dataclass
class Storage:
    """Flat numbers, of which tensors are views: `values` once the file's bytes are read."""

    kind: np.dtype
    count: int
    values: np.ndarray | None = None


@dataclass
class Part:
    """A storage from its number `first` on, which PyTorch before 0.4 had."""

    storage: Storage
    first: int


@dataclass
class Tensor:
    """A view of `storage`: the arguments of `strided`."""

    storage: Storage
    offset: int
    size: tuple
    stride: tuple

    def array(self) -> np.ndarray:
        if self.storage.values is None:
            raise ValueError("a tensor without its numbers")
        return strided(self.storage.values, self.offset, self.size, self.stride)


def read_state(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a module by name, in the order of the file: of a state dictionary, bare or under "state_dict".

    "module." before all names, which DataParallel puts there, is taken off. Raises InputError where the file is
    damaged, in no PyTorch format, asks for anything but tensors and plain containers, or holds something else.
    """
    where = repr(str(path))
    data = Path(path).read_bytes()
    try:
        value = _read_zip(data, where) if data.startswith(b"PK") else _read_stream(data, where)
        if isinstance(value, dict) and "state_dict" in value:
            value = value["state_dict"]
        if not isinstance(value, dict) or not value:
            raise InputError(f"{where} holds no dictionary of weights, but a {type(value).__name__}")
        for name, tensor in value.items():
            if not isinstance(name, str) or not isinstance(tensor, Tensor):
                raise InputError(f"{where} holds no dictionary of weights: {name!r} is a {type(tensor).__name__}")
        arrays = {name: tensor.array() for name, tensor in value.items()}
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{where} is damaged or cut off: {error}; copy it again") from None
    if all(name.startswith("module.") for name in arrays):
        arrays = {name.removeprefix("module."): x for name, x in arrays.items()}
    return arrays


class _Names:
    """What a pickle of PyTorch may name, and the storages that it names by persistent id."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}
        self.known: dict[str, Any] = {
            "collections.OrderedDict": _ordered,
            "torch._utils._rebuild_tensor": _tensor,
            "torch._utils._rebuild_tensor_v2": _tensor,
            "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
        } | {f"torch.{name}": np.dtype(kind) for name, kind in ELEMENTS.items()}

    def storage(self, key: Any) -> Part:
        """What ("storage", type, key, device, count[, view]) stands for. view: None or (key, first, count)."""
        if not isinstance(key, tuple) or len(key) not in (5, 6) or key[0] != "storage":
            raise ValueError("a persistent id that is no storage")
        _, kind, name, _, count = key[:5]
        if not isinstance(kind, np.dtype) or not isinstance(name, str) or not isinstance(count, int) or count < 0:
            raise ValueError("a storage without type, key or count")
        first = key[5][1] if len(key) == 6 and key[5] is not None else 0
        found = self.storages.setdefault(name, Storage(kind, count))
        if (found.kind, found.count) != (kind, count):
            raise ValueError(f"storage {name!r} of two types or sizes")
        return Part(found, first)


def _ordered(items: Any = ()) -> dict:
    return dict(items)


def _tensor(part: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    if not isinstance(part, Part) or not isinstance(size, tuple) or not isinstance(stride, tuple):
        raise ValueError("a tensor without storage, size or stride")
    return Tensor(part.storage, part.first + offset, size, stride)


def _read_zip(data: bytes, where: str) -> Any:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info.filename: info for info in archive.infolist()}
        pickles = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise InputError(f"{where} is a zip archive, but not PyTorch's: it holds no data.pkl")
        folder = pickles[0].removesuffix("data.pkl")

        def member(name: str) -> bytes:
            if name not in members:
                raise ValueError(f"{name} is missing")
            if members[name].file_size > len(data):  # PyTorch compresses nothing
                raise ValueError(f"{name} is larger than the file")
            return archive.read(name)

        if f"{folder}byteorder" in members and member(f"{folder}byteorder") != b"little":
            raise InputError(f"{where} was written on a big-endian machine; save it again on another")
        names = _Names()
        value = read_pickle(io.BytesIO(member(pickles[0])), where, names.known, names.storage)
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
        return read_pickle(stream, where, names.known, names.storage)

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
    if not isinstance(keys, list) or any(key not in keys for key in names.storages):
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
