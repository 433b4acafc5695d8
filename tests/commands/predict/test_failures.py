"""`tfflow predict`: what it refuses, and what it leaves where it fails or is stopped."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from tests.commands.predict.conftest import Net, files, film, frame, lines, run
from tfflow.data.images import write_image
from tfflow.data.video import video_info
from tfflow.evaluation.flow_video import FlowVideo
from tfflow.files import write_whole


def test_a_video_that_stops_in_the_middle_keeps_what_was_done(tmp_path, capsys):
    video = film(tmp_path / "holiday.avi", 40)
    data = video.read_bytes()
    video.write_bytes(data[: int(0.6 * len(data))])
    outputs = []
    for on_error, code in (("stop", 2), ("skip", 0)):
        out = tmp_path / on_error
        assert run(video, "--out", out, "--formats", "flo,video", "--on-error", on_error) == code
        outputs.append(files(out))
        captured = capsys.readouterr()
        (line,) = [line for line in captured.err.splitlines() if line.startswith("tfflow: ")]
        assert "holiday.avi' stops in the middle" in line
        assert ("stopped after" if code else "written to") in captured.out
        assert video_info(out / "flow.mp4").frames == len(files(out / "flo")) >= 2
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(("on_error", "code", "kept"), [("stop", 2, ["001", "002"]), ("skip", 0, ["001", "002"])])
def test_a_damaged_frame_keeps_what_was_done(clip, tmp_path, capsys, on_error, code, kept):
    whole = (clip / "004.png").read_bytes()
    (clip / "004.png").write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out"
    assert run(clip, "--out", out, "--formats", "flo", "--batch", 4, "--on-error", on_error) == code
    assert files(out / "flo") == [f"{name}.flo" for name in kept]
    assert all("004.png" in line for line in lines(capsys))


def test_an_interrupt_leaves_whole_files_only(clip, tmp_path, net, monkeypatch):
    def interrupted(images1, images2):
        if len(net.calls) == 3:
            raise KeyboardInterrupt
        return Net.batch(net, images1, images2)

    net.calls = []
    monkeypatch.setattr(net, "batch", interrupted, raising=False)
    arguments = ["--formats", "flo,video", "--max-flow", "5"]
    assert run(clip, "--out", tmp_path / "out", *arguments) == 130
    assert files(tmp_path / "out") == [f"flo/00{n}.flo" for n in (1, 2, 3)] + ["flow.mp4", "legend.png", "predict.json"]
    assert video_info(tmp_path / "out" / "flow.mp4").frames == 3


def test_a_full_disk_is_one_line_and_leaves_no_half_file(clip, tmp_path, monkeypatch, capsys):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert run(clip, "--out", tmp_path / "out", "--formats", "colour") == 2
    (line,) = lines(capsys)
    assert "No space left on device" in line and "free some space" in line
    assert files(tmp_path / "out") == []


def test_what_failed_before_anything_was_whole_does_not_stop_the_next_run(clip, tmp_path, net, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(net, "batch", lambda a, b: np.full((*a.shape[:3], 2), np.nan, np.float32), raising=False)
        assert run(clip, "--out", tmp_path / "out") == 2
    assert files(tmp_path / "out") == []
    assert run(clip, "--out", tmp_path / "out") == 0


def test_an_output_among_the_frames_is_refused(clip, tmp_path, capsys):
    """Else the next run takes legend.png for a frame, and colour/ for a clip."""
    before = files(tmp_path)
    arguments = [[clip], [f"frames:{clip}"], [clip / "001.png", clip / "002.png"]]
    for given in arguments:
        assert run(*given, "--out", clip) == 2
        assert "a picture of flow would be taken for one; choose another place" in lines(capsys)[0]
    for out in (tmp_path, clip):
        assert run(tmp_path, "--out", out) == 2
        assert f"--out {out} is where the frames of" in lines(capsys)[0]
    assert files(tmp_path) == before
    for _ in range(2):
        assert run(tmp_path, "--out", tmp_path / "flow", "--overwrite", "--formats", "colour") == 0
    assert files(tmp_path / "flow" / "colour") == [f"clip/00{n}.png" for n in range(1, 5)]


def test_what_a_killed_run_left_half_written_is_swept(clip, tmp_path):
    out = tmp_path / "out"
    with write_whole(out / "flo" / "clip" / "001.flo") as busy:
        left = busy.with_name(".tfflow-0123abcd.part.flo")
        left.write_bytes(b"half")
        assert run(clip, "--out", out, "--formats", "flo") == 0
        assert not left.exists() and busy.exists()
        busy.write_bytes(b"done")
    assert (out / "flo" / "clip" / "001.flo").read_bytes() == b"done"


def test_a_video_that_lacks_frames_is_not_kept(clip, tmp_path, monkeypatch, capsys):
    """The encoder does not say when the disk is full."""
    written = FlowVideo.write

    def losing_one(video, shown):
        if video.count == 2:
            video.count += 1
        else:
            written(video, shown)

    monkeypatch.setattr(FlowVideo, "write", losing_one)
    assert run(clip, "--out", tmp_path / "out", "--formats", "flo,video") == 2
    assert "flow.mp4': it lacks some of 4 frames; is the disk full?" in lines(capsys)[0]
    assert len(files(tmp_path / "out" / "flo")) == 4 and not list((tmp_path / "out").glob("*flow*.mp4"))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["CLIP/001.png"], "001.png' is one frame: flow needs two, give the second one too, a folder or a video"),
        (["CLIP/001.png", "OTHER/small.png"], "small.png' is of another size than its neighbours"),
        (["CLIP/001.png", "CLIP/none.png"], "no such file: 'CLIP/none.png'"),
        (["CLIP/001.png", "OTHER/text.png"], "text.png' cannot be used"),
        (["CLIP/001.png", "CLIP"], "CLIP' is no image: expected two or more images, or one folder, or one video"),
        (["OTHER/text.mp4"], "text.mp4' cannot be used"),
        (["nowhere"], "no such file or folder: 'nowhere'"),
        (["EMPTY"], "no images in 'EMPTY'"),
        (["OTHER/one"], "holds 1 frame"),
        (["OTHER/one.avi"], "one.avi' has no two consecutive frames of one shot, and flow needs a pair: take a longer"),
        (["CLIP", "--formats", "colours"], "unknown format 'colours': did you mean colour or"),
        (["CLIP", "--formats", ","], "--formats names none: choose of flo,kitti,npy,npz,colour,"),
        (["CLIP", "--max-flow", "-3"], "--full must be above 0, got -3"),
        (["CLIP", "--batch", "0"], "--batch must be above 0, got 0"),
        (["CLIP", "--fps", "nan"], "--fps must be above 0, got nan"),
    ],
)
def test_refusals_are_one_line(clip, tmp_path, capsys, arguments, text):
    write_image(tmp_path / "other" / "small.png", frame(1, 30, 64))
    write_image(tmp_path / "other" / "one" / "1.png", frame(1))
    for name in ("text.png", "text.mp4"):
        (tmp_path / "other" / name).write_text("no picture at all")
    film(tmp_path / "other" / "one.avi", 1)
    (tmp_path / "empty").mkdir()

    def placed(text):
        for word in ("CLIP", "OTHER", "EMPTY"):
            text = text.replace(word, str(tmp_path / word.lower()))
        return text

    assert run(*map(placed, arguments), "--out", tmp_path / "out") == 2
    (line,) = lines(capsys)
    assert placed(text) in line
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_one_is_refused_before_any_work(clip, tmp_path, net, capsys):
    (tmp_path / "file").write_text("in the way")
    assert run(clip, "--out", tmp_path / "file" / "out") == 2
    assert "file/out" in lines(capsys)[0] and not hasattr(net, "calls")


def test_earlier_predictions_are_not_overwritten_unless_asked(clip, tmp_path, capsys):
    assert run(clip, "--out", tmp_path / "out") == 0
    assert run(clip, "--out", tmp_path / "out") == 2
    assert "out holds predictions already: choose another --out, or add --overwrite" in lines(capsys)[0]
    assert run(clip, "--out", tmp_path / "out", "--overwrite") == 0


def test_a_flow_that_is_not_finite_is_refused(clip, tmp_path, net, monkeypatch, capsys):
    monkeypatch.setattr(net, "batch", lambda a, b: np.full((*a.shape[:3], 2), np.nan, np.float32), raising=False)
    assert run(clip, "--out", tmp_path / "out") == 2
    assert "net gave a flow that is not finite on 001" in lines(capsys)[0]
