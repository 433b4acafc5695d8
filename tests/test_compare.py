"""`python -m tfflow.compare`: methods trained alike, and the table of them."""

from __future__ import annotations

import dataclasses
import json

import cv2
import numpy as np
import pytest

from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow.api import run as training
from tfflow.api.compare import comparison_table as table
from tfflow.commands.compare import main
from tfflow.recipes import RECIPES, get_recipe
from tfflow.training.checkpoint import read_state

METHODS = ["back_to_basics", "supervised"]
SMALL = ["--model", "tiny", "--steps", "2", "--batch", "2", "--crop", "24x32", "--seeds", "1"]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder of two methods trained once each."""
    folder = tmp_path_factory.mktemp("compared") / "out"
    assert main([*METHODS, *SMALL, "--out", str(folder)]) == 0
    return folder


def results(out):
    return json.loads((out / "comparison.json").read_text())["results"]


def test_every_method_is_trained_and_measured_on_the_same_pairs(out):
    assert list(results(out)) == METHODS
    for name, (scores,) in results(out).items():
        end = read_state(out / f"{name}-0")[1].scores[-1]
        assert scores["epe"] == end["epe"] and scores["epe_occ"] == end["epe_occ"]
    first = [read_state(out / f"{name}-0")[1].scores[0] for name in METHODS]
    assert first[0] == first[1]  # same random weights, same pairs
    settings = [json.loads((out / f"{name}-0" / "run.json").read_text()) for name in METHODS]
    assert settings[0]["data"] == settings[1]["data"] and settings[0]["recipe"] != settings[1]["recipe"]


def test_what_was_trained_is_not_trained_again(out, capsys, monkeypatch):
    before = results(out)
    monkeypatch.setattr(training, "Trainer", None)
    assert main([*METHODS, *SMALL, "--out", str(out)]) == 0
    assert results(out) == before
    words = capsys.readouterr().out
    assert all(name in words and f"{before[name][0]['epe']:.3f}" in words for name in METHODS)


def test_the_table_shows_means_and_spread_over_seeds():
    runs = [{"epe": 1.0, "steps_per_second": 2.0}, {"epe": 3.0, "steps_per_second": 4.0}]
    shown = table({"a": [{"network": "tiny", **scores} for scores in runs]})
    assert [column.header for column in shown.columns] == ["method", "EPE", "steps/s", "trainings"]
    assert [next(iter(column.cells)) for column in shown.columns] == ["a", "2.000 ± 1.414", "3.00", "2"]
    assert shown.title == "tiny by each method"


def test_the_table_names_networks_where_there_are_several():
    scores = {"epe": 1.0, "steps_per_second": 2.0}
    shown = table({name: [{"network": f"of {name}", **scores}] for name in "ab"})
    assert shown.title is None and shown.columns[1].header == "network"
    assert list(shown.columns[1].cells) == ["of a", "of b"]


def test_each_method_trains_its_paper_s_network_where_asked(tmp_path):
    own = dataclasses.replace(get_recipe("back_to_basics"), name="own_tiny", model="tiny")
    small = ["--steps", "1", "--batch", "1", "--crop", "24x32", "--seeds", "1"]
    with RECIPES.temporarily(own_tiny=own):
        assert main(["own_tiny", *small, "--model", "own", "--out", str(tmp_path / "out")]) == 0
    (scores,) = results(tmp_path / "out")["own_tiny"]
    assert scores["network"] == "tiny"
    assert json.loads((tmp_path / "out" / "own_tiny-0" / "run.json").read_text())["model"] == "tiny"


def test_all_begin_at_the_rate_that_is_given(tmp_path):
    assert (
        main(["back_to_basics", *SMALL, "--steps", "1", "--learning-rate", "0.003", "--out", str(tmp_path / "out")])
        == 0
    )
    rows = [json.loads(line) for line in (tmp_path / "out/back_to_basics-0/history.jsonl").read_text().splitlines()]
    rate = get_recipe("back_to_basics").phases[0].learning_rate.rate
    assert rate == 1e-5 and rows[-1]["rate"] == pytest.approx(0.003)


def test_what_has_no_ground_truth_compares_nothing(tmp_path, capsys):
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.zeros((32, 32, 3), np.uint8))
    assert main(["ddflow", "--val", f"frames:{tmp_path}", "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert "has no ground truth" in err and err.count("\n") == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["ddflw"], "unknown recipe 'ddflw'"),
        (["ddflow", "ddflow"], "ddflow is named twice"),
        (["ddflow", "--seeds", "0"], "--seeds must be at least 1, got 0"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments, line, tmp_path, capsys):
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1 and not (tmp_path / "out").exists()
