"""`python -m tfflow.compare`: methods trained alike, and the table of them."""

from __future__ import annotations

import json

import pytest

from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow import train
from tfflow.compare import main
from tfflow.training.checkpoint import read_state

SMALL = ["--model", "tiny", "--steps", "3", "--batch", "2", "--crop", "24x32", "--seeds", "2"]


def test_every_method_is_trained_with_every_seed_and_measured_on_the_same_pairs(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["back_to_basics", "supervised", *SMALL, "--out", str(out)]) == 0
    words = capsys.readouterr().out
    results = json.loads((out / "comparison.json").read_text())["results"]
    assert set(results) == {"back_to_basics", "supervised"}
    for name, runs in results.items():
        assert len(runs) == 2 and name in words
        for seed, scores in enumerate(runs):
            end = read_state(out / f"{name}-{seed}")[1].scores[-1]
            assert scores["epe"] == end["epe"] and scores["epe_occ"] == end["epe_occ"]
        mean = (runs[0]["epe"] + runs[1]["epe"]) / 2
        assert f"{mean:.3f} ±" in words
    first = [read_state(out / f"{name}-0")[1].scores[0] for name in results]
    assert first[0] == first[1]  # same random weights, same pairs


def test_what_was_trained_is_not_trained_again(tmp_path, capsys, monkeypatch):
    arguments = ["back_to_basics", *SMALL[:-1], "1", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    before = json.loads((tmp_path / "out" / "comparison.json").read_text())["results"]
    monkeypatch.setattr(train, "Trainer", None)
    assert main(arguments) == 0
    assert json.loads((tmp_path / "out" / "comparison.json").read_text())["results"] == before


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
