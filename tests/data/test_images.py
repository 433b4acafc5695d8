"""Images: any format, depth and channel count arrives as float32 RGB; a damaged file is refused by name, quietly."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.data.trees import mutated, picture, put_image
from tfflow.data.images import image_size, read_image, read_mask, write_image
from tfflow.errors import InputError

SMOOTH = np.stack(np.broadcast_arrays(*np.ix_(range(0, 240, 10), range(40, 200, 5)), np.uint8(90)), 2).astype(np.uint8)


@pytest.mark.parametrize(
    ("suffix", "bits"), [(".png", 8), (".png", 16), (".ppm", 8), (".ppm", 16), (".tif", 8), (".tif", 16), (".bmp", 8)]
)
def test_lossless_formats_give_the_pixels_over_the_white_value(tmp_path, suffix, bits):
    rgb = np.random.default_rng(0).integers(0, 2**bits, (5, 7, 3)).astype(f"uint{bits}")
    path = put_image(tmp_path / f"a{suffix}", rgb)
    image = read_image(path)
    assert image.dtype == np.float32 and image_size(path) == (5, 7)
    np.testing.assert_allclose(image, rgb / (2**bits - 1), atol=1e-7)


@pytest.mark.parametrize(("suffix", "tolerance"), [(".jpg", 0.04), (".webp", 0.04)])
def test_lossy_formats_are_close_and_in_rgb_order(tmp_path, suffix, tolerance):
    path = put_image(tmp_path / f"a{suffix}", SMOOTH)
    assert np.abs(read_image(path) - SMOOTH / 255).max() < tolerance
    assert image_size(path) == SMOOTH.shape[:2]


@pytest.mark.parametrize("suffix", [".png", ".pgm", ".tif", ".jpg"])
def test_grey_is_repeated_to_three_channels(tmp_path, suffix):
    grey = SMOOTH[:, :, 0]
    image = read_image(put_image(tmp_path / f"a{suffix}", grey))
    assert np.abs(image - grey[:, :, None] / 255).max() < 0.02


@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_is_dropped(tmp_path, bits):
    bgra = np.random.default_rng(0).integers(0, 2**bits, (5, 7, 4)).astype(f"uint{bits}")
    cv2.imwrite(str(tmp_path / "a.png"), bgra)
    np.testing.assert_allclose(read_image(tmp_path / "a.png"), bgra[:, :, 2::-1] / (2**bits - 1), atol=1e-7)


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [*((suffix, mode) for suffix in (".png", ".webp", ".tif") for mode in ("P", "LA", "1", "RGBA")), (".bmp", "1")],
)
def test_other_modes_look_as_pillow_shows_them(tmp_path, mode, suffix):
    options = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(SMOOTH).convert(mode).save(tmp_path / f"a{suffix}", **options)
    expected = np.asarray(Image.open(tmp_path / f"a{suffix}").convert("RGB")) / 255
    np.testing.assert_allclose(read_image(tmp_path / f"a{suffix}"), expected, atol=1e-6)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".png", ".tif"])
@pytest.mark.parametrize("mark", range(1, 9))
def test_a_cameras_rotation_mark_is_obeyed_in_every_format(tmp_path, suffix, mark):
    """By the definition of EXIF: where the 0th row and column of what is stored belong."""
    row, column = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "lt", 6: "rt", 7: "rb", 8: "lb"}[mark]
    exif = Image.Exif()
    exif[0x0112] = mark
    options = {".jpg": {"quality": 95, "subsampling": 0}, ".webp": {"lossless": True}}.get(suffix, {})
    Image.fromarray(SMOOTH).save(tmp_path / f"a{suffix}", exif=exif, **options)
    shown = SMOOTH if row in "tb" else SMOOTH.transpose(1, 0, 2)
    shown = shown[::-1] if "b" in (row, column) else shown
    shown = shown[:, ::-1] if "r" in (row, column) else shown
    assert image_size(tmp_path / f"a{suffix}") == shown.shape[:2]
    assert np.abs(read_image(tmp_path / f"a{suffix}") - shown / 255).max() < 0.03


def test_a_mark_of_rotation_after_the_pixels_is_obeyed_and_a_broken_one_is_not(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    good = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    data = _coded(".png", SMOOTH[:, :, ::-1])
    for payload, turns in ((good, 1), (b"eXIfII*\0\xff\xff\xff\xff", 0), (b"eXIf", 0)):
        chunk = struct.pack(">I", len(payload) - 4) + payload + struct.pack(">I", zlib.crc32(payload))
        (tmp_path / "a.png").write_bytes(data[:-12] + chunk + data[-12:])
        np.testing.assert_allclose(read_image(tmp_path / "a.png"), np.rot90(SMOOTH, turns) / 255, atol=1e-6)
        assert image_size(tmp_path / "a.png") == np.rot90(SMOOTH, turns).shape[:2]


@pytest.mark.parametrize(
    "text",
    [
        b"P3\n# by hand\n2 1 # w h\n7\n0 1 2\n3 4 7\n",
        b"P6 2 1 7\n\0\1\2\3\4\7",
        b"P6 #x\n2 1\n#y\n#z\n7\n\0\1\2\3\4\7\n",
    ],
)
def test_ppm_as_text_or_bytes_with_comments_and_any_maximum(tmp_path, text):
    (tmp_path / "a.ppm").write_bytes(text)
    np.testing.assert_allclose(read_image(tmp_path / "a.ppm"), np.array([[[0, 1, 2], [3, 4, 7]]]) / 7, rtol=1e-6)


def test_the_content_tells_the_format_not_the_suffix(tmp_path):
    put_image(tmp_path / "a.png", picture(1)).rename(tmp_path / "a.jpg")
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg"), picture(1) / 255, atol=1e-7)


def test_mask_is_one_where_white(tmp_path):
    mask = np.array([[0, 255, 0], [255, 255, 0]], np.uint8)
    read = read_mask(put_image(tmp_path / "a.png", mask))
    assert read.shape == (2, 3, 1) and read.dtype == np.float32
    np.testing.assert_array_equal(read[:, :, 0], mask / 255)


def _coded(suffix: str, rgb: np.ndarray = SMOOTH) -> bytes:
    return cv2.imencode(suffix, rgb)[1].tobytes()


def _progressive() -> bytes:
    out = io.BytesIO()
    Image.fromarray(SMOOTH).save(out, "JPEG", progressive=True)
    return out.getvalue()


@pytest.mark.parametrize("suffix", [".png", ".jpg", "progressive.jpg", ".ppm", ".webp", ".bmp", ".tif"])
def test_a_truncated_file_is_refused_wherever_it_is_cut(tmp_path, suffix, capfd):
    data = _progressive() if suffix == "progressive.jpg" else _coded(suffix)
    path = tmp_path / f"a{suffix}"
    for length in {*range(0, len(data), max(len(data) // 60, 1)), len(data) - 1, len(data) - 2, len(data) - 9}:
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"'.*a.*' cannot be used: .*(truncated|damaged|empty|first bytes)"):
            read_image(path)
    assert capfd.readouterr() == ("", "")


def test_a_png_with_one_wrong_byte_is_refused_quietly(tmp_path, capfd):
    data = bytearray(_coded(".png"))
    data[len(data) // 2] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.png' cannot be used: damaged PNG: the checksum of a chunk at byte 33 is"):
        read_image(tmp_path / "a.png")
    assert capfd.readouterr() == ("", "")


def _png(header: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, content in ((b"IHDR", header), *chunks, (b"IEND", b"")):
        parts += [struct.pack(">I", len(content)), name, content, struct.pack(">I", zlib.crc32(name + content))]
    return b"".join(parts)


def _header(bits: int, colour: int, *rest: int, width: int = 4, height: int = 2) -> bytes:
    return struct.pack(">II", width, height) + bytes([bits, colour, *(rest or (0, 0, 0))])


ROWS = zlib.compress(bytes(2 * 5))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (_png(_header(8, 0), (b"IDAT", b"\x78\x9c" + bytes(9))), "its compressed data are wrong"),
        (_png(_header(8, 0), (b"IDAT", ROWS[:-4] + bytes(4))), "its compressed data are wrong"),
        (_png(_header(8, 0), (b"IDAT", zlib.compress(bytes(9)))), "1 bytes of its pixels are missing"),
        (
            _png(_header(8, 0), (b"IDAT", zlib.compress(bytes([0, 1, 2, 3, 4, 5, 1, 2, 3, 4])))),
            "a row has a filter",
        ),
        (
            _png(_header(8, 0, 0, 0, 1), (b"IDAT", zlib.compress(bytes([0, 1, 9] + [0] * 9)))),
            "a filter",
        ),
        (_png(_header(8, 3), (b"IDAT", ROWS)), "it has no palette"),
        (_png(_header(8, 3), (b"PLTE", bytes(4)), (b"IDAT", ROWS)), "it has no palette"),
        (
            _png(_header(8, 3), (b"PLTE", bytes(3)), (b"IDAT", zlib.compress(bytes([0, 0, 0, 0, 1] * 2)))),
            "a colour above",
        ),
        (_png(_header(3, 0), (b"IDAT", ROWS)), "its header claims 3 bits of colour type 0"),
        (_png(_header(4, 2), (b"IDAT", ROWS)), "its header claims 4 bits of colour type 2"),
        (_png(_header(8, 0, 0, 0, 2), (b"IDAT", ROWS)), "its header claims"),
        (_png(_header(8, 0)), "0 bytes cannot hold|pixels are missing|compressed"),
    ],
)
def test_a_png_that_is_wrong_behind_right_checksums_is_refused_quietly(tmp_path, data, text, capfd):
    """libpng prints its own lines for each of these."""
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match=f"damaged PNG: .*({text})"):
        read_image(tmp_path / "a.png")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("interlaced", [0, 1])
def test_palettes_of_every_depth_are_the_colours_that_they_name(tmp_path, bits, interlaced, capfd):
    palette = np.random.default_rng(0).integers(0, 256, (2**bits, 3), dtype=np.uint8)
    indices = np.random.default_rng(1).integers(0, 2**bits, (9, 13)).astype(np.uint8)
    raw = b""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    for x, y, dx, dy in passes if interlaced else [(0, 0, 1, 1)]:
        for row in indices[y::dy, x::dx]:
            text = "".join(f"{value:0{bits}b}" for value in row)
            raw += b"\0" + int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")
    header = _header(bits, 3, 0, 0, interlaced, width=13, height=9)
    chunks = ((b"PLTE", palette.tobytes()), (b"tRNS", b"\0"), (b"IDAT", zlib.compress(raw)))
    (tmp_path / "a.png").write_bytes(_png(header, *chunks))
    np.testing.assert_allclose(read_image(tmp_path / "a.png"), palette[indices] / 255, atol=1e-6)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tif", ".jpg"])
def test_a_small_file_of_a_huge_image_is_refused_by_its_header(tmp_path, suffix):
    """6000 x 6000 pixels of one colour, above the limit of 8K frames; decoded they would take 430 MB."""
    path = tmp_path / f"a{suffix}"
    Image.new("1" if suffix in (".png", ".tif", ".bmp") else "L", (6000, 6000)).save(path)
    tracemalloc.start()
    for read in (image_size, read_image):
        with pytest.raises(InputError, match=r"claims 6000 x 6000 pixels \(limit: 1 to 33,554,432 in all; shrink it\)"):
            read(path)
    assert tracemalloc.get_traced_memory()[1] < 3 * path.stat().st_size + 2**20
    tracemalloc.stop()


def test_a_rotation_mark_that_claims_gigabytes_takes_none(tmp_path):
    """Of a PNG without checksums: its size is asked for before it is decoded."""
    claimed = struct.pack(">I4s", 2**32 - 1, b"eXIf")
    (tmp_path / "a.png").write_bytes(_coded(".png")[:33] + claimed + b"II*\0")
    tracemalloc.start()
    assert image_size(tmp_path / "a.png") == SMOOTH.shape[:2]
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_jpeg_of_a_thousand_scans_is_refused(tmp_path):
    data = _progressive()
    last = data.rindex(b"\xff\xda")
    (tmp_path / "a.jpg").write_bytes(data[:last] + data[last:-2] * 1000 + data[-2:])
    with pytest.raises(InputError, match=r"its image comes in 1,0\d\d scans \(limit: 100; save it again\)"):
        read_image(tmp_path / "a.jpg")


def test_a_tiff_of_one_huge_tile_is_refused(tmp_path):
    fields = {256: 9, 257: 9, 258: 8, 259: 8, 262: 1, 322: 60_000, 323: 60_000, 324: 8, 325: 9}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields.items())
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<IH", 8, len(fields)) + entries + bytes(4))
    with pytest.raises(InputError, match="its header claims 60000 x 60000 pixels"):
        read_image(tmp_path / "a.tif")


def test_a_pipe_is_no_image_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    for read in (image_size, read_image):
        with pytest.raises(InputError, match=r"cannot read '.*a\.png': it is no regular file; save it as one"):
            read(tmp_path / "a.png")


def test_the_log_of_opencv_stays_as_its_user_set_it(tmp_path):
    log = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging
    before = log.getLogLevel()
    (tmp_path / "a.tif").write_bytes(_coded(".tif")[:-20])
    with pytest.raises(InputError):
        read_image(tmp_path / "a.tif")
    assert log.getLogLevel() == before != 0


def test_harmless_extra_chunks_of_a_png_print_nothing(tmp_path, capfd):
    chunk = b"iCCP" + b"broken profile"
    extra = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = _coded(".png")
    (tmp_path / "a.png").write_bytes(data[:33] + extra + data[33:])
    np.testing.assert_allclose(read_image(tmp_path / "a.png")[:, :, ::-1], SMOOTH / 255, atol=1e-7)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "the file is empty"),
        (b"hello, world", "expected a png, jpg, ppm, pgm, webp, bmp or tif image, its first bytes are of none"),
        (b"P5 0 3 255\n", "its header claims 0 x 3 pixels"),
        (b"P5 100000 100000 255\n", r"its header claims 100000 x 100000 pixels \(limit: 1 to 33,554,432 in all"),
        (b"P5 2 2 0\n", r"its header claims a maximum of 0 \(expected 1 to 65535\)"),
        (b"P5 2 2 255\n123", "truncated .ppm: 1 bytes are missing"),
        (b"P5 2 2 255\n12345", "damaged .ppm: 1 bytes more than 2 x 2 pixels need"),
        (b"P2 2 2 255\n1 2 3", "damaged .ppm: expected 4 numbers, got 3"),
        (b"P2 2 2 255\n1 2 3 x", "damaged .ppm: expected numbers"),
        (b"P2 2 2 255\n1 2 3 256", "damaged .ppm: a value above its maximum 255"),
        (b"P4 8 1\n1", r"expected a .ppm or .pgm header \(P2, P3, P5 or P6, width, height, maximum\)"),
        (b"II*\0\x08" + bytes(5), "damaged TIFF: its directory has no size"),
        (b"II*\0\0\1\0\0", "truncated TIFF: its directory lies past the end"),
    ],
)
def test_what_is_no_image_is_refused_in_words(tmp_path, data, text):
    (tmp_path / "a.img").write_bytes(data)
    with pytest.raises(InputError, match=rf"a\.img' cannot be used: {text}.*; replace or remove it"):
        read_image(tmp_path / "a.img")


@pytest.mark.parametrize(("width", "height"), [(2**31 - 1, 2**31 - 1), (60_000, 60_000), (16_000, 16_000)])
def test_a_png_that_claims_more_than_its_bytes_can_hold_is_refused_unopened(tmp_path, width, height):
    header = b"IHDR" + struct.pack(">II", width, height) + _coded(".png")[24:29]
    data = _coded(".png")
    (tmp_path / "a.png").write_bytes(data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:])
    with pytest.raises(InputError, match=rf"header claims {width} x|bytes cannot hold {width} x"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".png", ".ppm", ".bmp", ".tif", ".jpg", ".webp"])
def test_images_are_written_in_rgb_order_and_read_back(tmp_path, suffix):
    write_image(tmp_path / "new" / f"a{suffix}", SMOOTH / np.float32(255))
    assert np.abs(read_image(tmp_path / "new" / f"a{suffix}") - SMOOTH / 255).max() < 0.05
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_float_images_are_clipped_and_rounded_and_16_bits_stay(tmp_path):
    write_image(tmp_path / "a.png", np.array([[[-1.0, 0.5, 2.0], [np.nan, 0.0019, 0.0020]]]))
    np.testing.assert_array_equal(np.rint(read_image(tmp_path / "a.png") * 255), [[[0, 128, 255], [0, 0, 1]]])
    deep = np.array([[1, 2], [300, 65535]], np.uint16)
    write_image(tmp_path / "b.png", deep)
    np.testing.assert_allclose(read_image(tmp_path / "b.png")[:, :, 1] * 65535, deep, atol=1e-2)


@pytest.mark.parametrize(
    ("name", "image", "text"),
    [
        ("a.png", np.zeros((2, 3, 2)), r"must be \[h, w, 3\] or \[h, w\], got \(2, 3, 2\)"),
        ("a.png", np.zeros((2, 3, 3), np.int64), "must be float, uint8 or uint16, got int64"),
        ("a.gif", np.zeros((2, 3, 3)), r"cannot write '.*a\.gif': expected a suffix of \.png, \.jpg"),
        ("a.jpg", np.zeros((2, 3, 3), np.uint16), r"cannot write 16 bits to '.*a\.jpg': choose \.png"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, name, image, text):
    with pytest.raises(InputError, match=text):
        write_image(tmp_path / name, image)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".jpg", "progressive.jpg", ".ppm", ".webp", ".bmp", ".tif"])
def test_1000_damaged_images_are_read_or_refused(tmp_path, suffix, capfd):
    data = _progressive() if suffix == "progressive.jpg" else _coded(suffix, SMOOTH)
    outcomes = [_outcome(tmp_path / f"a{suffix}", damaged) for damaged in mutated(data, 1000)]
    assert outcomes.count("refused") > 200  # the damage is real
    assert capfd.readouterr() == ("", "")


def _outcome(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    for read in (image_size, read_mask, read_image):
        try:
            image = read(path)
        except InputError as error:
            assert str(path) in str(error) and "\n" not in str(error)
            return "refused"
    assert image.dtype == np.float32 and image.shape[2] == 3 and 0 <= image.min() <= image.max() <= 1
    return "read"
