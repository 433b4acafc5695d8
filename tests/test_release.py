"""Pretrained weights: what a release writes, and that what comes with the package is whole, measured and described."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import tfflow
from tests.data import trees
from tests.training import tiny as tiny_networks  # registers the networks
from tfflow import models
from tfflow.api.release import LARGEST
from tfflow.commands import release, train
from tfflow.data.sources import open_source
from tfflow.evaluation import model_card, scoring
from tfflow.evaluation.refinement import refined
from tfflow.evaluation.scoring import Result
from tfflow.evaluation.still import still
from tfflow.layers import Scale
from tfflow.models import PRETRAINED, RUN_WEIGHTS, pretrained_names, record
from tfflow.models.weights import read_arrays, save_arrays

ROOT = Path(__file__).parents[1]
PAIRS = "scenes:size=40x56,count=3,seed=9"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run that went on from another one."""
    folder = tmp_path_factory.mktemp("runs")
    small = [
        "--steps",
        "2",
        "--batch",
        "2",
        "--crop",
        "24x32",
        "--val-limit",
        "2",
        "--data",
        "scenes:size=24x32,count=8",
    ]
    first = ["--recipe", "back_to_basics", "--model", "tiny", "--out", str(folder / "first")]
    second = ["--recipe", "supervised", "--weights", str(folder / "first"), "--out", str(folder / "second")]
    assert train.main([*small, *first]) == train.main([*small, *second]) == 0
    return folder / "second"


@pytest.fixture(scope="module")
def release_of_run(run, tmp_path_factory):
    """The folder of a release, and what it printed."""
    folder, printed = tmp_path_factory.mktemp("release"), io.StringIO()
    (folder / "notes.md").write_text("Tried: *little*.")
    where = ["--pretrained", str(folder / "pretrained"), "--docs", str(folder / "docs")]
    options = [*where, "--notes", str(folder / "notes.md")]
    with contextlib.redirect_stdout(printed):
        assert release.main([str(run), "--name", "little", "--data", PAIRS, *options]) == 0
    return folder, printed.getvalue()


@pytest.fixture
def released(release_of_run, tmp_path, monkeypatch):
    """A copy of it, whose weights are the pretrained ones."""
    folder, printed = release_of_run
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(models, "PRETRAINED", tmp_path / "pretrained")
    return tmp_path, printed


def test_a_release_is_the_run_s_weights_with_all_that_led_to_them(released, run):
    folder, _ = released
    image = np.random.default_rng(0).uniform(size=[2, 40, 56, 3]).astype(np.float32)
    assert np.array_equal(tfflow.load("little").flow(*image), tfflow.load(run).flow(*image))
    found = record("little")
    assert hashlib.sha256((folder / "pretrained" / "little.safetensors").read_bytes()).hexdigest() == found["sha256"]
    first, second = found["training"]
    assert (first["recipe"], first["steps"], first["start"]) == ("back_to_basics", 2, "random")
    assert (second["recipe"], second["steps"], second["start"]) == ("supervised", 2, "the row above")
    assert 0 < first["hours"] < 1 and found["labels"] and found["network"] == "tiny"


def test_its_figures_are_those_of_an_evaluation(released, run):
    (entry,) = record("little")["scores"]
    assert entry["data"] == "scenes" and entry["pairs"] == 3
    ours = {
        "little",
        *(f"little at {use}" for use in ("0.5,1 + variational", "1,2 + variational", "0.5,1,2 + variational")),
        "little + variational",
    }
    assert set(entry["epe"]) == {"zero flow", "Farneback", "DIS fast", "DIS medium"} | ours
    again = {"little": tfflow.load(run)}
    again |= {
        f"little at {scales} + variational": refined(
            tfflow.load(run, scales=[float(x) for x in scales.split(",")]), "variational"
        )
        for scales in ("0.5,1", "1,2", "0.5,1,2")
    }
    for use, result in scoring.run(again, open_source(PAIRS)).items():
        assert entry["epe"][use] == pytest.approx(result.summary()["mean_over_images"]["epe"], rel=1e-6)


def test_what_it_says_where_nothing_moves_is_on_record(released, run):
    folder, _ = released
    found = record("little")["still"]
    assert found == pytest.approx(still(tfflow.load(run).batch), rel=1e-4)
    assert found["identical"] == 0 < found["one grey level apart"]
    page = (folder / "docs" / "little.md").read_text()
    assert f"at most 0.00 px where both are identical, {found['one grey level apart']:.2f} px" in page


def test_a_network_that_moves_identical_frames_is_not_released(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tfflow.models.flow_model.at_rest", lambda flows, images1, images2: flows + np.float32(0.2))
    assert "identical frames move by" in refusal(run, tmp_path, capsys)


def test_the_card_and_the_table_say_what_is_on_record(released):
    folder, printed = released
    found = record("little")
    card = (folder / "docs" / "little.md").read_text()
    assert card == model_card.card(found) and printed.strip() in card
    for part in (found["sha256"], "`back_to_basics`", "exact flow", "Tried: *little*.", f"{found['parameters']:,}"):
        assert part in card
    best = min(epe for label, epe in found["scores"][0]["epe"].items() if " at " not in label)
    assert f"**{best:.2f}**" in printed
    assert (folder / "docs" / "little.png").stat().st_size > 1000


def test_pretrained_weights_go_into_a_network_that_extends_theirs_without_training(released, capsys):
    """The new network doubles the flow of `tiny`, with the same weights."""
    folder, _ = released
    tfflow.register_network("twice_tiny", TwiceTiny, extends="tiny")
    where = ["--pretrained", str(folder / "pretrained"), "--docs", str(folder / "docs")]
    assert release.main(["little", "--name", "twice_tiny", "--data", PAIRS, *where]) == 0
    before, after = record("little"), record("twice_tiny")
    assert after["network"] == "twice_tiny" and after["training"] == before["training"]
    image = np.random.default_rng(0).uniform(size=[2, 40, 56, 3]).astype(np.float32)
    expected = 2 * tfflow.load("little").flow(*image)
    np.testing.assert_allclose(tfflow.load("twice_tiny").flow(*image), expected, atol=1e-4)
    assert (folder / "docs" / "twice_tiny.png").read_bytes() == (folder / "docs" / "little.png").read_bytes()
    capsys.readouterr()
    assert release.main(["little", "--name", "spynet_mobile", "--data", PAIRS, *where]) == 2
    assert "'little' is a tiny, which 'spynet_mobile' does not extend" in capsys.readouterr().err
    (folder / "docs" / "little.png").unlink()
    assert release.main(["little", "--name", "twice_tiny.again", "--data", PAIRS, *where]) == 2
    assert "little.png', the report of little; name the folder of its card" in capsys.readouterr().err
    assert not list(folder.rglob("twice_tiny.again*"))


class TwiceTiny(tiny_networks.Tiny):
    """`tiny` and its flow again."""

    def decode(self, features1, features2):
        flow, *coarser = super().decode(features1, features2)
        return [Scale(2.0, dtype="float32", name="twice")(flow), *coarser]


def test_pretrained_weights_can_be_measured_again(released, capsys):
    folder, _ = released
    before, weights = record("little"), (folder / "pretrained" / "little.safetensors").read_bytes()
    where = ["--pretrained", str(folder / "pretrained"), "--docs", str(folder / "docs")]
    other = "scenes:size=32x40,count=2,seed=9"
    assert release.main(["--name", "little", "--data", other, *where]) == 0
    after = record("little")
    assert {**after, "scores": 0} == {**before, "scores": 0} and after["scores"] != before["scores"]
    assert after["scores"][0]["pairs"] == 2 and capsys.readouterr().out.strip() in model_card.card(after)
    assert (folder / "docs" / "little.md").read_text() == model_card.card(after)
    assert (folder / "pretrained" / "little.safetensors").read_bytes() == weights


def test_scenes_of_a_source_stand_apart_and_are_means_over_their_pairs():
    result = Result("sintel-clean:/x", "net", truth=True)
    result.averages.images.update({"a/1": {"epe": (2.0, 2)}, "a/2": {"epe": (9.0, 3)}, "b/1": {"epe": (5.0, 1)}})
    assert model_card.scores({"net": result}) == [
        {"data": "sintel-clean a", "pairs": 2, "epe": {"net": 2.0}},
        {"data": "sintel-clean b", "pairs": 1, "epe": {"net": 5.0}},
    ]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["{run}", "--name", "x"], "expected --name and at least one --data with"),
        (["--name", "x", "--data", PAIRS], "'x' is not among the pretrained weights (pwcnet_mobile, "),
        (["{run}", "--name", "x", "--data", "{tmp}/frames"], "has no ground truth to measure on"),
        (["{tmp}/no", "--name", "x", "--data", PAIRS], "no such file or folder of weights"),
    ],
)
def test_what_cannot_be_released_is_said_in_a_line_and_leaves_nothing(arguments, line, run, tmp_path, capsys):
    trees.frames(tmp_path / "frames", 2)
    where = ["--pretrained", str(tmp_path / "pretrained"), "--docs", str(tmp_path / "docs")]
    assert release.main([*(a.format(run=run, tmp=tmp_path) for a in arguments), *where]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1
    assert not (tmp_path / "pretrained").exists() and not (tmp_path / "docs").exists()


def test_weights_of_unknown_descent_are_not_released(run, tmp_path, capsys):
    """Whether they have seen labels is not on record."""
    copy = shutil.copytree(run, tmp_path / "copy")
    arrays, metadata = read_arrays(copy / RUN_WEIGHTS)
    save_arrays(copy / RUN_WEIGHTS, arrays, {**metadata, "start": "gone.safetensors"})
    assert refusal(copy, tmp_path, capsys).endswith(
        "'gone.safetensors', which is neither pretrained weights nor the folder of a run"
    )


def test_a_run_without_its_report_or_state_is_not_released(run, tmp_path, capsys):
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "report.png").unlink()
    assert "has no report.png: repeat its command, which writes it" in refusal(copy, tmp_path, capsys)
    for state in copy.glob("state*.safetensors"):
        state.unlink()
    assert "is not the output folder of a training run" in refusal(copy, tmp_path, capsys)


def test_weights_too_large_for_the_package_are_refused_and_leave_no_record(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tfflow.api.release.LARGEST", 1000)
    assert "bytes, those of pretrained weights take at most 1,000" in refusal(run, tmp_path, capsys)


def refusal(run, tmp_path, capsys) -> str:
    """The one line of a release that left nothing."""
    where = ["--pretrained", str(tmp_path / "pretrained"), "--docs", str(tmp_path / "docs")]
    assert release.main([str(run), "--name", "x", "--data", PAIRS, *where]) == 2
    assert not [p for folder in ("pretrained", "docs") for p in (tmp_path / folder).rglob("*")]
    err = capsys.readouterr().err.splitlines()
    assert err[-1].startswith("tfflow: ")
    return err[-1]


@pytest.mark.parametrize("name", pretrained_names())
def test_pretrained_weights_are_whole_and_described(name):
    path, found = PRETRAINED / f"{name}.safetensors", record(name)
    assert path.stat().st_size == found["bytes"] <= LARGEST
    assert hashlib.sha256(path.read_bytes()).hexdigest() == found["sha256"]
    model = tfflow.load(name)
    assert (model.name, model.parameters) == (found["network"], found["parameters"])
    card = ROOT / "docs" / "models" / f"{name}.md"
    assert card.read_text("utf-8") == model_card.card(found)
    assert card.with_suffix(".png").is_file()


def test_the_table_of_the_documents_is_that_of_the_pretrained_weights(capsys):
    assert release.main(["--table"]) == 0
    assert capsys.readouterr().out.strip() in (ROOT / "docs" / "results.md").read_text("utf-8")


def test_no_number_is_bold_that_the_default_does_not_give():
    epe = {"DIS medium": 0.31, "net": 0.39, "net at 1,2": 0.26, "net + variational": 0.2}
    lines = model_card.scores_table([{"scores": [{"data": "chairs", "pairs": 2, "epe": epe}]}]).splitlines()
    assert [line for line in lines if "**" in line] == ["| DIS medium | **0.31** |"]


def test_pretrained_weights_are_in_the_package():
    assert "pwcnet_mobile" in pretrained_names()
    assert all(json.loads((PRETRAINED / f"{name}.json").read_text())["name"] == name for name in pretrained_names())
