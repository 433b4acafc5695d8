"""Checks of image files before they are decoded: format, size and completeness.

Decoders fill a truncated image with grey or print on stderr. A data set needs an error instead.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

MAX_PIXELS = 2**25
"""Largest image: a frame of 8K video, 400 MB as float32 RGB."""

MAX_SCANS = 100  # of a JPEG; progressive ones have about ten, and each takes as long as a whole image
ORIENTATION = 0x0112  # the tag of EXIF and of TIFF

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_BITS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column and row, and steps in x and y, of each pass of an interlaced PNG."""

_PNM = re.compile(rb"P([2356])(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})"
                  rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,5})(?:#[^\r\n]*)?\s")  # fmt: skip


class Damaged(Exception):
    """Bytes are not a valid image. The text is the reason; readers add the name of the file."""


class Png(NamedTuple):
    """A checked PNG, as OpenCV gets it, and its properties.

    data: a PNG of the pixels alone. palette: RGB of each value, [n, 3] uint8, if values are indices of colours. bits:
    of a value.
    """

    data: bytes
    palette: np.ndarray | None
    bits: int
    exif: bytes


class Pnm(NamedTuple):
    """The header of a .ppm or .pgm file. start: index of the first byte of its samples."""

    text: bool
    channels: int
    width: int
    height: int
    maximum: int
    start: int


def image_format(data: bytes) -> str:
    """The format by the first bytes of a file: "png", "jpeg", "pnm", "webp", "bmp" or "tiff"."""
    if data.startswith(PNG_MAGIC):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3].isspace():
        return "pnm"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:2] == b"BM":
        return "bmp"
    if data[:4] in (b"II*\0", b"MM\0*"):
        return "tiff"
    if not data:
        raise Damaged("the file is empty")
    raise Damaged("expected a png, jpg, ppm, pgm, webp, bmp or tif image, its first bytes are of none")


def check_size(width: int, height: int) -> None:
    """Raises Damaged for a size that is 0 or above the limit, before memory is allocated."""
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise Damaged(f"its header claims {width} x {height} pixels (limit: 1 to {MAX_PIXELS:,} in all; shrink it)")


def png_size(data: bytes) -> tuple[int, int]:
    """(height, width) from the first 26 bytes of a PNG."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise Damaged("truncated PNG: no header")
    width, height = struct.unpack(">II", data[16:24])
    check_size(width, height)
    return height, width


def png_exif(file: BinaryIO) -> bytes:
    """The EXIF data of a PNG; b"" if it has none. Chunks of pixels are skipped."""
    size = file.seek(0, os.SEEK_END)
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"eXIf":
            return file.read(min(length, size))  # a read of the stated length would allocate that much
        if name == b"IEND":
            break
        file.seek(length + 4, 1)
    return b""


def whole_png(data: bytes) -> Png:
    """The pixels of a PNG, after checks of its checksums, end mark, header, compressed data and their length.

    libpng prints faults on stderr, so it only gets files without faults.
    """
    height, width = png_size(data)
    bits, colour, compression, filters, interlaced = data[24:29]
    if bits not in _PNG_BITS.get(colour, ()) or compression or filters or interlaced > 1:
        raise Damaged(f"damaged PNG: its header claims {bits} bits of colour type {colour}, which there is not")
    chunks: dict[bytes, list[bytes]] = {}
    for name, content in _png_chunks(data):
        chunks.setdefault(name, []).append(content)
    coded = b"".join(chunks.get(b"IDAT", []))
    pixel = bits * _PNG_CHANNELS[colour]
    if height * ((width * pixel + 7) // 8) > 1032 * len(coded) + 1032:  # deflate shrinks 1032 times at most
        raise Damaged(f"damaged PNG: {len(coded):,} bytes cannot hold {width} x {height} pixels")
    stored = zlib.compress(_inflated(coded, _png_rows(height, width, pixel, interlaced)), 0)
    palette = None
    if colour == 3:
        entries = chunks.get(b"PLTE", [b""])[0]
        if not entries or len(entries) % 3:
            raise Damaged("damaged PNG: it has no palette")
        palette = np.frombuffer(entries, np.uint8).reshape(-1, 3)
    header = data[16:25] + bytes([0 if colour == 3 else colour]) + data[26:29]
    parts = [PNG_MAGIC]
    for name, content in ((b"IHDR", header), (b"IDAT", stored), (b"IEND", b"")):
        check = zlib.crc32(content, zlib.crc32(name))
        parts += [struct.pack(">I4s", len(content), name), content, struct.pack(">I", check)]
    return Png(b"".join(parts), palette, bits, chunks.get(b"eXIf", [b""])[0])


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position, name = 8, b""
    while name != b"IEND":
        if position + 12 > len(data):
            raise Damaged("truncated PNG: no end mark")
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise Damaged(f"truncated PNG: {end - len(data):,} bytes are missing from a chunk")
        if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise Damaged(f"damaged PNG: the checksum of a chunk at byte {position:,} is wrong")
        yield name, data[position + 8 : end - 4]
        position = end


def _png_rows(height: int, width: int, pixel: int, interlaced: int) -> list[tuple[int, int]]:
    """(number of rows, bytes of a row with its filter byte) for each pass of the image. pixel: bits of a pixel."""
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = [(-(-(height - y) // dy), -(-(width - x) // dx)) for x, y, dx, dy in passes]
    return [(h, 1 + (w * pixel + 7) // 8) for h, w in sizes if h > 0 and w > 0]


def _inflated(coded: bytes, rows: list[tuple[int, int]]) -> bytes:
    """The decompressed rows of a PNG, limited to the size in its header."""
    expected = sum(count * size for count, size in rows)
    inflate = zlib.decompressobj()
    try:
        raw = inflate.decompress(coded, expected)
        if len(raw) == expected and not inflate.eof:
            inflate.decompress(inflate.unconsumed_tail, 1)  # its checksum
    except zlib.error:
        raise Damaged("damaged PNG: its compressed data are wrong") from None
    if len(raw) < expected:
        raise Damaged(f"damaged PNG: {expected - len(raw):,} bytes of its pixels are missing")
    start = 0
    for count, size in rows:
        kinds = np.frombuffer(raw, np.uint8, count * size, start).reshape(count, size)[:, 0]
        if kinds.max() > 4:
            raise Damaged("damaged PNG: a row has a filter that there is not")
        start += count * size
    return raw


def pnm_header(data: bytes) -> Pnm:
    """The header of a .ppm or .pgm. Comments may stand between its numbers."""
    match = _PNM.match(data)
    if not match:
        raise Damaged("expected a .ppm or .pgm header (P2, P3, P5 or P6, width, height, maximum)")
    kind, width, height, maximum = (int(text) for text in match.groups())
    check_size(width, height)
    if not 1 <= maximum <= 65535:
        raise Damaged(f"its header claims a maximum of {maximum} (expected 1 to 65535)")
    return Pnm(kind < 4, 3 if kind in (3, 6) else 1, width, height, maximum, match.end())


def tiff_header(data: bytes) -> tuple[int, int, int, bytes]:
    """(height, width, orientation) from the first directory of a TIFF, and the file with its orientation set to 1."""
    order = "<" if data[:2] == b"II" else ">"
    found: dict[int, int] = {}
    upright = data
    try:
        (directory,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, directory)
        for entry in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(order + "HH", data, entry)
            if tag in (256, 257, ORIENTATION, 322, 323):
                short = kind == 3
                (found[tag],) = struct.unpack_from(order + ("H" if short else "I"), data, entry + 8)
                if tag == ORIENTATION and short:
                    upright = data[: entry + 8] + struct.pack(order + "H", 1) + data[entry + 10 :]
    except struct.error:
        raise Damaged("truncated TIFF: its directory lies past the end") from None
    if not {256, 257} <= found.keys():
        raise Damaged("damaged TIFF: its directory has no size")
    check_size(found[256], found[257])
    check_size(found.get(322, 1), found.get(323, 1))  # a tile is allocated at once
    return found[257], found[256], found.get(ORIENTATION, 1), upright


def jpeg_scans(data: bytes) -> None:
    """Raises Damaged for a JPEG with so many scans that a small file would take minutes."""
    if (scans := data.count(b"\xff\xda")) > MAX_SCANS:
        raise Damaged(f"its image comes in {scans:,} scans (limit: {MAX_SCANS}; save it again)")
