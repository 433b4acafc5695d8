"""Training on one's own frames: scenes are textured with them, stretches held out, the best kept, and the end says what
it was worth."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

from tests.data import trees
from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow.api.own_video import Compared, NothingToLearn, OwnVideo, Verdict, between
from tfflow.api.plan import TrainSettings, planned
from tfflow.api.train import train
from tfflow.data.picked import OwnPairs
from tfflow.data.sources import open_source
from tfflow.evaluation.paired import Gain
from tfflow.models import FlowModel, variant
from tfflow.models.weights import model_arrays, read_arrays, save_arrays
from tfflow.recipes import get_recipe

SMALL = {"recipe": "textured_tune", "steps": 4, "batch": 2, "crop": (24, 32), "val_limit": 2}

USES = ("frames", "report")


def moving(root, count, step=2, height=48, width=64):
    """Frames of a texture that moves so many px to the right and 1 px up each; at 0 all frames are the same."""
    texture = cv2.GaussianBlur(trees.picture(3, height + count, width + 3 * count), (0, 0), 1.5)
    for k in range(count):
        top, left = k * (step > 0), step * (count - k)
        trees.put_image(root / f"{k:03d}.png", texture[top : top + height, left : left + width])
    return root


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    model = FlowModel("tiny", network=variant("tiny").build("float32"))
    save_arrays(path, model_arrays(model.one_way), {"model": "tiny", "recipe": "none"})
    return path


@pytest.fixture(scope="module")
def trained(weights, tmp_path_factory):
    clip = moving(tmp_path_factory.mktemp("clip"), 27)
    folder = tmp_path_factory.mktemp("run") / "run"
    return train(f"frames:{clip}", weights=weights, out=folder, **SMALL), clip


def test_the_end_says_what_it_was_worth(trained):
    run, _ = trained
    line = run.verdict.line()
    assert run.table().count(line.split(":")[0][:30]) == 1
    assert re.search(r"\d held-out pairs? of your frames", line) and line.count("OpenCV DIS") == 2
    assert Verdict.read(run.folder) == run.verdict


def test_the_step_that_is_kept_is_that_of_the_best_checkpoint(trained):
    run, _ = trained
    _, metadata = read_arrays(run.folder / "best.safetensors")
    assert metadata["step"] == str(run.verdict.kept_step)


def test_weights_between_two_others():
    start, end = {"a": np.float32([0, 4]), "n": np.int64(3)}, {"a": np.float32([2, 0]), "n": np.int64(3)}
    for share, expected in ((0.0, [0, 4]), (0.25, [0.5, 3]), (1.0, [2, 0])):
        found = between(start, end, share)
        assert found["a"].tolist() == expected and found["n"] == 3
        assert {k: x.dtype for k, x in found.items()} == {k: x.dtype for k, x in start.items()}


def test_the_verdict_compares_the_best_checkpoint_with_the_weights_of_the_start(trained):
    run, _ = trained
    assert (run.verdict.epe.start == run.verdict.epe.result) == (run.verdict.best_step == 0)


@pytest.mark.parametrize("gain", [Gain(1.0, 1.2), Gain(-9.0, 1.0), Gain(9.0, 6.0)])
def test_only_a_likely_gain_replaces_the_weights_of_the_start(gain, weights, tmp_path, monkeypatch):
    """The best checkpoint is another one: its score is made to be lower than that of the start."""
    scores = iter(range(1000, 0, -1))
    monkeypatch.setattr(OwnVideo, "judge", lambda self, trainer: float(next(scores)))
    monkeypatch.setattr("tfflow.api.own_video.gain_of_typical", lambda *errors: gain)
    clip = moving(tmp_path / "clip", 27)
    run = train(f"frames:{clip}", weights=weights, out=tmp_path / "run", **SMALL)
    start, result = (read_arrays(path)[0] for path in (weights, run.folder / "weights.safetensors"))
    replaced = not all(np.array_equal(start[k], result[k]) for k in start)
    assert run.verdict.best_step > 0 and run.verdict.epe.start != run.verdict.epe.result
    assert replaced == (gain.percent == 9.0) == (run.verdict.kept_step > 0)
    assert ("so the weights that it began with are the result" in run.verdict.line()) == (not replaced)
    best, metadata = read_arrays(run.folder / "best.safetensors")
    assert int(metadata["step"]) == run.verdict.kept_step
    for name, x in result.items():  # half the way from the start, or the start
        np.testing.assert_allclose(x, (start[name] + best[name]) / 2, rtol=1e-6, atol=1e-7)


def test_frames_to_learn_from_and_held_out_ones_are_others(trained):
    run, _ = trained
    learnt, held = ({cv2.imread(str(p)).tobytes() for p in (run.folder / "own" / n).glob("*.png")} for n in USES)
    assert len(learnt) >= 3 and len(held) >= 2 and not learnt & held


def test_frames_and_scores_are_kept_and_not_made_again(trained, weights, monkeypatch):
    run, clip = trained
    (run.folder / "report.png").unlink()
    monkeypatch.setattr("tfflow.data.textured.write_image", None)  # a call would fail
    again = train(f"frames:{clip}", weights=weights, out=run.folder, **SMALL)
    assert again.verdict == run.verdict


def test_frames_that_do_not_move_are_refused_with_what_was_found(weights, tmp_path):
    clip = moving(tmp_path / "clip", 26, step=0)
    with pytest.raises(NothingToLearn, match=r"do not move in any of \d+ pairs measured \(0 have no texture\)"):
        train(f"frames:{clip}", weights=weights, out=tmp_path / "run", **SMALL)
    other = moving(tmp_path / "other", 26, step=0)  # a refused run leaves the folder to others
    with pytest.raises(NothingToLearn):
        train(f"frames:{other}", weights=weights, out=tmp_path / "run", **SMALL)


def test_few_frames_are_refused_whatever_they_show(weights, tmp_path):
    clip = moving(tmp_path / "clip", 10)
    with pytest.raises(NothingToLearn, match=r"9 pairs of frames are too few .* at least 24"):
        train(f"frames:{clip}", weights=weights, out=tmp_path / "run", **SMALL)


def test_wide_frames_are_trained_on_nearly_as_they_are(tmp_path):
    """The network is used at the frames' size: shrunk textures would be sharper, with less noise."""
    source = open_source(f"frames:{moving(tmp_path / 'clip', 2, height=200, width=1300)}")
    settings = TrainSettings(recipe="textured_tune", weights="pwcnet_mobile_v4")
    assert planned(settings, [source])[0].crop == get_recipe("textured_tune").crop
    assert OwnPairs(source, [(0, 0)]).sample(0)["image1"].shape == (197, 1280, 3)


BEGAN = "the weights that training began with"
WARPING = (0.02, 0.024, 0.03)


@pytest.mark.parametrize(
    ("gain", "warping", "step", "words", "end"),
    [
        ((25.0, 4.0), WARPING, 40, f"better than {BEGAN} (+25.0 %, standard error 4.0):", "0.03"),
        ((-9.0, 4.0), WARPING, 40, "WORSE after training (-9.0 %, standard error 4.0), so the weights that it", "0.03"),
        ((7.0, 4.0), WARPING, 40, f"probably better than {BEGAN} (+7.0 %, standard error 4.0):", "0.03"),
        ((3.0, 4.0), WARPING, 40, "not better after training (+3.0 %, standard error 4.0), so the weights", "0.03"),
        ((25.0, float("inf")), WARPING, 40, "not better after training", "0.03"),
        ((25.0, 4.0), (0.02, 0.026, 0.03), 40, "better than the weights", "compare both on ground truth"),
        ((0.0, 0.0), WARPING, 0, "nothing was better than the weights that training began with", "0.03"),
    ],
)  # fmt: skip
def test_a_verdict_in_words(gain, warping, step, words, end):
    of_epe, of_warping = Compared(2.0, 1.5, 1.25), Compared(*warping)
    line = Verdict(of_epe, Gain(*gain), of_warping, step, 12, False).line()
    assert line.startswith(words) and line.endswith(end)
    assert "OpenCV DIS 1.25;" in line and "selected by" not in line
    assert "which it was selected by, too" in Verdict(of_epe, Gain(*gain), of_warping, step, 12, True).line()


def test_a_verdict_is_read_as_it_was_kept(tmp_path):
    verdict = Verdict(Compared(2.0, 1.5, 1.25), Gain(25.0, 4.0), Compared(0.02, 0.01, 0.03), 40, 12, True)
    verdict.save(tmp_path)
    assert Verdict.read(tmp_path) == verdict
    (tmp_path / "verdict.json").write_text('{"start": 1.0}')  # of an earlier release
    assert Verdict.read(tmp_path) is None
