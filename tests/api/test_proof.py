"""`tfflow.api.proof`: trainings on domains of built-in scenes, measured on other scenes of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.api.test_own_video import weights  # noqa: F401 (a fixture)
from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow.api import proof
from tfflow.errors import InputError


def test_gains_come_with_their_standard_errors_and_finished_trainings_are_measured_again(
    weights,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    monkeypatch.setattr(proof, "MEASURED", 6)
    monkeypatch.setattr(proof, "REPORTED", 2)
    small = {"steps": 2, "size": (48, 64), "crop": (24, 32), "pairs": 30, "seeds": 2, "weights": weights}
    found = proof.prove(["fog"], out=tmp_path, **small)
    trials = found.trials["fog"]
    assert [t.before.shape for t in trials] == [(6,), (6,)]
    np.testing.assert_array_equal(trials[0].before, trials[1].before)  # the same pairs, the same weights
    of_mean, typical = found.gains("fog")
    after = np.mean([t.after for t in trials])
    assert of_mean.percent == pytest.approx(100 * (1 - after / trials[0].before.mean()))
    head, _, row = found.table().splitlines()
    assert "gain of a typical pair" in head and of_mean.text() in row and typical.text() in row
    kept = json.loads((tmp_path / "proof.json").read_text())
    assert kept["trials"]["fog"][1]["after"] == trials[1].after.tolist() and kept["dis"]["fog"] > 0
    stamps = [p.stat().st_mtime_ns for p in sorted(tmp_path.glob("fog-*/weights.safetensors"))]
    again = proof.prove(["fog"], out=tmp_path, **small)
    assert stamps == [p.stat().st_mtime_ns for p in sorted(tmp_path.glob("fog-*/weights.safetensors"))]
    assert again.gains("fog") == found.gains("fog")


def test_what_cannot_be_proven_is_refused(tmp_path):
    with pytest.raises(InputError, match="domain"):
        proof.prove(["snow"], out=tmp_path)
    with pytest.raises(InputError, match="`seeds` must be at least 1"):
        proof.prove(["fog"], seeds=0, out=tmp_path)
