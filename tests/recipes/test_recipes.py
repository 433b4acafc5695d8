"""Methods as data: they can be written out and read back, shrink in proportion, train, and are found by their file."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tfflow
from tests.training import runs
from tfflow import augmentation, losses
from tfflow.errors import InputError
from tfflow.models import VARIANTS
from tfflow.recipes import RECIPES, Adam, Phase, Recipe, named, schedules
from tfflow.recipes.__main__ import main
from tfflow.recipes.schedules import Halving, Piecewise

ALL = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)


def test_the_methods_of_the_package_are_there():
    assert RECIPES.keys() >= {"ddflow", "ddflow_quick", "back_to_basics", "supervised", "spynet"}
    assert all(name == recipe.name for name, recipe in RECIPES.items())


@ALL
def test_a_recipe_says_what_it_is(recipe):
    assert recipe.paper and recipe.equation and recipe.departures and recipe.phases
    assert recipe.model in VARIANTS
    assert all(n % VARIANTS[recipe.model].stride == 0 for n in recipe.crop)
    assert len({phase.name for phase in recipe.phases}) == len(recipe.phases)


@ALL
def test_repr_is_the_recipe(recipe):
    words = {**vars(augmentation), **vars(losses), **vars(schedules), "Recipe": Recipe, "Phase": Phase, "Adam": Adam}
    assert eval(repr(recipe), words) == recipe


@ALL
@pytest.mark.parametrize("steps", [7, 600, 123_457])
def test_a_scaled_recipe_keeps_its_total_and_shares(recipe, steps):
    scaled = recipe.scaled(steps)
    assert scaled.steps == steps
    for before, after in zip(recipe.phases, scaled.phases, strict=True):
        assert abs(after.steps - steps * before.steps / recipe.steps) <= 1
        assert dataclasses.replace(after, steps=before.steps, learning_rate=before.learning_rate) == before
    assert dataclasses.replace(scaled, phases=recipe.phases) == recipe


@ALL
def test_rates_stretch_with_the_steps(recipe):
    """After a step of a phase, and after the three that stand for it in a run of three times the steps."""
    for before, after in zip(recipe.phases, recipe.scaled(recipe.steps * 3).phases, strict=True):
        for k in np.unique(np.geomspace(1, before.steps, 300).astype(int) - 1):
            rate = before.learning_rate(int(k))
            assert rate == pytest.approx(after.learning_rate(3 * int(k) + 2), rel=1e-9)
            assert 0 < rate <= before.learning_rate.rate


def test_halving_rises_then_halves():
    rate = Halving(8e-4, every=10, warmup=4)
    assert [rate(s) for s in (0, 1, 3, 4, 9)] == pytest.approx([2e-4, 4e-4, 8e-4, 8e-4, 8e-4])
    assert [rate(s) for s in (10, 19, 20, 35)] == pytest.approx([4e-4, 4e-4, 2e-4, 1e-4])
    assert rate.rate == 8e-4 and rate.times(0.5)(9) == pytest.approx(4e-4)
    assert rate.scaled(0.5) == Halving(8e-4, every=5, warmup=2)
    assert rate.scaled(0.001) == Halving(8e-4, every=1, warmup=0)


def test_piecewise_changes_at_its_steps():
    rate = Piecewise((3.0, 2.0, 1.0), until=(10, 40))
    assert [rate(s) for s in (0, 9, 10, 39, 40, 999)] == [3, 3, 2, 2, 1, 1]
    assert rate.scaled(0.1) == Piecewise((3.0, 2.0, 1.0), until=(1, 4))
    assert rate.times(2).rate == 6 and rate.times(2)(40) == 2


@pytest.fixture
def eagerly():
    """Without graphs: two steps do not pay for compiling them."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@ALL
def test_every_recipe_trains(recipe, tmp_path, eagerly):
    """Two steps of its last phase: losses are finite, weights move."""
    phase = dataclasses.replace(recipe.phases[-1], steps=2)
    model, crop = ("tiny_six", (32, 64)) if phase.train else ("tiny", (24, 32))
    small = dataclasses.replace(recipe, phases=(phase,), model=model, batch=2, crop=crop)
    progress, ended, trainer = runs.run(tmp_path / "run", small, data=runs.data(small))
    assert ended and progress.step == 2
    assert runs.largest_difference(runs.first_weights(small), trainer.state()["model"]) > 0


def printed(capsys, *arguments) -> str:
    assert main(list(arguments)) == 0
    return " ".join(capsys.readouterr().out.split())


@ALL
def test_the_command_prints_paper_equation_phases_and_departures(recipe, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")
    text = printed(capsys, recipe.name)
    for part in (recipe.paper, recipe.equation, *recipe.departures):
        assert " ".join(part.split()) in text
    for number, phase in enumerate(recipe.phases, 1):
        assert f"phase {number}, {phase.name}: {phase.steps:,} steps, {phase.learning_rate}" in text
        assert f"minimise {phase.objective}" in text and f"visible: {phase.visibility}" in text


def test_the_command_lists_all_methods(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")
    text = printed(capsys)
    for recipe in RECIPES.values():
        assert f"{recipe.name} │ {recipe.model}" in text and recipe.paper in text


def test_a_misspelt_name_offers_the_nearest(capsys):
    with pytest.raises(InputError, match=r"^unknown recipe 'ddflw': did you mean ddflow or ddflow_tune\? known are "):
        named("ddflw")
    assert main(["suprvised"]) == 2
    text = capsys.readouterr().err
    assert text.startswith(
        "tfflow: unknown recipe 'suprvised': did you mean supervised or supervised_mobile? known are back_to_basics,"
    )
    assert text.count("\n") == 1


MINE = '''"""Mine."""
import dataclasses
from tfflow.recipes.back_to_basics import back_to_basics

mine = dataclasses.replace(back_to_basics, name="mine", paper="Nobody, 2031")
'''


def test_a_new_file_is_a_new_method(tmp_path):
    """In a copy of the package, with no other file touched."""
    copy = tmp_path / "tfflow"
    shutil.copytree(Path(tfflow.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    (copy / "recipes" / "mine.py").write_text(MINE)
    code = (
        "import tfflow.recipes as r, tfflow.recipes.__main__ as m; "
        "assert r.named('mine').steps == r.named('back_to_basics').steps; m.main(['mine'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=200, env={"PATH": "/bin"}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mine  Nobody, 2031")
