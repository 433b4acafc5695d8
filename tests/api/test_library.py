"""`import tfflow`: what it gives, what it leaves alone, and a whole way from training to the phone in one script."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tfflow
from tests.data.test_cuts import clip
from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow import messages, models
from tfflow.data.images import read_image
from tfflow.errors import InputError
from tfflow.models.weights import save_weights

ROOT = Path(__file__).parents[2]

IMPORTED = """
import logging, os, sys, warnings
before = dict(os.environ), {n: l.level for n, l in logging.root.manager.loggerDict.items() if hasattr(l, "level")}
filters = list(warnings.filters)
import tfflow
tfflow.InputError, tfflow.__version__, dir(tfflow)
assert "tensorflow" not in sys.modules and "argparse" not in sys.modules
assert dict(os.environ) == before[0] and warnings.filters == filters
assert all(logging.getLogger(name).level == level for name, level in before[1].items())
import tfflow.recipes.schedules, tfflow.train
from tfflow.train import main
assert callable(main) and not isinstance(tfflow.train, type(sys))
"""


def test_import_changes_nothing_and_the_functions_outlive_the_doors_of_the_commands():
    done = subprocess.run([sys.executable, "-c", IMPORTED], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


SCRIPT = """
import tfflow

run = tfflow.train(
    "scenes:size=32x40,count=4", recipe="back_to_basics", model="tiny", steps=2, batch=1, crop=(24, 32), val_limit=1,
    out=folder / "run",
)
table = run.table()
flow = run.model.flow(*tfflow.sample_pair())
saved = run.save(folder / "mine.safetensors")
measured = tfflow.evaluate(saved, "scenes:size=32x40,count=2", baselines=True)
exported = tfflow.export(run.folder, folder / "out", size=(32, 48), limit=1)
phone = tfflow.load(folder / "out" / "model.tflite").flow(*tfflow.sample_pair())
"""


def test_a_script_trains_measures_exports_and_uses_a_network(tmp_path, capfd):
    pytest.importorskip("ai_edge_litert")
    assert len([line for line in SCRIPT.splitlines() if line]) <= 15
    got: dict = {"folder": tmp_path}
    exec(SCRIPT, got)
    run = got["run"]
    assert (run.network, run.recipe.name, run.steps, run.new) == ("tiny", "back_to_basics", 2, True)
    assert [row["when"] for row in run.scores] == ["zero flow", "DIS medium", "before", "brightness and smoothness"]
    assert all(word in got["table"] for word in ("DIS medium", "before", f"{run.scores[-1]['epe']:.3f}"))
    assert got["flow"].shape == got["phone"].shape == (384, 512, 2)
    scored = got["measured"]["scenes:size=32x40,count=2", str(got["saved"])]
    assert scored["images"] == 2 and f"{scored['mean_over_images']['epe']:.3f}" in got["measured"].table()
    assert got["exported"].accepted and "fp32" in got["exported"].table()
    assert capfd.readouterr().out == ""  # nothing is printed that was not asked for


def test_a_run_that_ended_is_not_trained_again_and_another_seed_is_refused(tmp_path, monkeypatch):
    options = {"recipe": "back_to_basics", "model": "tiny", "steps": 1, "batch": 1, "crop": (24, 32), "val_limit": 1}
    data = "scenes:size=32x40,count=4"
    first = tfflow.train(data, out=tmp_path / "run", **options)
    monkeypatch.setattr("tfflow.api.run.Trainer", None)
    again = tfflow.train(data, out=tmp_path / "run", **options)
    assert first.new and not again.new and again.scores == first.scores[2:]
    with pytest.raises(InputError, match="holds another run: seed 0, now 3"):
        tfflow.train(data, out=tmp_path / "run", seed=3, **options)


def test_a_training_that_is_not_asked_for_progress_prints_nothing(tmp_path, capsys, monkeypatch):
    """Shot cuts in its frames are news for `logging`."""
    clip(tmp_path / "frames")
    options = {"recipe": "back_to_basics", "model": "tiny", "batch": 1, "crop": (24, 32), "val_limit": 1, "steps": 2}
    news = []
    monkeypatch.setattr(messages.LOG, "handlers", [handler := logging.Handler()])
    monkeypatch.setattr(handler, "emit", lambda record: news.append(record.getMessage()))
    monkeypatch.setattr(messages.LOG, "level", logging.INFO)
    tfflow.train(tmp_path / "frames", out=tmp_path / "run", progress=False, **options)
    assert capsys.readouterr() == ("", "")
    assert [line.split(" in ")[0] for line in news] == ["2 shot cuts"]


@pytest.mark.parametrize("crop", ["96x128", (96,), (0, 128), (96.0, 128), 96])
def test_a_crop_that_is_no_size_is_refused(crop, tmp_path):
    with pytest.raises(InputError, match="`crop` must be HxW, two whole numbers above 0 such as"):
        tfflow.train(crop=crop, out=tmp_path / "run")


def test_the_sample_pair_is_small_and_moves():
    first, second = tfflow.sample_pair()
    assert first.stat().st_size + second.stat().st_size < 200_000
    assert read_image(first).shape == read_image(second).shape == (384, 512, 3)
    assert np.abs(read_image(first) - read_image(second)).mean() > 0.01


def test_names_are_listed_and_weights_have_tags(tmp_path, monkeypatch):
    assert {"pwcnet", "tiny"} <= set(tfflow.list_networks())
    monkeypatch.setattr(models, "PRETRAINED", tmp_path)
    default, tagged = models.untrained("tiny"), models.untrained("tiny")
    save_weights(default, tmp_path / "tiny.safetensors")
    save_weights(tagged, tmp_path / "tiny.second_try.safetensors")
    assert tfflow.list_weights() == tfflow.list_weights("tiny") == ["tiny", "tiny.second_try"]
    assert tfflow.list_weights("pwcnet") == []
    pair = np.random.default_rng(0).uniform(size=[2, 24, 32, 3]).astype(np.float32)
    for name, model in (("tiny", default), ("tiny.second_try", tagged)):
        np.testing.assert_array_equal(tfflow.load(name).flow(*pair), model.flow(*pair))
    with pytest.raises(InputError, match=r"unknown weights 'tiny\.secnd': did you mean tiny\.second_try"):
        tfflow.load("tiny.secnd")
    with pytest.raises(InputError, match="unknown model 'tinny'"):
        tfflow.list_weights("tinny")


def test_a_model_says_what_it_is_and_flow_says_what_came(tmp_path):
    model = models.untrained("tiny")
    assert repr(model) == f"<FlowModel tiny, weights random, {model.parameters:,} parameters>"
    path = model.save(tmp_path / "mine.safetensors", recipe="my own loop")
    loaded = tfflow.load(path)
    assert repr(loaded) == f"<FlowModel tiny, weights {path}, {model.parameters:,} parameters>"
    assert loaded.metadata["recipe"] == "my own loop"
    first, second = tfflow.sample_pair()
    np.testing.assert_array_equal(model.flow(first, str(second)), model.flow(read_image(first), read_image(second)))
    with pytest.raises(InputError, match="`image1` is None: expected an array, a PIL image or a path"):
        model.flow(None, second)
    with pytest.raises(InputError, match=r"no such file: 'nowhere\.png'"):
        model.flow("nowhere.png", second)


def test_the_default_weights_are_loaded_without_a_name():
    assert tfflow.load().origin == models.DEFAULT and models.DEFAULT in tfflow.list_weights()


def test_what_is_no_function_of_the_library_is_refused():
    with pytest.raises(AttributeError, match="has no attribute 'trane'"):
        _ = tfflow.trane
