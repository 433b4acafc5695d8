"""Lua Torch's .t7 files, written by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np


class T7:
    """Values one after the other; objects are numbered as they come."""

    def __init__(self) -> None:
        self.objects = 0
        self.written: dict[int, int] = {}

    def value(self, v) -> bytes:
        if v is None:
            return struct.pack("<i", 0)
        if isinstance(v, bool):
            return struct.pack("<ii", 5, v)
        if isinstance(v, int | float):
            return struct.pack("<id", 1, v)
        if isinstance(v, str):
            return struct.pack("<i", 2) + self.text(v)
        if isinstance(v, dict):
            return struct.pack("<i", 3) + self.index() + self.contents(v)
        return v(self)

    def contents(self, table: dict) -> bytes:
        return struct.pack("<i", len(table)) + b"".join(self.value(k) + self.value(x) for k, x in table.items())

    def index(self) -> bytes:
        self.objects += 1
        return struct.pack("<i", self.objects)

    def text(self, v: str) -> bytes:
        return struct.pack("<i", len(v.encode())) + v.encode()

    def object(self, kind: str, version: str = "V 1") -> bytes:
        return struct.pack("<i", 4) + self.index() + self.text(version) + self.text(kind)

    def storage(self, flat: np.ndarray) -> bytes:
        """The numbers the first time, their index after that."""
        if id(flat) in self.written:
            return struct.pack("<ii", 4, self.written[id(flat)])
        head = self.object("torch.CudaStorage")
        self.written[id(flat)] = self.objects
        return head + struct.pack("<q", flat.size) + flat.astype("<f4").tobytes()


def module(kind: str, before: dict | None = None, version: str = "V 1", **fields):
    """An nn module. before: a table in front of its fields."""
    return lambda f: f.object(kind, version) + (b"" if before is None else f.value(before)) + f.value(fields)


def tensor(flat: np.ndarray, offset: int, shape: tuple[int, ...]):
    """A view of `flat`, counted from 0."""
    strides = [int(np.prod(shape[i + 1 :])) for i in range(len(shape))]

    def write(f: T7) -> bytes:
        numbers = struct.pack(f"<i{2 * len(shape)}q", len(shape), *shape, *strides) + struct.pack("<q", offset + 1)
        return f.object("torch.CudaTensor") + numbers + f.storage(flat)

    return write


def spynet_level(convolutions: list[tuple[np.ndarray, np.ndarray]], parallel: bool = False):
    """volcon.lua's network: all weights are views of one storage, as are their gradients."""
    flat = np.concatenate([x.ravel() for pair in convolutions for x in pair]).astype(np.float32)
    gradients = np.zeros_like(flat)
    modules, offset = {}, 0
    for i, (weight, bias) in enumerate(convolutions):
        fields = {"nInputPlane": weight.shape[1], "kW": 7, "dW": 1, "padW": 3, "gradInput": None, "train": False}
        for x, names in ((weight, ("weight", "gradWeight")), (bias, ("bias", "gradBias"))):
            fields |= {
                names[0]: tensor(flat, offset, x.shape),
                names[1]: tensor(gradients, offset, x.shape),
            }
            offset += x.size
        modules[2 * i + 1] = module("cudnn.SpatialConvolution", **fields)
        if i < len(convolutions) - 1:
            modules[2 * i + 2] = module("nn.ReLU", inplace=False, threshold=0, val=0)
    network = module("nn.Sequential", modules=modules, train=False)
    if parallel:
        gpus = {1: 1, 2: 2}
        return module("nn.DataParallelTable", before=gpus, version="V 3", modules={1: network}, dimension=1)
    return network


def write_t7(path: Path, value) -> None:
    path.write_bytes(T7().value(value))
