"""From frames to files for the phone in one call: what does not move is not trained on, and what is made is kept."""

from __future__ import annotations

import json

import pytest

import tfflow
from tests.api.test_own_video import moving
from tfflow.api.phone import phone
from tfflow.errors import InputError

SMALL = {"weights": "spynet_mobile", "size": (64, 64), "precision": "fp16"}


def test_frames_that_stand_still_give_the_files_of_the_pretrained_weights(tmp_path, capsys):
    clip, out = moving(tmp_path / "clip", 8, step=0), tmp_path / "out"
    result = phone(clip, out, **SMALL)
    assert (
        "shows motion" in result.verdict and "the files are of the pretrained weights spynet_mobile" in result.verdict
    )
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


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"hours": 0.1}, "`hours` must be above 0.2 and at most 1,000, got 0.1"),
        ({"hours": 1, "steps": 5}, "`hours` and `steps` exclude each other"),
        ({"weights": "pwcnet"}, "`weights` must be pretrained weights (pwcnet_mobile, "),
        ({"precision": "int4"}, "int4"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_made(tmp_path, arguments, line):
    with pytest.raises(InputError) as refused:
        phone(tmp_path, tmp_path / "out", **(SMALL | arguments))
    assert line in str(refused.value) and not (tmp_path / "out").exists()
