"""From frames to files for the phone in one call: what does not move is not trained on, and what is made is kept."""

from __future__ import annotations

import dataclasses
import json
import sys

import pytest

import tfflow
from tests.api.test_own_video import moving
from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow.api.phone import phone
from tfflow.errors import InputError
from tfflow.exporting.run import ExportResult
from tfflow.recipes import get_recipe
from tfflow.training.pace import steps_a_second

SMALL = {"weights": "spynet_mobile", "size": (64, 64), "precision": "fp16"}


def test_frames_to_learn_nothing_from_give_the_files_of_the_pretrained_weights(tmp_path, capsys):
    clip, out = moving(tmp_path / "clip", 8, step=0), tmp_path / "out"
    result = phone(clip, out, **SMALL)
    assert "the frames do not move" in result.verdict
    assert "the files are of the pretrained weights spynet_mobile" in result.verdict
    assert result.accepted == ("fp16",) and result.rejected == ()
    assert (out / "START.txt").read_text() == f"{result.verdict}\ntfflow web --model {out / 'fp16'}\n"
    manifest = json.loads((out / "fp16" / "model.json").read_text())
    assert manifest["precision"] == "fp16" and tfflow.load(out / "fp16" / "model.tflite")
    assert capsys.readouterr().out == ""

    before = (out / "fp16" / "model.tflite").stat().st_mtime_ns
    phone(clip, out, **SMALL)  # again: nothing is made anew
    assert (out / "fp16" / "model.tflite").stat().st_mtime_ns == before
    (out / "fp16" / "model.tflite").unlink()
    phone(clip, out, **SMALL)  # what is missing is
    assert (out / "fp16" / "model.tflite").is_file()


def test_hours_become_steps_at_the_pace_of_this_machine(tmp_path, monkeypatch):
    measured, trained = [], []

    def steps_a_second(recipe, model, devices):
        measured.append((recipe.name, model, devices))
        return 0.5

    def train(*args, steps, **options):
        trained.append(steps)
        raise module.NothingToLearn("still")

    module = sys.modules[phone.__module__]
    monkeypatch.setattr(module, "steps_a_second", steps_a_second)
    monkeypatch.setattr(module, "train", train)
    monkeypatch.setattr(module, "_exported", lambda *given: ())
    clip, out = moving(tmp_path / "clip", 4, step=0), tmp_path / "out"
    phone(clip, out, hours=2, **SMALL)
    assert measured == [("textured_tune", "spynet_mobile", "auto")]
    assert trained == [2 * 3600 * 0.5 - module.FIXED_STEPS]
    phone(clip, out, hours=2, **SMALL)  # continued: the same number of steps, whatever else the machine does
    assert len(measured) == 1 and trained[1] == trained[0]
    phone(clip, out, hours=0.01, **SMALL)
    assert len(measured) == 2 and trained[2] == module.FEWEST_STEPS


def test_the_pace_is_that_of_whole_steps():
    recipe = get_recipe("textured_tune")
    small = dataclasses.replace(recipe, model="tiny", crop=(48, 64))
    one, many = (steps_a_second(dataclasses.replace(small, batch=batch), "tiny") for batch in (1, 64))
    assert 0 < many < one


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"hours": 0}, "`hours` must be above 0 and at most 1,000, got 0"),
        ({"hours": 0.1}, "no images in"),  # the pace is not measured first
        ({"hours": 1, "steps": 5}, "`hours` and `steps` exclude each other"),
        ({"weights": "pwcnet"}, "`weights` must be pretrained weights (pwcnet_mobile, "),
        ({"precision": "int4"}, "int4"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_made(tmp_path, arguments, line):
    with pytest.raises(InputError) as refused:
        phone(tmp_path, tmp_path / "out", **(SMALL | arguments))
    assert line in str(refused.value) and not (tmp_path / "out").exists()


def test_int8_of_weights_that_were_not_trained_learns_by_the_quick_recipe(tmp_path, monkeypatch):
    """That of pretrained weights has larger frames, and takes several times as long."""
    module, asked = sys.modules[phone.__module__], []

    def export(weights, place, settings, say):
        asked.append(settings)
        return ExportResult(())

    monkeypatch.setattr(module, "export", export)
    monkeypatch.setattr(module, "require_libraries", lambda precisions: None)
    options = {"weights": "spynet_mobile", "precision": "int8-qat", "skip_training": True}
    phone(moving(tmp_path / "clip", 3), tmp_path / "out", **options)
    assert [(settings.recipe, settings.steps) for settings in asked] == [(module.RECIPE, module.STEPS_OF_QAT)]
