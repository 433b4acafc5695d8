"""What an image file says of itself, read before any decoder sees it: format, size, and whether it is all there.

Decoders fill the missing end of a cut file with grey and go on, or print on stderr; a data set needs a refusal instead.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import NamedTuple

MAX_PIXELS = 2**28  # 16,384 x 16,384: larger headers are damage, not images

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}  # others only make decoders print warnings
_PNM = re.compile(rb"P([2356])(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})"
                  rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,5})(?:#[^\r\n]*)?\s")  # fmt: skip


class Damaged(Exception):
    """Why a file's bytes are not the image that they claim to be; readers add the name of the file."""


class Pnm(NamedTuple):
    """The header of a .ppm or .pgm file; its samples begin at `start`."""

    text: bool
    channels: int
    width: int
    height: int
    maximum: int
    start: int


def image_format(data: bytes) -> str:
    """The format by the first bytes, whatever the suffix says: "png", "jpeg", "pnm", "webp", "bmp" or "tiff"."""
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
    """Refuses sizes that no frame has, before anything of that size is allocated."""
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise Damaged(f"its header claims {width} x {height} pixels (expected 1 to {MAX_PIXELS:,} in all)")


def png_size(data: bytes) -> tuple[int, int]:
    """(height, width) from the first 26 bytes of a PNG."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise Damaged("truncated PNG: no header")
    width, height = struct.unpack(">II", data[16:24])
    check_size(width, height)
    return height, width


def whole_png(data: bytes) -> bytes:
    """The chunks that hold pixels, once checksums, end mark and least length are checked."""
    height, width = png_size(data)
    kept, position, coded = [PNG_MAGIC], 8, 0
    while True:
        if position + 12 > len(data):
            raise Damaged("truncated PNG: no end mark")
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise Damaged(f"truncated PNG: {end - len(data):,} bytes are missing from a chunk")
        if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise Damaged(f"damaged PNG: the checksum of a chunk at byte {position:,} is wrong")
        if name in _PNG_KEPT:
            kept.append(data[position:end])
            coded += length if name == b"IDAT" else 0
        position = end
        if name == b"IEND":
            break
    bits = data[24] * _PNG_CHANNELS.get(data[25], 1)
    if height * ((width * bits + 7) // 8) > 1032 * coded + 1032:  # deflate shrinks 1032 times at most
        raise Damaged(f"damaged PNG: {coded:,} bytes cannot hold {width} x {height} pixels")
    return b"".join(kept)


def pnm_header(data: bytes) -> Pnm:
    """The header of a .ppm or .pgm, with comments anywhere between its numbers."""
    match = _PNM.match(data)
    if not match:
        raise Damaged("expected a .ppm or .pgm header (P2, P3, P5 or P6, width, height, maximum)")
    kind, width, height, maximum = (int(text) for text in match.groups())
    check_size(width, height)
    if not 1 <= maximum <= 65535:
        raise Damaged(f"its header claims a maximum of {maximum} (expected 1 to 65535)")
    return Pnm(kind < 4, 3 if kind in (3, 6) else 1, width, height, maximum, match.end())


def tiff_size(data: bytes) -> tuple[int, int]:
    """(height, width) from the first directory of a TIFF."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        (directory,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, directory)
        sizes = {}
        for entry in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(order + "HH", data, entry)
            if tag in (256, 257):
                (sizes[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, entry + 8)
    except struct.error:
        raise Damaged("truncated TIFF: its directory lies past the end") from None
    if len(sizes) < 2:
        raise Damaged("damaged TIFF: its directory has no size")
    check_size(sizes[256], sizes[257])
    return sizes[257], sizes[256]
