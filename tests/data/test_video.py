"""Video: frame after frame, or any pair from the cache; what stops in the middle is said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.data import trees
from tfflow.data.sources import open_source
from tfflow.data.video import cache_folder, read_frames, video_info
from tfflow.errors import InputError


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
        patch.setattr("tfflow.data.video._decode", None)
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
    text = r"a\.avi' stops in the middle: (\d+) frames read, its header says 40; repair it, or go on .* --on-error skip"
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
    with pytest.raises(InputError, match=r"a\.mp4' cannot be used: it is no video that OpenCV reads, or it is damaged"):
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
        assert str(path) in str(error)
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
    assert all(line.startswith("tfflow: warning: ") for line in run.stderr.splitlines())
