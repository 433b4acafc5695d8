"""Small files that ask for much: what `tests/fuzz.py bombs` reads under its limits."""

from __future__ import annotations

import io
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from tests.fuzz_readers import READERS

Bomb = tuple[str, Callable[[], bytes]]
"""The reader of `tests/fuzz_readers.py` that is to take it, and the file."""

MANY = 200_000


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, depth: int, colour: int, row: int, *before: bytes) -> bytes:
    """A black picture of rows of so many bytes. before: chunks in front of it."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(bytes(row + 1)) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _exif_circle() -> bytes:
    """Its directory is the next directory of itself, and has 65,535 entries of 4 GB each."""
    entries = struct.pack("<HHII", 0x8769, 4, 2**32 - 1, 8) * 1000
    return b"II*\0" + struct.pack("<IH", 8, 65_535) + entries + struct.pack("<I", 8)


def _tiff(*fields: tuple[int, int, int, int], data: bytes = b"", following: int = 0) -> bytes:
    entries = b"".join(struct.pack("<HHII", *field) for field in sorted(fields))
    return b"II*\0" + struct.pack("<IH", 8, len(fields)) + entries + struct.pack("<I", following) + data


def _deflated_tiff() -> bytes:
    """5,000 x 5,000 pixels of 64 samples, of which a few bytes are there."""
    data = zlib.compress(bytes(2**24), 9)
    fields = {256: 5000, 257: 5000, 258: 8, 259: 8, 262: 1, 273: 8 + 2 + 12 * 9 + 4, 277: 64, 278: 5000, 279: len(data)}
    return _tiff(*((tag, 4, 1, value) for tag, value in fields.items()), data=data)


def _npy(shape: str, data: bytes = b"", kind: str = "<f4") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\2\0" + struct.pack("<I", len(text)) + text + data


def _zip(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def _pickle(program: bytes) -> Callable[[], bytes]:
    """A file of PyTorch with this pickle, and a storage of four floats."""
    return lambda: _zip(**{"archive__data.pkl": b"\x80\x04" + program, "archive__data__0": bytes(16)})


def _many_members() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        for number in range(20_000):
            archive.writestr(f"archive/data/{number}", b"")
    return out.getvalue()


def _flo5(shape: tuple[int, ...], chunks: tuple[int, ...], filled: bool) -> bytes:
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        made = file.create_dataset("flow", shape, "f8", chunks=chunks, compression="gzip", compression_opts=9)
        if filled:
            made[: chunks[0], : chunks[1]] = 0
    return out.getvalue()


def _safetensors(header: dict | bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(64)


def _huge_film() -> bytes:
    """Frames of 64 x 48 pixels, whose headers are changed to 16,000 x 16,000."""
    whole = READERS["video-mjpeg"][1]
    with tempfile.TemporaryDirectory() as folder:
        data = whole(Path(folder))
    return data.replace(struct.pack("<II", 64, 48), struct.pack("<II", 16_000, 16_000)).replace(
        struct.pack(">HH", 48, 64), struct.pack(">HH", 16_000, 16_000)
    )


def _named(other: str) -> bytes:
    return f"ffconcat version 1.0\nfile {other}\n".encode() + f"file {other}\n".encode() * 1000


_TEXT = b"X" + struct.pack("<I", 60_000) + b"a" * 60_000
_jpg = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes

BOMBS: dict[str, Bomb] = {
    "png as large as is allowed, 16 bit with alpha": ("png", lambda: _png(5790, 5790, 16, 6, 8 * 5790)),
    "png as large as is allowed, one bit": ("png", lambda: _png(5790, 5790, 1, 0, 724)),
    "png with a gigabyte of text": (
        "png",
        lambda: _png(8, 8, 8, 2, 24, *[_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**26), 9))] * 16),
    ),
    "png with a profile of a gigabyte": (
        "png",
        lambda: _png(8, 8, 8, 2, 24, _chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**28), 9))),
    ),
    "png of 200,000 chunks": ("png", lambda: _png(8, 8, 8, 2, 24, _chunk(b"tEXt", b"a\0b") * MANY)),
    "png whose rotation mark is a circle": ("png", lambda: _png(8, 8, 8, 2, 24, _chunk(b"eXIf", _exif_circle()))),
    "jpg whose rotation mark is a circle": (
        "jpg",
        lambda: (
            _jpg()[:2]
            + b"\xff\xe1"
            + struct.pack(">H", 8 + 14_000)
            + b"Exif\0\0"
            + _exif_circle().ljust(14_000, b"\0")[:14_000]
            + _jpg()[2:]
        ),
    ),
    "jpg of 65,000 x 65,000 pixels": (
        "jpg",
        lambda: _jpg().replace(struct.pack(">HH", 8, 8), struct.pack(">HH", 65_000, 65_000), 1),
    ),
    "tif of directories in a circle": ("tif", lambda: _tiff((256, 4, 1, 8), (257, 4, 1, 8), following=8)),
    "tif of 64 samples a pixel": ("tif", _deflated_tiff),
    "ppm of one long number": ("ppm", lambda: b"P3 1 1 255 " + b"9" * 2_000_000 + b" 1 1"),
    "ppm of one long remark": ("ppm", lambda: b"P6 #" + b"a" * 4_000_000),
    "ppm of numbers that are not there": ("ppm", lambda: b"P2 5790 5790 255 " + b"0 " * 1000),
    "pfm of many digits": ("pfm", lambda: b"PF\n" + b"9" * 2_000_000 + b" 9\n-1\n"),
    "npy of a shape of 10,000 axes": ("npy", lambda: _npy(str((1,) * 10_000))),
    "npy of a nested shape": ("npy", lambda: _npy("(" * 5000 + ")" * 5000)),
    "npy of a size of 4,000 digits": ("npy", lambda: _npy(f"({'9' * 4000}, 5, 2)")),
    "npy of negative sizes": ("npy", lambda: _npy("(-4, -5, 2)", bytes(160))),
    "npy of a type of many fields": ("npy", lambda: _npy("(1, 1, 2)", kind="f4," * 20_000)),
    "npz of zeros beyond its header": ("npz", lambda: _zip(**{"flow.npy": _npy("(4, 5, 2)", bytes(2**28))})),
    "npz of what its header allows": (
        "npz",
        lambda: _zip(**{"flow.npy": _npy("(5790, 5790, 2)", bytes(8 * 5790**2))}),
    ),
    "flo5 of chunks of gigabytes": ("flo5", lambda: _flo5((9000, 9000, 2), (9000, 9000, 2), False)),
    "flo5 of nothing but its size": ("flo5", lambda: _flo5((5700, 5800, 2), (100, 100, 2), False)),
    "flo5 of a chunk of zeros": ("flo5", lambda: _flo5((5000, 5000, 2), (5000, 5000, 2), True)),
    "pairs in one line of 4 MB": ("pairs", lambda: b"a" * 4_000_000),
    "pairs of a million quotes": ("pairs", lambda: b"'" * 1_000_000),
    "film of 16,000 x 16,000 pixels": ("video-mjpeg", _huge_film),
    "film that names other files": ("video-h264", lambda: _named("/dev/zero")),
    "torch of a list that holds itself": ("torch", _pickle(b"]q\0h\0a.")),
    "torch of a text repeated": ("torch", _pickle(b"](" + _TEXT + b"q\0" + b"h\0" * MANY + b"e.")),
    "torch of a text that is promised": ("torch", _pickle(b"\x8d" + struct.pack("<Q", 2**62) + b"a.")),
    "torch of dictionaries in dictionaries": (
        "torch",
        _pickle(b"}K\x01" * MANY + b"}" + b"s" * MANY + b"."),
    ),
    "torch of a negative length": ("torch", _pickle(b"\x8b" + struct.pack("<i", -1) + b".")),
    "torch of a memo that is far": ("torch", _pickle(b"Nr" + struct.pack("<I", 2**32 - 1) + b".")),
    "torch of 20,000 empty storages": ("torch", _many_members),
    "torch of a pickle of zeros": ("torch", lambda: _zip(**{"archive__data.pkl": bytes(2**26)})),
    "t7 of a text of two gigabytes": ("t7", lambda: struct.pack("<ii", 2, 2**31 - 1)),
    "t7 of a storage of 2**60 numbers": (
        "t7",
        lambda: (
            struct.pack("<iii", 4, 1, 3)
            + b"V 1"
            + struct.pack("<i", 18)
            + b"torch.FloatStorage"
            + struct.pack("<q", 2**60)
        ),
    ),
    "safetensors of nested JSON": ("safetensors", lambda: _safetensors(b"[" * 1_000_000)),
    "safetensors of tensors in one place": (
        "safetensors",
        lambda: _safetensors(
            {f"w{k}": {"dtype": "F32", "shape": [16], "data_offsets": [0, 64]} for k in range(20_000)}
        ),
    ),
    "safetensors of 2**60 numbers": (
        "safetensors",
        lambda: _safetensors({"w": {"dtype": "F32", "shape": [2**30, 2**30], "data_offsets": [0, 64]}}),
    ),
    "run of nested JSON": ("run", lambda: b'{"steps": ' * MANY + b"1" + b"}" * MANY),
    "run of a number of a million digits": ("run", lambda: b'{"steps": ' + b"9" * 1_000_000 + b"}"),
    "run of a million keys": ("run", lambda: json.dumps(dict.fromkeys(map(str, range(MANY * 2)))).encode()),
    "history of one line of brackets": ("history", lambda: b"[" * 3_000_000 + b"\n"),
    "history of a million lines": ("history", lambda: b'{"step": 1}\n' * 1_000_000),
    "manifest of nested JSON": ("manifest", lambda: b'{"inputs": [' * MANY),
    "scenes of a huge count": ("scenes", lambda: b'{"count": 1e308, "seed": ' + b"9" * 4000 + b"}"),
    "cluster of a million machines": (
        "cluster",
        lambda: json.dumps({"cluster": {"worker": ["a:1"] * MANY}, "task": {"type": "worker", "index": 0}}).encode(),
    ),
}

LARGEST = tuple(name for name in BOMBS if any(word in name for word in ("allow", "nothing but", "chunk of zeros")))
"""Those that are read, with the time and memory of the largest file of their kind."""
