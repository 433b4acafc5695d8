"""`tfflow predict`: images, folders and videos in, and which frames are a pair."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest

from tests.commands.predict.conftest import files, flow_of, frame, lines, run
from tests.data.test_cuts import pan
from tests.data.trees import film as film_of
from tfflow.data.formats import read_flow
from tfflow.data.images import read_image, write_image
from tfflow.data.tree import in_order
from tfflow.data.video import video_info
from tfflow.evaluation.pictures import flow_to_colour
from tfflow.evaluation.writer import Writer
from tfflow.models.estimate import Estimate


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


def test_two_images_stay_as_given_with_a_warning_where_their_numbers_run_back(tmp_path, caplog):
    paths = [tmp_path / "f10.png", tmp_path / "f9.png"]
    assert in_order(paths) == paths
    assert "'f10.png' is taken for the first frame, as given, and 'f9.png' for the second" in caplog.text


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
        assert (f"no flow across 1 shot cut, after {left_out}" in capsys.readouterr().out) == bool(cuts)
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
