"""`python -m tfflow.predict`: what it writes from images, folders and videos, and what it refuses."""

from __future__ import annotations

import errno
import json

import av
import cv2
import numpy as np
import pytest

import tfflow.commands.predict
from tests.data.test_cuts import pan
from tests.data.trees import film as film_of
from tests.evaluation.fakes import noise
from tfflow.data.formats import read_flow
from tfflow.data.images import read_image, write_image
from tfflow.data.tree import in_order
from tfflow.data.video import video_info
from tfflow.evaluation.film import LAYOUTS
from tfflow.evaluation.pictures import flow_to_colour
from tfflow.evaluation.refinement import REFINEMENTS, refined
from tfflow.evaluation.writer import FORMATS, Writer
from tfflow.files import write_whole
from tfflow.models.estimate import Estimate


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
    monkeypatch.setattr("tfflow.models.load", lambda weights, scales: net)
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


def test_two_images_give_flow_colour_and_arrows_and_the_scale_is_printed(clip, tmp_path, capsys):
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
    assert info.frames == 8 and info.fps == pytest.approx(12) and (info.height, info.width) == (40, 2 * 64)


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
            writer.write(Estimate(flow, frame(1, 40, w), frame(1, 40, w), name=str(n)))
    videos = ["flow.mp4", "flow_2.mp4", "flow_3.mp4"]
    assert [video_info(tmp_path / name).frames for name in videos] == [2, 1, 1]


def test_one_scale_for_all_pictures_given_or_from_the_first_pairs(clip, tmp_path):
    for name, more in (("given", ["--max-flow", "8"]), ("found", [])):
        run(clip, "--out", tmp_path / name, "--formats", "colour", *more)
    given, found = (json.loads((tmp_path / n / "predict.json").read_text()) for n in ("given", "found"))
    assert (given["scale_px"], given["scale_from"]) == (8.0, "given")
    assert found["scale_px"] == pytest.approx(np.hypot(*flow_of(4, 5)), rel=1e-3)
    assert found["scale_from"] == "99th percentile of the lengths over all pairs"


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
    monkeypatch.setattr("tfflow.evaluation.film.video_info", lambda path: video_info(path)._replace(frames=2))
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


def test_the_help_names_what_there_is():
    """Its choices are written out, so that it needs no TensorFlow."""
    assert tfflow.commands.predict.FORMATS == FORMATS
    help = tfflow.commands.predict.parser().format_help()
    assert f"{{{','.join(LAYOUTS)}}}" in help and f"{{{','.join(REFINEMENTS)}}}" in help


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


def test_a_network_makes_a_pass_at_each_scale_asked_for(clip, tmp_path, net, monkeypatch):
    asked = []
    monkeypatch.setattr("tfflow.models.load", lambda weights, scales: asked.append(scales) or net)
    assert run(clip / "001.png", clip / "002.png", "--scales", "1,2", "--out", tmp_path / "out") == 0
    assert asked == [(1.0, 2.0)] and json.loads((tmp_path / "out" / "predict.json").read_text())["scales"] == "1,2"


ONE_FILE = {"flow.flo": "flo", "flow.npy": "npy", "flow.npz": "npz", "flow.png": "colour"}


@pytest.mark.parametrize("name", ONE_FILE)
def test_one_file_is_written_under_the_name_given(clip, tmp_path, name):
    out = tmp_path / "new" / name
    assert run(clip / "001.png", clip / "003.png", "--out", out, "--full", "9") == 0
    assert files(tmp_path / "new") == [name]
    if name.endswith(".png"):
        expected = flow_to_colour(np.broadcast_to(np.float32(flow_of(1, 3)), (40, 64, 2)), 9.0)
        assert np.abs(read_image(out) * 255 - expected).max() <= 1
        return
    flow = np.load(out)["flow"] if name.endswith(".npz") else read_flow(out)[0]
    np.testing.assert_allclose(flow[0, 0], flow_of(1, 3), rtol=1e-4)


@pytest.mark.parametrize("name", ["flow.mp4", "flow.webm", "flow.csv"])
def test_one_file_of_all_pairs(video, tmp_path, name):
    assert run(video, "--out", tmp_path / "new" / name) == 0
    assert files(tmp_path / "new") == [name]
    if name.endswith(".csv"):
        head, *rows = (tmp_path / "new" / name).read_text().splitlines()
        assert head == "name,mean_px,median_px,p99_px,max_px,mean_u_px,mean_v_px" and len(rows) == 8
        values = dict(zip(head.split(","), rows[2].split(","), strict=True))
        assert values["name"] == "frame_000003"
        assert float(values["mean_px"]) == pytest.approx(np.hypot(*flow_of(3, 4)), abs=0.2)
    else:
        assert video_info(tmp_path / "new" / name).frames == 8


def test_the_format_of_one_file_may_be_named(clip, tmp_path, capsys):
    pair = [clip / "001.png", clip / "003.png"]
    assert run(*pair, "--out", tmp_path / "a.png", "--formats", "kitti") == 0
    np.testing.assert_allclose(read_flow(tmp_path / "a.png")[0][0, 0], flow_of(1, 3), atol=0.01)
    for formats in ("flo", "kitti,colour"):
        assert run(*pair, "--out", tmp_path / "b.png", "--formats", formats) == 2
        assert f"b.png is one file, and --formats {formats} are not: give a folder" in lines(capsys)[0]
    (tmp_path / "c.flo").mkdir()
    assert run(*pair, "--out", tmp_path / "c.flo", "--formats", "flo") == 0
    assert files(tmp_path / "c.flo") == ["flo/001.flo", "predict.json"]


def test_one_file_for_many_pairs_is_refused_before_any_work(clip, tmp_path, net, capsys):
    assert run(clip, "--out", tmp_path / "flow.flo") == 2
    assert f"flow.flo is one file for one pair, and {clip} has 4: give a folder" in lines(capsys)[0]
    assert not hasattr(net, "calls") and not (tmp_path / "flow.flo").exists()


def test_one_file_that_is_there_stays_unless_asked(clip, tmp_path, capsys):
    pair = [clip / "001.png", clip / "003.png"]
    for overwrite, code in (([], 0), ([], 2), (["--overwrite"], 0)):
        assert run(*pair, "--out", tmp_path / "a.flo", *overwrite) == code
    assert "a.flo' is there already: choose another --out, or add --overwrite" in lines(capsys)[0]
    frames = clip.parent / "two"
    clip.rename(frames)
    for n in ("003", "004", "005"):
        (frames / f"{n}.png").unlink()
    assert run(frames, "--out", frames / "006.png") == 2
    assert "006.png is where the frames of" in lines(capsys)[0]


def test_masks_and_the_warped_frame(clip, tmp_path, monkeypatch, net):
    """The left third of the first frame is occluded: the flow back disagrees there."""

    def both(a, b):
        flow12 = np.zeros((*a.shape[:3], 2), np.float32)
        flow21 = flow12.copy()
        flow12[..., 0], flow21[..., 0] = 2.0, -2.0
        flow21[:, :, :20, 0] = 7.0
        return flow12, flow21

    monkeypatch.setattr(net, "both", both, raising=False)
    for n in (1, 2):
        write_image(tmp_path / "two" / f"{n}.png", (255 * noise(3, 40, 80)[:, 9 - 2 * n : 73 - 2 * n]).astype(np.uint8))
    out = tmp_path / "out"
    assert run(tmp_path / "two", "--out", out, "--formats", "occlusion,confidence,warped,csv,npz") == 0
    assert files(out) == ["confidence/1.png", "magnitude.csv", "npz/1.npz", "occlusion/1.png", "predict.json",
                          "warped/1.png"]  # fmt: skip
    occluded = read_image(out / "occlusion" / "1.png")[..., 0]
    assert (occluded[:, :17] == 1).all() and (occluded[:, 21:60] == 0).all() and (occluded[:, 63:] == 1).all()
    sure = read_image(out / "confidence" / "1.png")[..., 0]
    np.testing.assert_allclose(sure[:, 25:60], 1.0)
    np.testing.assert_allclose(sure[:, :17], 0.1, atol=0.01)  # a residual of 9 px
    warped, first = read_image(out / "warped" / "1.png"), read_image(tmp_path / "two" / "1.png")
    np.testing.assert_allclose(warped[:, :62], first[:, :62], atol=1e-6)
    with np.load(out / "npz" / "1.npz") as arrays:
        assert sorted(arrays) == ["confidence", "flow", "flow21", "visible"]
        np.testing.assert_array_equal(arrays["visible"], occluded == 0)
    assert json.loads((out / "predict.json").read_text())["scale_px"] is None


SHOTS = [*pan(1, 4, 12), *pan(2, 3, 12)]


@pytest.mark.parametrize("kind", ["video", "folder", "images"])
def test_no_flow_across_a_cut_and_it_is_said(tmp_path, capsys, kind):
    paths = [tmp_path / "shots" / f"{n}.png" for n in range(1, 8)]
    for path, shot in zip(paths, SHOTS, strict=True):
        write_image(path, shot)
    inputs = {"folder": [tmp_path / "shots"], "images": paths, "video": [film_of(tmp_path / "a.mp4", SHOTS)]}[kind]
    left_out = "frame_000004" if kind == "video" else "4"
    for options, count, cuts in (([], 5, [left_out]), (["--no-cuts"], 6, [])):
        out = tmp_path / f"out{count}"
        assert run(*inputs, "--out", out, "--formats", "flo,video", *options) == 0
        assert len(files(out / "flo")) == count and (f"flo/{left_out}.flo" in files(out)) == (count == 6)
        assert json.loads((out / "predict.json").read_text())["cuts_after"] == cuts
        assert (f"no flow across 1 shot cut(s), after {left_out}" in capsys.readouterr().out) == bool(cuts)
        assert video_info(out / "flow.mp4").frames == 6  # in the time of the source


def test_two_images_alone_are_a_pair_whatever_they_show(tmp_path, capsys):
    for n, shot in ((1, SHOTS[0]), (2, SHOTS[5])):
        write_image(tmp_path / f"{n}.png", shot)
    assert run(tmp_path / "1.png", tmp_path / "2.png", "--out", tmp_path / "flow.flo") == 0
    assert "'1.png' and '2.png' seem to show different scenes: flow means little there" in lines(capsys)[0]


def test_the_scale_of_a_long_input_is_of_all_of_it(tmp_path, net):
    """Its beginning stands still; by the first pairs alone, all that follows would be dark."""
    still, moving = frame(1), frame(11)
    shown = [*[still] * 30, *[moving] * 60]
    for path in (film_of(tmp_path / "late.mp4", shown), tmp_path / "late"):
        if path.suffix != ".mp4":
            for n, picture in enumerate(shown):
                write_image(path / f"{n}.png", picture)
        out = tmp_path / f"out {path.suffix[1:]}"
        assert run(path, "--out", out, "--formats", "colour") == 0
        said = json.loads((out / "predict.json").read_text())
        assert said["scale_px"] == pytest.approx(np.hypot(*flow_of(11, 11)), rel=0.1)
        assert said["scale_from"] == "99th percentile of the lengths over 16 pairs, spread over all"


def test_a_video_that_lies_on_its_side_is_predicted_upright(tmp_path):
    turned = tmp_path / "turned.mp4"
    film_of(tmp_path / "a.mp4", [frame(n) for n in range(1, 5)])
    with av.open(str(tmp_path / "a.mp4")) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(90) if hasattr(stream, "set_display_rotation") else pytest.skip("PyAV writes none")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert run(turned, "--out", tmp_path / "flow.mp4", "--layout", "flow") == 0
    info = video_info(tmp_path / "flow.mp4")
    assert (info.height, info.width) == (64, 40)
