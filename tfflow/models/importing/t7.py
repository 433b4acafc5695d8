"""Reads Lua Torch's binary files (.t7): numbers, text, tables, tensors, and the fields of nn's modules. No code runs.

Layout, little-endian: each value has an int32 tag: 0 nil, 1 number (float64), 2 string (int32 length, bytes), 3 table
(int32 index, int32 count, keys and values), 4 Torch object (int32 index, version "V 1", class, contents), 5 boolean
(int32). An index that occurred before refers to the same object. Source: torch7, File.lua and Tensor.c.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfflow.errors import InputError
from tfflow.limits import MOST_DEPTH, bytes_limit, read_bytes, values_limit
from tfflow.models.importing.strided import MOST_AXES, strided

ELEMENTS = {
    "Byte": "<u1", "Char": "<i1", "Short": "<i2", "Int": "<i4", "Long": "<i8", "Half": "<f2", "Float": "<f4",
    "Double": "<f8", "Cuda": "<f4", "CudaByte": "<u1", "CudaChar": "<i1", "CudaShort": "<i2", "CudaInt": "<i4",
    "CudaLong": "<i8", "CudaHalf": "<f2", "CudaDouble": "<f8",
}  # fmt: skip
"""Type of the numbers of "torch.<key>Storage" and "torch.<key>Tensor"."""
MODULES = ("nn.", "cudnn.", "cunn.")
"""Prefixes of classes whose contents are one table, the fields of the object."""
FUNCTIONS = (6, 7, 8)
"""Tags of functions. They hold bytecode and are refused."""


@dataclass(eq=False)
class Module:
    """An object of nn: the name of its class and its fields."""

    kind: str
    fields: dict = field(default_factory=dict)


def read_t7(path: str | os.PathLike) -> Any:
    """The value in a .t7 file: float, str, bool, None, dict, array or Module.

    Raises InputError if the file is damaged or no binary .t7, or if it holds functions or other classes than tensors
    and modules of nn.
    """
    data = read_bytes(path)
    try:
        return _Reader(data, repr(str(path))).value()
    except InputError:
        raise
    except (ValueError, TypeError, struct.error) as error:
        raise InputError(f"{str(path)!r} is not a whole .t7 file of Lua Torch in binary mode: {error}") from None


class _Reader:
    def __init__(self, data: bytes, where: str):
        self.data, self.where = data, where
        self.at = 0
        self.seen: dict[int, Any] = {}
        self.depth = 0
        self.values, self.bytes = values_limit(), bytes_limit(len(data))

    def value(self) -> Any:
        self.values.add()
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise ValueError(f"its values are nested deeper than {MOST_DEPTH}")
        value = self.tagged()
        self.depth -= 1
        return value

    def tagged(self) -> Any:
        tag = self.whole()
        if tag == 0:
            return None
        if tag == 1:
            return self.unpack("<d")
        if tag == 2:
            return self.text()
        if tag == 5:
            return self.whole() == 1
        if tag in FUNCTIONS:
            raise InputError(f"{self.where} holds a Lua function; only tensors and plain tables are read from it")
        if tag not in (3, 4):
            raise ValueError(f"unknown tag {tag} at byte {self.at - 4}")
        index = self.whole()
        if index in self.seen:
            return self.seen[index]
        return self.table(index, {}) if tag == 3 else self.object(index)

    def table(self, index: int, into: dict) -> dict:
        self.seen[index] = into  # before its contents, because they may refer to it
        for _ in range(self.count(8)):
            key = self.value()
            into[key] = self.value()
        return into

    def object(self, index: int) -> Any:
        version = self.text()
        kind = self.text() if version.startswith("V ") else version  # early files have no version, only the class
        prefix, _, name = kind.partition(".")
        for family, read in (("Tensor", self.tensor), ("Storage", self.storage)):
            if prefix == "torch" and name.endswith(family) and name[: -len(family)] in ELEMENTS:
                self.seen[index] = read(np.dtype(ELEMENTS[name[: -len(family)]]))
                return self.seen[index]
        if not kind.startswith(MODULES):
            raise InputError(f"{self.where} asks for {kind!r}; only tensors and modules of nn are read from it")
        module = self.seen[index] = Module(kind)
        if kind == "nn.DataParallelTable" and version not in (kind, "V 1"):
            self.value()  # the assignment to GPUs
        fields = self.value()
        if not isinstance(fields, dict):
            raise ValueError(f"the fields of {kind} are no table")
        module.fields = fields
        return module

    def tensor(self, kind: np.dtype) -> np.ndarray:
        n = self.count(16)
        if n > MOST_AXES:
            raise ValueError(f"a tensor of {n} axes")
        size, stride = self.longs(n), self.longs(n)
        (offset,) = self.longs(1)
        storage = self.value()
        if n == 0 or storage is None:
            return np.zeros(0, kind)
        if not isinstance(storage, np.ndarray) or storage.ndim != 1 or storage.dtype != kind:
            raise ValueError("a tensor without a storage of its type")
        return strided(storage, offset - 1, size, stride, self.bytes)  # counted from 1

    def storage(self, kind: np.dtype) -> np.ndarray:
        (n,) = self.longs(1)
        if n < 0:
            raise ValueError(f"a storage of {n} numbers")
        return np.frombuffer(self.read_bytes(n * kind.itemsize), kind)

    def text(self) -> str:
        return self.read_bytes(self.whole()).decode("utf-8", "surrogateescape")

    def longs(self, n: int) -> list[int]:
        return list(struct.unpack(f"<{n}q", self.read_bytes(8 * n)))

    def count(self, smallest: int) -> int:
        """The number of values that follow, each of at least `smallest` bytes."""
        n = self.whole()
        if n < 0 or n * smallest > len(self.data) - self.at:
            raise ValueError(f"{n} values at byte {self.at - 4}, which has {len(self.data) - self.at} bytes after it")
        return n

    def whole(self) -> int:
        return self.unpack("<i")

    def unpack(self, form: str) -> Any:
        return struct.unpack(form, self.read_bytes(struct.calcsize(form)))[0]

    def read_bytes(self, n: int) -> bytes:
        if n < 0 or n > len(self.data) - self.at:
            raise ValueError(f"it ends at byte {len(self.data)}, in the middle of a value")
        self.at += n
        return self.data[self.at - n : self.at]
