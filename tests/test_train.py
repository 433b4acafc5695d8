"""`python -m tfflow.train`: what it refuses, what it leaves, and how it ends."""

from __future__ import annotations

import json
import os
import signal

import cv2
import numpy as np
import pytest

import tfflow
from tests.data import trees
from tests.training import runs
from tfflow.api.plan import TrainSettings, planned, starting_weights
from tfflow.api.run import Run, _to_publish
from tfflow.commands.train import main, parser
from tfflow.data.sources import open_source
from tfflow.models import record
from tfflow.models.weights import save_arrays
from tfflow.terminal import wide_console
from tfflow.training.bar import Bar
from tfflow.training.checkpoint import read_state

SMALL = ["--model", "tiny", "--steps", "6", "--batch", "2", "--crop", "24x32", "--val-limit", "2"]


def moving(root, count=4, height=40, width=56):
    """Frames of a texture that moves 2 px right and 1 px up each."""
    texture = cv2.GaussianBlur(trees.picture(3, height + 20, width + 20), (0, 0), 2)
    for k in range(count):
        trees.put_image(root / f"{k:03d}.png", texture[k : k + height, 20 - 2 * k : 20 - 2 * k + width])
    return root


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return moving(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def trained(clip, tmp_path_factory):
    """The folder of a run of three phases on frames, and what it printed."""
    out = tmp_path_factory.mktemp("trained") / "run"
    code, printed, err = finished(SMALL, "--data", f"frames:{clip}", "--out", out)
    assert code == 0, err
    return out, printed


def finished(*arguments):
    """(exit code, stdout, stderr) of the command in this process."""
    import contextlib
    import io

    out, err = io.StringIO(), io.StringIO()
    flat = [str(a) for part in arguments for a in (part if isinstance(part, list) else [part])]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(flat)
    return code, out.getvalue(), err.getvalue()


def refused(tmp_path, *arguments) -> str:
    """The one line of a refusal that left nothing behind."""
    before = set(tmp_path.rglob("*"))
    if "--out" not in arguments:
        arguments = (*arguments, "--out", tmp_path / "refused")
    code, out, err = finished(*arguments)
    assert code == 2 and out == ""
    assert err.startswith("tfflow: ") and err.count("\n") == 1 and err.endswith("\n") and len(err) <= 301
    assert set(tmp_path.rglob("*")) == before
    return err.removeprefix("tfflow: ").strip()


def test_a_run_leaves_weights_report_history_and_table(trained, clip):
    out, printed = trained
    assert {"weights.safetensors", "report.png", "history.jsonl", "run.json", "state.safetensors"} <= {
        p.name for p in out.iterdir()
    }
    assert list((out / "tensorboard").glob("events*"))
    words = " ".join(printed.split())
    for part in ("6 steps of 2 pairs of 24x32 px", "before", "photometric", "census", "distillation", "DIS medium"):
        assert part in words
    rows = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 4, 6]
    report = cv2.imread(str(out / "report.png"))
    assert report.shape[1] >= 1000 and report.std() > 10


def test_its_weights_can_be_used(trained, clip):
    model = tfflow.load(trained[0])
    frames = [cv2.imread(str(clip / f"{k:03d}.png")) for k in (0, 1)]
    flow = model.flow(*frames, channels="bgr")
    assert flow.shape == (40, 56, 2) and flow.dtype == np.float32 and np.isfinite(flow).all()
    assert model.name == "tiny"
    expected = {"model": "tiny", "recipe": "ddflow_quick", "steps": "6", "data": f"frames:{clip}", "start": "random"}
    assert expected.items() <= model.metadata.items()


def test_a_run_that_ended_says_so_and_changes_nothing(trained, clip, monkeypatch):
    out = trained[0]
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in out.rglob("*") if p.is_file()}
    monkeypatch.setattr("tfflow.api.run.Trainer", None)  # it is not needed to say so
    code, printed, err = finished(SMALL, "--data", f"frames:{clip}", "--out", out)
    assert code == 0 and err == ""
    assert printed.startswith("this run has ended after 6 steps: weights in ")
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in out.rglob("*") if p.is_file()} == before


def test_a_report_that_was_not_written_is_written(trained, clip):
    report = trained[0] / "report.png"
    weights = (trained[0] / "weights.safetensors").read_bytes()
    report.unlink()
    code, _, err = finished(SMALL, "--data", f"frames:{clip}", "--out", trained[0])
    assert code == 0, err
    assert report.is_file() and (trained[0] / "weights.safetensors").read_bytes() == weights


def test_another_run_s_folder_is_refused(trained, clip, tmp_path):
    for option, value, text in (("--seed", 8, "seed 0, now 8"), ("--steps", 80, "steps 6, now 80")):
        line = refused(tmp_path, SMALL, "--data", f"frames:{clip}", "--out", trained[0], option, value)
        assert line.startswith(f"--out '{trained[0]}' holds another run: {text}; repeat its command")


def test_a_damaged_history_is_refused_with_its_line(clip, tmp_path):
    options = [*SMALL, "--recipe", "back_to_basics", "--data", f"frames:{clip}", "--out", tmp_path / "run"]
    assert finished(options)[0] == 0
    (tmp_path / "run" / "report.png").unlink()
    path = tmp_path / "run" / "history.jsonl"
    path.write_bytes(path.read_bytes().replace(b"brightness", b"bright\xffess", 1))
    code, _, err = finished(options)
    assert code == 2 and err.count("\n") == 1 and "history.jsonl' is damaged in line 1: repair it, or remove" in err
    path.unlink()  # what it says to do
    assert finished(options)[0] == 0


def test_a_rate_that_was_too_high_is_lowered_in_the_same_folder(clip, tmp_path):
    options = [*SMALL, "--recipe", "back_to_basics", "--data", f"frames:{clip}", "--out", tmp_path / "x[/red]:boom:y"]
    code, _, err = finished(options, "--learning-rate", 1e9)
    assert code == 2 and "Repeat the command with a lower --learning-rate, which goes back to step 0" in err
    code, out, err = finished(options, "--learning-rate", 1e-4)
    assert code == 0, err
    assert "another learning_rate: 1000000000.0, now 0.0001" in err and "tfflow: it goes back to step 0" in err
    assert "/x[/red]:boom:y" in out.replace("\n", "")  # a name is no markup
    assert "holds another run: learning_rate 0.0001, now 0.001" in finished(options, "--learning-rate", 1e-3)[2]


def test_training_goes_on_from_weights(trained, clip, tmp_path):
    """What a run begins with is what the run before ended with."""
    out = tmp_path / "run"
    options = ["--recipe", "back_to_basics", "--steps", "2", "--batch", "1", "--crop", "24x32", "--val-limit", "2"]
    code, _, err = finished(options, "--weights", trained[0], "--data", f"frames:{clip}", "--out", out)
    assert code == 0, err
    end, start = (read_state(folder)[1].scores for folder in (trained[0], out))
    assert {**start[0], "when": ""} == {**end[-1], "when": ""}
    assert tfflow.load(out).name == "tiny"
    other = refused(tmp_path, "--weights", trained[0], "--model", "spynet_mobile", "--data", f"frames:{clip}")
    assert other == f"--weights {trained[0]} is a tiny, --model says spynet_mobile"


@pytest.mark.parametrize("weights", ["spynet_mobile", "a run"])
def test_a_run_records_pretrained_weights_by_name_and_checksum_and_others_by_their_file(weights, trained, tmp_path):
    """So a run from pretrained weights continues where the package is installed in another place."""
    given = str(trained[0]) if weights == "a run" else weights
    settings = TrainSettings(recipe="back_to_basics", weights=given, crop=(64, 64), out=tmp_path / "run")
    run = Run(settings, [], [], wide_console(quiet=True))
    expected = f"spynet_mobile, SHA-256 {record('spynet_mobile')['sha256'][:16]}"
    assert run.marks["weights"] == (str(trained[0] / "weights.safetensors") if weights == "a run" else expected)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("scenes:seed=0,textures=/data/photos,fog=0.1", "scenes:seed=0,textures=photos,fog=0.1"),
        ("scenes:textures=photos/", "scenes:textures=photos/"),
        ("scenes:textures=C:\\data\\photos + chairs:/data/chairs", "scenes:textures=photos + chairs:/data/chairs"),
        ("video:/data/a.mp4", "video:/data/a.mp4"),
    ],
)
def test_weights_and_report_name_a_folder_of_textures_without_its_path(name, published):
    assert _to_publish(name) == published


@pytest.mark.parametrize(
    ("options", "start", "recipe", "model"),
    [
        ([], None, "ddflow_lk", "pwcnet_mobile_lk"),
        (["--data", "{clip}"], "pwcnet_mobile_v4", "textured_tune", "pwcnet_mobile_v4"),
        (["--data", "{clip}", "--weights", "random"], None, "ddflow_lk", "pwcnet_mobile_lk"),
        (["--data", "{clip}", "--recipe", "back_to_basics"], None, "back_to_basics", "flownets"),
        (["--data", "{clip}", "--model", "tiny"], None, "ddflow_quick", "tiny"),
        (["--model", "pwcnet_mobile"], None, "ddflow_quick", "pwcnet_mobile"),
        (["--model", "pwcnet_mobile_lk"], None, "ddflow_lk", "pwcnet_mobile_lk"),
        (["--data", "{clip}", "--model", "spynet_mobile"], "spynet_mobile", "textured_tune", "spynet_mobile"),
        (["--data", "{clip}", "--data", "scenes:size=64x64"], "pwcnet_mobile_v4", "textured_tune", "pwcnet_mobile_v4"),
        (["--data", "scenes:size=64x64"], None, "ddflow_lk", "pwcnet_mobile_lk"),
        (["--weights", "pwcnet_mobile"], "pwcnet_mobile", "ddflow_tune", "pwcnet_mobile"),
        (["--recipe", "ddflow_tune"], "pwcnet_mobile", "ddflow_tune", "pwcnet_mobile"),
        (["--recipe", "ddflow_tune", "--weights", "random"], None, "ddflow_tune", "pwcnet_mobile"),
        (["--recipe", "ddflow_tune", "--model", "spynet_mobile"], "spynet_mobile", "ddflow_tune", "spynet_mobile"),
        (["--recipe", "supervised_mobile_v2"], "pwcnet_mobile", "supervised_mobile_v2", "pwcnet_mobile_v2"),
        (["--recipe", "supervised_spynet_v2"], "pwcnet_mobile_v2", "supervised_spynet_v2", "spynet_mobile_v2"),
        (["--recipe", "supervised_spynet_v3"], "spynet_mobile_v2", "supervised_spynet_v3", "spynet_mobile_v3"),
        (["--recipe", "supervised_mobile_v3"], "pwcnet_mobile_v2", "supervised_mobile_v3", "pwcnet_mobile_v3"),
        (
            ["--recipe", "self_taught_mobile_v3"],
            "pwcnet_mobile_unsupervised",
            "self_taught_mobile_v3",
            "pwcnet_mobile_v3",
        ),
    ],
)
def test_frames_of_one_s_own_train_on_from_pretrained_weights(options, start, recipe, model, tmp_path):
    clip = moving(tmp_path, count=2, height=100, width=140)
    args = parser().parse_args([o.format(clip=clip) for o in options])
    sources = [open_source(data) for data in args.data]
    settings = starting_weights(TrainSettings(args.recipe, args.model, args.weights), sources)
    chosen, network = planned(settings, sources)
    assert (settings.weights, chosen.name, network) == (start, recipe, model)


def test_a_video_trains(tmp_path):
    video = trees.video(tmp_path / "holiday.mp4", count=6, code="mp4v", height=48, width=64)
    code, printed, err = finished(
        SMALL, "--recipe", "back_to_basics", "--data", f"video:{video}", "--out", tmp_path / "run"
    )
    assert code == 0, err
    assert "(5 pairs)" in " ".join(printed.split())
    assert tfflow.load(tmp_path / "run").metadata["data"] == f"video:{video}"


def test_labels_train_on_scenes_and_on_half_a_batch_of_two_sources(tmp_path):
    out = tmp_path / "run"
    scenes = [f"scenes:size=32x40,count=3,seed={seed}" for seed in (1, 2)]
    code, _, err = finished(
        SMALL, "--recipe", "supervised", "--data", scenes[0], "--data", scenes[1], "--val", scenes[1], "--out", out
    )
    assert code == 0, err
    assert {"before", "S_long"} == {s["when"] for s in read_state(out)[1].scores}
    assert all(s["epe"] > 0 for s in read_state(out)[1].scores)
    assert json.loads((out / "run.json").read_text())["pairs"] == 6


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_130_and_the_state_kept(clip, tmp_path, monkeypatch, number):
    show = Bar.show

    def shown(self, step, *others):
        show(self, step, *others)
        if step == 2:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(Bar, "show", shown)
    options = [*SMALL, "--recipe", "back_to_basics", "--data", f"frames:{clip}", "--out", str(tmp_path / "run")]
    code, _, err = finished(options)
    assert code == 130 and err == "tfflow: stopped at step 2, saved; the same command continues\n"
    assert runs.step_of(tmp_path / "run") == 2
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_a_frame_damaged_halfway_is_named_and_what_was_done_is_kept(tmp_path):
    root = moving(tmp_path / "clip", count=9)
    whole = (root / "006.png").read_bytes()
    (root / "006.png").write_bytes(whole[: len(whole) // 2])
    options = [*SMALL, "--recipe", "back_to_basics", "--data", f"frames:{root}", "--val-limit", "1"]
    code, _, err = finished(options, "--out", tmp_path / "run")
    assert code == 2 and err.startswith("tfflow: ") and err.count("\n") == 1 and "006.png" in err
    assert runs.step_of(tmp_path / "run") is not None
    (root / "006.png").write_bytes(whole)
    code, _, err = finished(options, "--out", tmp_path / "run")
    assert code == 0, err


CASES = {
    "missing path": (["--data", "frames:{tmp}/nowhere"], "nowhere"),
    "missing bare path": (["--data", "{tmp}/nowhere"], "no such file or folder: '{tmp}/nowhere'"),
    "empty folder": (["--data", "frames:{tmp}/empty"], "no images in '{tmp}/empty'"),
    "one frame": (["--data", "frames:{tmp}/one"], "'{tmp}/one' holds 1 frame of 1 clip: expected two or more"),
    "sizes": (["--data", "frames:{tmp}/sizes"], "is of another size than its neighbours: expected 10 x 6 pixels"),
    "recipe": (["--recipe", "ddfow"], "unknown recipe 'ddfow': did you mean ddflow or "),
    "model": (["--model", "pwcnet_mobil"], "unknown model 'pwcnet_mobil': did you mean pwcnet_mobile"),
    "kind": (["--data", "sintl-final:/x"], "unknown kind of data 'sintl-final': did you mean sintel-final"),
    "truth": (
        ["--recipe", "supervised", "--data", "frames:{tmp}/three"],
        "recipe supervised learns from ground truth, and frames:{tmp}/three has no flow12, valid1; use a recipe",
    ),
    "crop": (["--model", "tiny", "--crop", "99x200"], "of the network's stride 8: the nearest is 96x200"),
    "no crop": (["--crop", "large"], "argument --crop: expected HEIGHTxWIDTH such as 192x256, got 'large'; see --help"),
    "student": (["--model", "tiny", "--crop", "8x64"], "needs a crop of at least 16 px a side, got 8x64"),
    "batch": (["--devices", "CPU:1", "--batch", "0"], "--batch must be above 0, got 0"),
    "steps": (["--steps", "-3"], "--steps must be above 0, got -3"),
    "nan": (["--learning-rate", "nan"], "--learning-rate must be above 0, got nan"),
    "seed": (["--seed", "-1"], "--seed must be 0 to 4294967295, got -1"),
    "large seed": (["--seed", "4294967296"], "--seed must be 0 to 4294967295, got 4294967296"),
    "infinite rate": (["--learning-rate", "1e999"], "--learning-rate must be at most 1,000,000,000, got inf"),
    "two rates": (["--learning-rate", "1", "--phase-learning-rate", "1"], "exclude each other: give one"),
    "many steps": (["--steps", "1" + "0" * 400], "--steps must be at most 1,000,000,000, got 1000"),
    "no number": (["--steps", "9" * 5000], "argument --steps: invalid int value: '9999"),
    "large crop": (["--model", "tiny", "--crop", "80000x80000"], "px a step are too many: at most 1,073,741,824 px"),
    "nothing to go on from": (["--recipe", "ddflow_mobile"], "goes on from trained weights of pwcnet_mobile: name"),
    "not pretrained": (["--recipe", "ddflow_tune", "--model", "tiny"], "goes on from trained weights of tiny: name"),
    "device": (["--devices", "GPU:77"], "--devices GPU:77: no GPU:77 here; this machine has CPU:0"),
    "precision": (["--precision", "int4"], "argument --precision: invalid choice: 'int4'"),
    "option": (["--stepz", "3"], "unrecognized arguments: --stepz 3; see --help"),
    "textures": (["--textures", "{tmp}/nowhere"], "nowhere"),
    "both": (["--textures", "{tmp}/three", "--data", "scenes"], "--textures belongs to the built-in scenes"),
    "weights": (["--weights", "{tmp}/none.safetensors"], "no such file or folder of weights: '{tmp}/none.safetensors'"),
    "val": (["--val", "frames:{tmp}/one"], "'{tmp}/one' holds 1 frame"),
    "no levels": (["--recipe", "spynet", "--model", "tiny"], "trains weights named level4_... in its phase '1/4'"),
    "foreign": (["--out", "{tmp}/three"], "--out '{tmp}/three' is not empty and holds no training run"),
    "file": (["--out", "{tmp}/three/f8.png"], "is a file, expected a folder"),
    "stranger": (["--weights", "{tmp}/stranger.safetensors"], "network that is not known here: 'raft'"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_in_one_line_with_nothing_left(case, tmp_path):
    (tmp_path / "empty").mkdir()
    trees.frames(tmp_path / "one", 1)
    trees.frames(tmp_path / "three", 3)
    trees.frames(tmp_path / "sizes", 3)
    trees.put_image(tmp_path / "sizes" / "f11.png", trees.picture(1, 7, 10))
    save_arrays(tmp_path / "stranger.safetensors", {"kernel": np.ones(3)}, {"model": "raft"})
    arguments, text = CASES[case]
    assert text.format(tmp=tmp_path) in refused(tmp_path, *(a.format(tmp=tmp_path) for a in arguments))


def test_frames_that_do_not_move_are_said_at_the_start(tmp_path):
    picture = cv2.GaussianBlur(trees.picture(3, 40, 56), (0, 0), 2)
    for k in range(4):
        trees.put_image(tmp_path / "clip" / f"{k}.png", picture)
    code, _, err = finished(SMALL, "--data", f"frames:{tmp_path / 'clip'}", "--out", tmp_path / "run")
    (line,) = [line for line in err.splitlines() if "warning" in line]
    assert code == 0 and line.startswith("tfflow: warning: the frames do not move: of 3 pairs measured in frames:")


def test_frames_that_move_are_not_remarked_on(trained, clip, tmp_path):
    _, _, err = finished(SMALL, "--data", f"frames:{clip}", "--out", tmp_path / "run", "--recipe", "back_to_basics")
    assert "warning" not in err


def test_frames_too_small_for_the_method_are_named_with_their_size(tmp_path):
    clip = trees.frames(tmp_path / "clip", 3)  # 6 x 10 px
    arguments = ["--model", "tiny", "--steps", "6", "--batch", "2", "--out", tmp_path / "run"]
    code, _, err = finished(arguments, "--data", f"frames:{clip}")
    assert code == 2 and f"the frames of frames:{clip} are 6x10: train on larger ones" in err
    assert "choose a larger --crop" in finished(arguments, "--crop", "8x8")[2]
