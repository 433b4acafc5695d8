"""`tfflow predict`: what it writes, in which formats, and what the options change."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tfflow.commands.predict
from tests.commands.predict.conftest import files, flow_of, frame, lines, run
from tests.evaluation.fakes import noise
from tfflow.data.formats import read_flow
from tfflow.data.images import read_image, write_image
from tfflow.data.video import video_info
from tfflow.evaluation.flow_video import LAYOUTS
from tfflow.evaluation.pictures import flow_to_colour
from tfflow.evaluation.refinement import REFINEMENTS, refined
from tfflow.evaluation.writer import FORMATS


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
