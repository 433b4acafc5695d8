"""`python -m tfflow.predict`: what it writes from images, folders and videos, and what it refuses."""

from __future__ import annotations

import errno
import json

import cv2
import numpy as np
import pytest

import tfflow.commands.predict
from tests.evaluation.fakes import noise
from tfflow.data.formats import read_flow
from tfflow.data.images import read_image, write_image
from tfflow.data.tree import in_order
from tfflow.data.video import video_info
from tfflow.evaluation.pictures import flow_to_colour
from tfflow.evaluation.prediction import Predicted
from tfflow.evaluation.refinement import refined
from tfflow.evaluation.writer import Writer
from tfflow.files import write_whole


class Net:
    """Its flow depends on both frames, so that a mixed-up pair or batch shows."""

    name = "net"

    def batch(self, images1, images2):
        self.calls = [*getattr(self, "calls", []), images1.shape]
        means = [10 * images.mean((1, 2))[:, None, None, :1] for images in (images1, images2)]
        return np.concatenate(means, -1) * np.ones((*images1.shape[:3], 2), np.float32)

    def both(self, images1, images2):
        return self.batch(images1, images2), self.batch(images2, images1)


@pytest.fixture(autouse=True)
def net(monkeypatch):
    net = Net()
    monkeypatch.setattr(tfflow.commands.predict, "load", lambda weights, scales: net)
    return net


def frame(n, h=40, w=64):
    """Brighter with n; 8-bit levels."""
    return (np.full((h, w, 3), 20 * n) + 10 * noise(n, h, w)).astype(np.uint8)


def flow_of(n, m):
    """What `Net` says of frames n and m."""
    return [10 * np.float32(frame(k) / 255)[..., 0].mean() for k in (n, m)]


@pytest.fixture
def clip(tmp_path):
    for n in range(1, 6):
        write_image(tmp_path / "clip" / f"{n:03d}.png", frame(n))
    return tmp_path / "clip"


@pytest.fixture
def video(tmp_path):
    return film(tmp_path / "holiday.avi", 9)


def film(path, count):
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 12.0, (64, 40))
    for n in range(1, count + 1):
        writer.write(frame(n % 12))
    writer.release()
    return path


def run(*arguments):
    return tfflow.commands.predict.main([str(a) for a in arguments])


def files(out):
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())


def lines(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("tfflow: ")]


def test_two_images_give_flow_colour_and_arrows_and_the_scale_is_told(clip, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(clip / "002.png", clip / "004.png", "--out", out) == 0
    assert files(out) == ["arrows/002.png", "colour/002.png", "flo/002.flo", "legend.png", "predict.json"]
    flow, valid = read_flow(out / "flo" / "002.flo")
    assert flow.shape == (40, 64, 2) and valid.all()
    np.testing.assert_allclose(flow[0, 0], flow_of(2, 4), rtol=1e-4)
    scale = json.loads((out / "predict.json").read_text())["scale_px"]
    assert scale == pytest.approx(np.hypot(*flow[0, 0]), rel=1e-4)
    assert f"full colour = {scale:.3g} px" in (screen := capsys.readouterr().out) and "flow of 1 pair written" in screen
    picture = np.rint(255 * read_image(out / "colour" / "002.png")).astype(np.uint8)
    np.testing.assert_array_equal(picture, flow_to_colour(flow, scale))


@pytest.mark.parametrize("batch", [1, 3])
def test_a_folder_gives_the_flow_of_each_frame_to_the_next_whatever_the_batch(clip, tmp_path, net, batch):
    out = tmp_path / "out"
    assert run(clip, "--out", out, "--formats", "flo", "--batch", batch) == 0
    assert [shape[0] for shape in net.calls] == ([1] * 4 if batch == 1 else [3, 1])
    for n in range(1, 5):
        np.testing.assert_allclose(read_flow(out / "flo" / f"00{n}.flo")[0][5, 7], flow_of(n, n + 1), rtol=1e-4)


def test_images_in_the_order_given_are_a_clip(clip, tmp_path):
    assert run(clip / "003.png", clip / "001.png", clip / "005.png", "--out", tmp_path / "out", "--formats", "flo") == 0
    assert files(tmp_path / "out" / "flo") == ["001.flo", "003.flo"]
    np.testing.assert_allclose(read_flow(tmp_path / "out/flo/001.flo")[0][0, 0], flow_of(1, 5), rtol=1e-4)


def test_the_order_of_a_shell_becomes_that_of_the_numbers_with_a_warning(tmp_path, capsys):
    paths = [tmp_path / f"f{n}.png" for n in range(8, 12)]
    for n, path in enumerate(paths, 1):
        write_image(path, frame(n))
    assert run(*sorted(paths, key=str), "--out", tmp_path / "out", "--formats", "flo") == 0
    (line,) = lines(capsys)
    assert "order of a shell, 'f10.png' before 'f8.png'; they are taken in the order of their numbers" in line
    assert files(tmp_path / "out" / "flo") == ["f10.flo", "f8.flo", "f9.flo"]
    np.testing.assert_allclose(read_flow(tmp_path / "out/flo/f9.flo")[0][0, 0], flow_of(2, 3), rtol=1e-4)


@pytest.mark.parametrize("order", [[8, 9, 10, 11], [11, 10, 9, 8], [9, 8, 11]])
def test_an_order_that_no_shell_makes_is_the_one_that_was_wanted(tmp_path, capsys, order):
    paths = [tmp_path / f"f{n}.png" for n in order]
    for path in paths:
        write_image(path, frame(3))
    assert in_order(paths) == paths and not lines(capsys)


def test_two_images_stay_as_given_with_a_warning_where_their_numbers_run_back(tmp_path, capsys):
    paths = [tmp_path / "f10.png", tmp_path / "f9.png"]
    assert in_order(paths) == paths
    assert "'f10.png' is taken for the first frame, as given, and 'f9.png' for the second" in lines(capsys)[0]


def test_images_of_the_same_name_do_not_overwrite_each_other(tmp_path):
    for n in (1, 2, 3):
        write_image(tmp_path / str(n) / "same.png", frame(n))
    paths = [tmp_path / str(n) / "same.png" for n in (1, 2, 3)]
    assert run(*paths, "--out", tmp_path / "out", "--formats", "flo") == 0
    assert files(tmp_path / "out" / "flo") == ["000001_same.flo", "000002_same.flo"]


def test_both_directions(clip, tmp_path):
    out = tmp_path / "out"
    assert run(clip / "001.png", clip / "004.png", "--both", "--formats", "flo,kitti,colour", "--out", out) == 0
    for folder, pair in (("flo", (1, 4)), ("flo_back", (4, 1))):
        np.testing.assert_allclose(read_flow(out / folder / "001.flo")[0][0, 0], flow_of(*pair), rtol=1e-4)
    assert {"kitti/001.png", "kitti_back/001.png", "colour_back/001.png"} <= set(files(out))
    kitti = read_flow(out / "kitti_back" / "001.png")[0]
    assert np.abs(kitti[0, 0] - flow_of(4, 1)).max() <= 0.5 / 64 + 1e-3


def test_a_video_gives_a_video_of_as_many_frames_and_the_same_speed(video, tmp_path):
    out = tmp_path / "out"
    assert run(video, "--out", out, "--batch", 2) == 0
    assert files(out) == ["flow.mp4", "legend.png", "predict.json"]
    info = video_info(out / "flow.mp4")
    assert info.frames == 8 and info.fps == pytest.approx(12) and info.height >= 40 and info.width > 2 * 64


def test_frames_of_a_video_as_files(video, tmp_path):
    assert run(f"video:{video}", "--out", tmp_path / "out", "--formats", "flo,sheet") == 0
    assert files(tmp_path / "out" / "flo") == [f"frame_{n:06d}.flo" for n in range(1, 9)]
    assert len(files(tmp_path / "out" / "sheet")) == 8
    for n in (1, 7):  # JPEG keeps the mean to about a grey level
        flow = read_flow(tmp_path / "out" / "flo" / f"frame_{n:06d}.flo")[0]
        np.testing.assert_allclose(flow[0, 0], flow_of(n, n + 1), atol=0.15)


def test_each_clip_and_each_size_has_its_own_video(tmp_path):
    for clip, size in (("a", (40, 64)), ("b", (40, 64)), ("c", (33, 101)), ("d", (121, 50))):
        for n in (1, 2, 3):
            write_image(tmp_path / "clips" / clip / f"{n}.png", frame(n, *size))
    assert run(tmp_path / "clips", "--out", tmp_path / "out", "--formats", "video", "--fps", 5) == 0
    assert files(tmp_path / "out") == [f"{clip}/flow.mp4" for clip in "abcd"] + ["legend.png", "predict.json"]
    assert [video_info(tmp_path / "out" / clip / "flow.mp4").frames for clip in "abcd"] == [2] * 4
    assert video_info(tmp_path / "out" / "b" / "flow.mp4").fps == 5


def test_another_size_in_one_clip_starts_another_video(tmp_path):
    with Writer(tmp_path, ["video"], scale=2.0, fps=10.0) as writer:
        for n, w in enumerate([64, 64, 50, 64]):
            flow = np.zeros((40, w, 2), np.float32)
            writer.write(Predicted(str(n), frame(1, 40, w), flow, None))
    videos = ["flow.mp4", "flow_2.mp4", "flow_3.mp4"]
    assert [video_info(tmp_path / name).frames for name in videos] == [2, 1, 1]


def test_one_scale_for_all_pictures_given_or_from_the_first_pairs(clip, tmp_path):
    for name, more in (("given", ["--max-flow", "8"]), ("found", [])):
        run(clip, "--out", tmp_path / name, "--formats", "colour", *more)
    given, found = (json.loads((tmp_path / n / "predict.json").read_text()) for n in ("given", "found"))
    assert (given["scale_px"], given["scale_from"]) == (8.0, "--max-flow")
    assert found["scale_px"] == pytest.approx(np.hypot(*flow_of(4, 5)), rel=1e-3)
    assert found["scale_from"] == "99th percentile of the lengths over the first 8 pairs"


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
        assert "a picture of flow would be taken for one; choose another folder" in lines(capsys)[0]
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
    monkeypatch.setattr("tfflow.evaluation.writer.video_info", lambda path: video_info(path)._replace(frames=2))
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
        (["OTHER/one"], "holds 1 frame(s)"),
        (["CLIP", "--formats", "colours"], "unknown format 'colours': did you mean colour?"),
        (["CLIP", "--formats", ","], "--formats names none: choose of flo,kitti,colour,arrows,sheet,video"),
        (["CLIP", "--max-flow", "-3"], "--max-flow must be above 0, got -3"),
        (["CLIP", "--batch", "0"], "--batch must be above 0, got 0"),
        (["CLIP", "--fps", "nan"], "--fps must be above 0, got nan"),
    ],
)
def test_refusals_are_one_line(clip, tmp_path, capsys, arguments, text):
    write_image(tmp_path / "other" / "small.png", frame(1, 30, 64))
    write_image(tmp_path / "other" / "one" / "1.png", frame(1))
    for name in ("text.png", "text.mp4"):
        (tmp_path / "other" / name).write_text("no picture at all")
    (tmp_path / "empty").mkdir()

    def placed(text):
        for word in ("CLIP", "OTHER", "EMPTY"):
            text = text.replace(word, str(tmp_path / word.lower()))
        return text

    assert run(*map(placed, arguments), "--out", tmp_path / "out") == 2
    (line,) = lines(capsys)
    assert placed(text) in line
    assert not (tmp_path / "out").exists() or not files(tmp_path / "out")


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


def test_refined_flow_is_written_and_said(clip, tmp_path, net):
    def flow(out, *options):
        assert run(clip / "001.png", clip / "002.png", "--formats", "flo", "--out", tmp_path / out, *options) == 0
        return read_flow(tmp_path / out / "flo" / "001.flo")[0]

    plain, better = flow("plain"), flow("better", "--refine", "variational")
    settings = [json.loads((tmp_path / out / "predict.json").read_text()) for out in ("plain", "better")]
    assert [s["refine"] for s in settings] == [None, "variational"]
    images = [np.float32(frame(n) / 255)[None] for n in (1, 2)]
    np.testing.assert_allclose(better, refined(net, "variational").batch(*images)[0], atol=1e-5)
    assert np.ptp(plain[..., 0]) == 0 < np.ptp(better[..., 0])


def test_a_network_looks_at_the_scales_asked_for(clip, tmp_path, net, monkeypatch):
    asked = []
    monkeypatch.setattr(tfflow.commands.predict, "load", lambda weights, scales: asked.append(scales) or net)
    assert run(clip / "001.png", clip / "002.png", "--scales", "1,2", "--out", tmp_path / "out") == 0
    assert asked == [["1", "2"]] and json.loads((tmp_path / "out" / "predict.json").read_text())["scales"] == "1,2"
