"""Video: frame after frame, or any pair from the cache; what stops in the middle is said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.data import trees
from tfflow.data.decoding import conversion, decode
from tfflow.data.sources import open_source
from tfflow.data.video import cache_folder, read_frames, video_info
from tfflow.errors import InputError
from tfflow.evaluation.prediction import open_inputs

pytestmark = pytest.mark.usefixtures("as_command")


def cut(path, share: float):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def test_frames_come_in_order_as_float_rgb(tmp_path):
    frames = list(read_frames(trees.video(tmp_path / "a.avi")))
    assert len(frames) == 8 and frames[0].shape == (32, 48, 3) and frames[0].dtype == np.float32
    np.testing.assert_allclose([frame[28, 40, 0] * 255 for frame in frames], np.arange(8) * 20, atol=4)


def test_a_colon_in_a_relative_path_names_no_protocol(tmp_path, monkeypatch):
    trees.video(tmp_path / "http:a.avi", 3)
    monkeypatch.chdir(tmp_path)
    assert len(list(read_frames("http:a.avi"))) == 3


def test_channels_are_red_green_blue(tmp_path):
    import cv2

    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"MJPG"), 10, (48, 32))
    writer.write(np.full((32, 48, 3), (0, 100, 250), np.uint8))  # blue, green, red
    writer.release()
    np.testing.assert_allclose(next(read_frames(tmp_path / "a.avi"))[5, 5] * 255, [250, 100, 0], atol=5)


def test_pairs_from_the_cache_are_the_frames_exactly(tmp_path):
    path = trees.video(tmp_path / "a.avi")
    frames = list(read_frames(path))
    source = open_source(f"video:{path}")
    assert len(source) == 7 and source.truth == frozenset() and source.record_name(2) == "frame_000003"
    for i in (5, 0, 6):
        sample = source.sample(i)
        np.testing.assert_array_equal(sample["image1"], frames[i])
        np.testing.assert_array_equal(sample["image2"], frames[i + 1])


def test_a_second_opening_decodes_nothing_and_a_changed_file_is_read_anew(tmp_path, monkeypatch):
    path = trees.video(tmp_path / "a.avi", 5)
    open_source(f"video:{path}")
    folders = set(cache_folder().iterdir())
    with monkeypatch.context() as patch:
        patch.setattr("tfflow.data.video.decode", None)
        assert len(open_source(str(path))) == 4
    trees.video(path, 7)
    os.utime(path, ns=(1, 1))
    assert len(open_source(f"video:{path}")) == 6
    os.utime(path, ns=(1, 2))  # the same length, written at another time
    open_source(f"video:{path}")
    assert len(set(cache_folder().iterdir()) - folders) == 2


def test_an_incomplete_cache_is_made_again(tmp_path):
    path = trees.video(tmp_path / "broken_cache.avi", 5)
    folder = open_source(f"video:{path}").records[0].image1.parent
    (folder / "frame_000002.png").unlink()
    assert len(open_source(f"video:{path}")) == 4 and (folder / "frame_000002.png").exists()
    (folder / "frames.json").write_text("{")
    assert len(open_source(f"video:{path}")) == 4


def test_a_failed_extraction_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("TFFLOW_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError):
        open_source(f"video:{cut(trees.video(tmp_path / 'a.avi'), 0.6)}")
    assert not list((tmp_path / "cache" / "video").iterdir())


def test_a_full_disk_is_said_with_a_way_out(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    path = trees.video(tmp_path / "full.avi")
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    text = (
        r"cannot keep the frames of '.*full\.avi' in '.*video': No space left on device; set TFFLOW_CACHE to a folder"
    )
    with pytest.raises(InputError, match=text):
        open_source(f"video:{path}")


def test_a_video_that_stops_in_the_middle_is_refused_or_used_so_far(tmp_path, capsys):
    path = cut(trees.video(tmp_path / "a.avi", 40), 0.6)
    text = r"a\.avi' stops in the middle: (\d+) frames read, its header says 40; repair it, or .* `on_error='skip'`"
    with pytest.raises(InputError, match=text):
        open_source(f"video:{path}")
    with pytest.raises(InputError, match=text):
        list(read_frames(path))
    assert capsys.readouterr().err == ""
    for _ in range(2):  # decoded, then from the cache
        source = open_source(f"video:{path}", on_error="skip")
        assert 10 < len(source) < 20 and source.sample(0)["image1"].shape == (32, 48, 3)
        expected = f"a.avi' stops in the middle: {len(source) + 1} frames read, its header says 40"
        assert capsys.readouterr().err == f"tfflow: warning: '{tmp_path}/{expected}\n"
    with pytest.raises(InputError, match=text):
        open_source(f"video:{path}")
    assert len(list(read_frames(path, on_error="skip"))) == len(source) + 1


def test_a_video_of_one_frame_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"one\.avi' holds one frame: expected two or more"):
        open_source(f"video:{trees.video(tmp_path / 'one.avi', 1)}")


@pytest.mark.parametrize("data", [b"", b"hello", bytes(5000)])
def test_what_is_no_video_is_refused_quietly(tmp_path, data, capfd):
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.mp4' cannot be used: it is no video that FFmpeg reads, or it is damaged"):
        open_source(f"video:{tmp_path}/a.mp4")
    assert capfd.readouterr() == ("", "")


def test_an_mp4_without_its_end_is_refused_quietly(tmp_path, capfd):
    path = cut(trees.video(tmp_path / "a.mp4", 10, "mp4v"), 0.7)
    capfd.readouterr()
    with pytest.raises(InputError, match=r"a\.mp4' cannot be used"):
        video_info(path)
    assert capfd.readouterr() == ("", "")


def test_a_folder_is_no_video(tmp_path):
    with pytest.raises(InputError, match=r"cannot read '.*': Is a directory"):
        open_source(f"video:{tmp_path}")


def test_info_is_what_the_header_says(tmp_path):
    assert video_info(trees.video(tmp_path / "a.avi", 9)) == (9, 10.0, 32, 48)


def grey(frame: np.ndarray) -> np.ndarray:
    return frame @ np.float64([0.299, 0.587, 0.114])


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"crf": "8", "x264-params": "interlaced=1"}),
        ("a.m2ts", "libx264", {"crf": "8", "x264-params": "interlaced=1"}),
        ("a.mpg", "mpeg2video", {"flags": "+ildct+ilme", "b": "4M"}),
        ("a.mov", "prores_ks", {"flags": "+ildct", "pixels": "yuv422p10le"}),
        ("a.mp4", "libsvtav1", {"crf": "8"}),
    ],
)
def test_every_codec_gives_the_frames_that_were_coded(tmp_path, name, codec, options, capfd):
    """The first four are interlaced: of such, OpenCV 4.13 and 5.0 hand out memory that nothing was written to."""
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg cannot write {codec}")
    coded = trees.coded_video(tmp_path / name, codec, 12, **options)
    capfd.readouterr()
    with av.open(str(tmp_path / name)) as container:
        assert next(container.decode(video=0)).interlaced_frame == (codec != "libsvtav1")
    numbers, frames = zip(*decode(tmp_path / name), strict=True)
    assert numbers == tuple(range(1, 13)) and capfd.readouterr().err == ""
    assert max(np.abs(grey(a) - grey(b)).mean() for a, b in zip(frames, coded, strict=True)) < 4


def test_frames_cut_off_by_an_edit_list_are_no_damage(tmp_path, capsys):
    trees.coded_video(tmp_path / "whole.mp4", "libx264", 20)
    with av.open(str(tmp_path / "whole.mp4")) as whole, av.open(str(tmp_path / "cut.mp4"), "w") as cut:
        stream = cut.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.dts is not None:
                packet.pts, packet.dts = (time - round(0.5 / packet.time_base) for time in (packet.pts, packet.dts))
                packet.stream = stream
                cut.mux(packet)
    data = (tmp_path / "cut.mp4").read_bytes()
    assert b"elst" in data
    numbers = [number for number, _ in decode(tmp_path / "cut.mp4")]
    assert numbers == list(range(1, 16)) and video_info(tmp_path / "cut.mp4").frames == 15
    assert capsys.readouterr().err == ""


def test_a_turned_video_comes_upright(tmp_path):
    path = tmp_path / "a.mp4"
    trees.coded_video(path, "libx264", 2, crf="8")
    plain = next(read_frames(path))
    one, corner = (1 << 16).to_bytes(4, "big"), (1 << 30).to_bytes(4, "big")
    identity = one + bytes(12) + one + bytes(12) + corner
    turned = bytes(4) + one + bytes(4) + (-(1 << 16)).to_bytes(4, "big", signed=True) + bytes(16) + corner
    data = path.read_bytes()
    track = data.index(identity, data.index(b"tkhd"))
    path.write_bytes(data[:track] + turned + data[track + 36 :])
    assert video_info(path)[2:] == (64, 48)
    np.testing.assert_array_equal(next(read_frames(path)), np.rot90(plain, -1))  # to the right, as cameras mark it


def test_frames_lost_in_the_middle_are_named_and_no_pair_spans_them(tmp_path, capsys):
    """Transport stream packets of 188 bytes that did not arrive."""
    path = tmp_path / "a.ts"
    trees.coded_video(path, "libx264", 30, g="5", crf="20")
    data = path.read_bytes()
    place = len(data) // 188 // 2 * 188
    path.write_bytes(data[:place] + data[place + 188 * 12 :])
    numbers = [number for number, _ in decode(path)]
    lost = sorted(set(range(1, 31)) - set(numbers))
    (line,) = capsys.readouterr().err.splitlines()
    assert lost and line.startswith(f"tfflow: warning: '{path}' is damaged (codec h264): frames {lost[0]}")
    assert line.endswith("of 30 are missing; pairs with them are left out") and len(line) <= 300
    pairs = {f"frame_{n:06d}" for n in numbers if n + 1 in numbers}
    for _ in range(2):  # decoded, then from the cache
        source = open_source(str(path))
        assert {source.record_name(i) for i in range(len(source))} == pairs
        assert capsys.readouterr().err == f"{line}\n"
    predicted = list(open_inputs([str(path)]).pairs(True))
    assert {name for name, _ in predicted} == pairs
    for name, sample in predicted:
        i = [source.record_name(i) for i in range(len(source))].index(name)
        for key, image in source.with_neighbours().sample(i).items():
            np.testing.assert_array_equal(sample[key], image)


def test_a_frame_that_is_damaged_in_itself_is_left_out(tmp_path, capsys):
    """Every frame of this codec stands alone: what is given out is as it was coded."""
    path = tmp_path / "a.avi"
    coded = trees.coded_video(path, "mjpeg", 12, pixels="yuvj420p", q="2")
    clean = dict(decode(path))
    data = bytearray(path.read_bytes())
    place = len(data) // 2
    for k in range(400):
        data[place + k] ^= 0x55
    path.write_bytes(data)
    frames = dict(decode(path))
    assert len(coded) - 2 <= len(frames) < len(coded)
    for number, frame in frames.items():
        np.testing.assert_array_equal(frame, clean[number])
    (gone,) = set(clean) - set(frames)
    assert f"frames {gone} of 12 are missing" in capsys.readouterr().err


def test_a_variable_frame_rate_is_no_damage(tmp_path, capsys):
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 64, 48, "yuv420p", Fraction(1, 1000)
        stream.codec_context.time_base = Fraction(1, 1000)
        for pts in (0, 33, 66, 300, 333, 420, 800, 833, 1000, 1500, 1533, 1900):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), pts // 10, np.uint8), format="rgb24")
            frame.pts, frame.time_base = pts, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert [number for number, _ in decode(tmp_path / "a.mkv")] == list(range(1, 13))
    assert capsys.readouterr().err == ""


def test_a_stream_that_changes_size_is_refused_with_what_converts_it(tmp_path, capsys):
    path = tmp_path / "two sizes.ts"
    trees.coded_video(tmp_path / "a.ts", "libx264", 8)
    trees.coded_video(tmp_path / "b.ts", "libx264", 8, 96, 128)
    path.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    text = re.escape(
        "then a frame of 128 x 96 pixels came, expected 64 x 48 (codec h264); to convert it: "
        "ffmpeg -i 'two sizes.ts' -c:v libx264 -crf 10 -pix_fmt yuv420p converted.mp4"
    )
    frames = []
    with pytest.raises(InputError, match=text):
        frames.extend(frame for _, frame in decode(path))
    assert {frame.shape for frame in (f for _, f in decode(path, "skip"))} == {(48, 64, 3)}


def test_a_codec_without_decoder_is_named_with_what_converts_it(tmp_path, capfd):
    path = tmp_path / "a.mp4"
    trees.coded_video(path, "libx264", 3)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz9"))
    capfd.readouterr()
    with pytest.raises(InputError, match=r"no decoder for its codec, zzz9, is in this FFmpeg; .*ffmpeg -i a\.mp4 -c:v"):
        video_info(path)
    assert capfd.readouterr() == ("", "")


def test_a_playlist_opens_no_other_file(tmp_path):
    """FFmpeg would follow the addresses in it."""
    trees.coded_video(tmp_path / "a.ts", "libx264", 5)
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.5,\na.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(InputError, match=r"list\.mp4' cannot be used: it is no video"):
        video_info(tmp_path / "list.mp4")


def test_the_command_that_converts_quotes_the_name():
    assert conversion("/x/it's 1.mov").startswith("""ffmpeg -i 'it'"'"'s 1.mov' -c:v libx264""")


FUZZ = """
import sys
from pathlib import Path
from tests.data.trees import mutated
from tfflow.data.video import read_frames
from tfflow.errors import InputError
path, data, count, refused = Path(sys.argv[1]), Path(sys.argv[1]).read_bytes(), int(sys.argv[2]), 0
for damaged in mutated(data, count):
    path.write_bytes(damaged)
    try:
        assert all(frame.dtype == "float32" and frame.ndim == 3 for frame in read_frames(path, "skip"))
    except InputError as error:
        assert path.name in str(error)
        refused += 1
print(refused)
"""


@pytest.mark.parametrize(("name", "code"), [("a.avi", "MJPG"), ("a.mp4", "mp4v")])
def test_1000_damaged_videos_are_read_or_refused(tmp_path, name, code):
    """In a process of its own: a crash of the decoder would end the tests, not fail them."""
    path = trees.video(tmp_path / name, 5, code)
    command, root = [sys.executable, "-c", FUZZ, path, "1000"], Path(__file__).parents[2]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stderr[-2000:]
    assert int(run.stdout) > 100
    assert all(line.startswith(f"'{tmp_path}") for line in run.stderr.splitlines())
