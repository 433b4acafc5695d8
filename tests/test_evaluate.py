"""`python -m tfflow.evaluate`: what it measures, writes and refuses."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

import tfflow.commands.evaluate
from tests.evaluation.fakes import Constant, shifted
from tfflow.data.formats import read_flow, write_flo, write_kitti_png
from tfflow.data.images import write_image


@pytest.fixture(autouse=True)
def net(monkeypatch):
    """`--weights good` is a network that knows the motion of all these data sets, (3, -2)."""
    networks = {"good": Constant(3, -2), "broken": Constant(np.nan, 0)}
    monkeypatch.setattr("tfflow.api.evaluate.load", lambda name, scales: networks[name])
    return networks["good"]


@pytest.fixture
def sintel(tmp_path):
    root = tmp_path / "sintel" / "training"
    for n in (1, 2, 3):
        name = "image1" if n % 2 else "image2"
        write_image(root / "final" / "alley_1" / f"frame_{n:04d}.png", shifted(40, 64)[name])
        if n < 3:
            write_flo(root / "flow" / "alley_1" / f"frame_{n:04d}.flo", np.full((40, 64, 2), [3, -2], np.float32))
    return f"sintel-final:{tmp_path / 'sintel'}"


@pytest.fixture
def kitti(tmp_path):
    root = tmp_path / "kitti" / "training"
    valid = np.ones((40, 64, 1), np.float32)
    valid[:10] = 0
    for n in (10, 11):
        write_image(root / "image_2" / f"000004_{n}.png", shifted(40, 64)[f"image{n - 9}"])
    for folder in ("flow_occ", "flow_noc"):
        write_kitti_png(root / folder / "000004_10.png", np.full((40, 64, 2), [3, -1], np.float32), valid)
    return f"kitti2015:{tmp_path / 'kitti'}"


@pytest.fixture
def frames(tmp_path):
    for n in (1, 2):
        write_image(tmp_path / "clip" / f"{n}.png", shifted(40, 64)[f"image{n}"])
    return str(tmp_path / "clip")


def run(*arguments):
    return tfflow.commands.evaluate.main([str(a) for a in arguments])


def test_one_run_measures_all_data_and_the_files_say_what_the_screen_says(sintel, kitti, frames, tmp_path, capsys):
    out = tmp_path / "out"
    data = [text for spec in (sintel, kitti, frames) for text in ("--data", spec)]
    assert run("--weights", "good", *data, "--baselines", "--out", out, "--batch", 2) == 0
    screen = capsys.readouterr().out.replace("\n", "")  # long names are folded
    assert screen.index(f"{sintel}: 2 pairs") < screen.index(f"{kitti}: 1 pair") < screen.index(f"{frames}: 1 pair")
    stored = json.loads((out / "results.json").read_text())
    score = {(r["source"], r["predictor"]): r["mean_over_images"] for r in stored["results"]}
    assert score[sintel, "good"]["epe"] == 0 and score[kitti, "good"]["epe"] == 1
    assert score[kitti, "zero flow"]["epe"] == pytest.approx(np.sqrt(10))
    assert score[frames, "good"]["photometric"] < 0.6 < 5 < score[frames, "zero flow"]["photometric"]
    assert {p for s, p in score if s == frames} == {
        "good", "zero flow", "Farneback", "DIS ultrafast", "DIS fast", "DIS medium",
    }  # fmt: skip
    with (out / "results.csv").open(newline="") as f:
        assert len(list(csv.DictReader(f))) == 2 * len(stored["results"])
    assert stored["settings"]["weights"] == ["good"] and stored["settings"]["batch"] == 2


def test_frames_are_always_measured_beside_dis_and_zero_flow(frames, capsys):
    assert run("--weights", "good", "--data", frames) == 0
    screen = capsys.readouterr().out
    assert "DIS medium" in screen and "zero flow" in screen and "Farneback" not in screen
    assert "photometric" in screen and "forward-backward" in screen


def test_sets_with_truth_are_measured_without_baselines_unless_asked(sintel, capsys):
    run("--weights", "good", "--data", sintel)
    assert "DIS" not in capsys.readouterr().out


def test_baselines_alone_need_no_weights(sintel, capsys):
    assert run("--baselines", "--data", sintel, "--limit", 1) == 0
    assert "Farneback" in (screen := capsys.readouterr().out) and "1 pair" in screen


def test_a_network_without_training_is_measured_by_its_name(sintel, tmp_path):
    assert run("--model", "spynet_mobile", "--data", sintel, "--out", tmp_path / "out") == 0
    (result,) = json.loads((tmp_path / "out" / "results.json").read_text())["results"]
    assert result["predictor"] == "spynet_mobile (untrained)" and 0 < result["mean_over_pixels"]["epe"] < 100


def test_submission_and_error_maps(sintel, kitti, frames, tmp_path):
    out = tmp_path / "out"
    data = [text for spec in (sintel, kitti) for text in ("--data", spec)]
    assert run("--weights", "good", *data, "--out", out, "--submission", "sintel", "--error-maps", "--baselines") == 0
    files = sorted(p.relative_to(out / "submission").as_posix() for p in (out / "submission").rglob("*.*"))
    assert files == ["final/alley_1/frame0001.flo", "final/alley_1/frame0002.flo"]
    assert (read_flow(out / "submission" / files[0])[0] == [3, -2]).all()
    maps = sorted(p.name for p in (out / "error_maps").rglob("*.png"))
    assert maps == ["000004_10.png", "frame_0001.png", "frame_0002.png"]  # of the network alone


def test_what_was_measured_before_a_refusal_is_kept(sintel, tmp_path, capsys):
    broken = tmp_path / "clip"
    write_image(broken / "1.png", shifted()["image1"])
    (broken / "2.png").write_bytes((broken / "1.png").read_bytes()[:-40])
    out = tmp_path / "out"
    assert run("--weights", "good", "--data", sintel, "--data", broken, "--out", out) == 2
    assert len(lines(capsys)) == 1
    assert [r["source"] for r in json.loads((out / "results.json").read_text())["results"]] == [sintel]


def test_a_damaged_pair_is_skipped_on_request_and_counted(tmp_path, capsys):
    for n in (1, 2, 3, 4):
        write_image(tmp_path / "clip" / f"{n}.png", shifted()[f"image{2 - n % 2}"])
    whole = (tmp_path / "clip" / "4.png").read_bytes()
    (tmp_path / "clip" / "4.png").write_bytes(whole[: len(whole) // 2])
    assert run("--weights", "good", "--data", tmp_path / "clip", "--on-error", "skip") == 0
    captured = capsys.readouterr()
    assert "2 pairs, 1 skipped" in captured.out and "4.png" in captured.err


def lines(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("tfflow: ")]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--data", "SINTEL"], "nothing to measure: give --weights, --model or --baselines"),
        (["--weights", "good", "--data", "SINTEL", "--error-maps"], "write files: say where with --out"),
        (["--weights", "good", "--data", "SINTEL", "--limit", "0"], "--limit must be at least 1, got 0"),
        (["--weights", "good", "--data", "SINTEL", "--batch", "-1"], "--batch must be at least 1, got -1"),
        (["--weights", "good", "--data", "sintel-finl:x"], "unknown kind of data 'sintel-finl'"),
        (["--weights", "good", "--data", "scenes"], "scenes has 100000 pairs: say how many, scenes:count=N or --limit"),
        (["--weights", "good", "--data", "nowhere"], "no such file or folder: 'nowhere'"),
        (["--weights", "broken", "--data", "SINTEL"], "broken gave a flow that is not finite on alley_1/frame_0001"),
        (
            ["--weights", "good", "--data", "SINTEL", "--submission", "kitti", "--out", "OUT"],
            "a kitti submission is made of kitti2012:PATH or kitti2015:PATH, got SINTEL",
        ),
        (
            ["--weights", "good", "--weights", "broken", "--data", "SINTEL", "--submission", "sintel", "--out", "OUT"],
            "--submission takes one network, got 2: good, broken",
        ),
        (
            ["--weights", "good", "--data", "SINTEL", "--data", "SINTEL", "--submission", "sintel", "--out", "OUT"],
            "--submission needs each kind of --data once, got sintel-final more than once",
        ),
    ],
)
def test_refusals_are_one_line(sintel, tmp_path, capsys, arguments, text):
    places = {"SINTEL": sintel, "OUT": str(tmp_path / "out")}
    assert run(*(places.get(a, a) for a in arguments)) == 2
    (line,) = lines(capsys)
    assert text.replace("SINTEL", sintel) in line


def test_results_are_not_overwritten_unless_asked(sintel, tmp_path, capsys):
    arguments = ["--weights", "good", "--data", sintel, "--out", tmp_path / "out"]
    assert run(*arguments) == 0
    assert run(*arguments) == 2
    assert "out holds results already: choose another --out, or add --overwrite" in lines(capsys)[0]
    assert run(*arguments, "--overwrite") == 0


def test_refined_flow_is_measured_under_a_name_that_says_so(sintel, tmp_path, capsys):
    assert run("--weights", "good", "--refine", "variational", "--data", sintel, "--out", tmp_path / "out") == 0
    stored = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [r["predictor"] for r in stored["results"]] == ["good + variational"]
    assert stored["results"][0]["mean_over_images"]["epe"] > 0  # what was exact is not any more
    assert run("--baselines", "--refine", "variational", "--data", sintel) == 2
    assert "--refine works on networks: give --weights or --model" in capsys.readouterr().err


def test_a_network_makes_a_pass_at_each_scale_asked_for_and_its_name_says_so(sintel, tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("tfflow.api.evaluate.load", lambda name, scales: asked.append(scales) or Constant(3, -2))
    assert run("--weights", "good", "--scales", "0.5,1", "--data", sintel, "--out", tmp_path / "out") == 0
    stored = json.loads((tmp_path / "out" / "results.json").read_text())
    assert asked == [(0.5, 1.0)] and [r["predictor"] for r in stored["results"]] == ["good at 0.5,1"]
    assert run("--baselines", "--scales", "1,2", "--data", sintel) == 2
    assert "--scales works on networks: give --weights or --model" in capsys.readouterr().err
    assert run("--weights", "good", "--scales", "1,two", "--data", sintel) == 2
    assert "scales must be one or more numbers" in capsys.readouterr().err
