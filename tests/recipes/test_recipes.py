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
from tfflow.commands.recipes import main
from tfflow.errors import InputError
from tfflow.models import VARIANTS
from tfflow.recipes import RECIPES, get_recipe, schedules
from tfflow.recipes.schedules import Halving, Linear, Piecewise
from tfflow.training.step import flows_of

ALL = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)


def test_the_methods_of_the_package_are_there():
    assert RECIPES.keys() >= {"ddflow", "ddflow_quick", "ddflow_lk", "back_to_basics", "supervised", "spynet"}
    assert RECIPES.keys() >= {"dstflow", "unflow", "unflow_css", "occ_aware", "uflow", "uflow_kitti"}
    assert RECIPES.keys() >= {"supervised_short", "supervised_fine", "flownet2", "arflow"}
    assert RECIPES.keys() >= {"selflow", "multi_frame_occ_flow", "multi_frame_occ_flow_hard"}
    assert all(name == recipe.name for name, recipe in RECIPES.items())


@ALL
def test_a_recipe_says_what_it_is(recipe):
    assert recipe.paper and recipe.equation and recipe.departures and recipe.phases
    assert recipe.model in VARIANTS
    assert all(n % VARIANTS[recipe.model].stride == 0 for n in recipe.crop)
    assert len({phase.name for phase in recipe.phases}) == len(recipe.phases)


@ALL
def test_repr_is_the_recipe(recipe):
    words = {**vars(augmentation), **vars(losses), **vars(schedules), **vars(tfflow.recipes)}
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


def test_a_rate_that_falls_in_a_line():
    rate = Linear(8e-4, 100, warmup=4)
    assert [rate(s) for s in (0, 49, 99, 120)] == pytest.approx([1.9802e-4, 4.04e-4, 8e-6, 8e-6])
    assert rate.scaled(0.5) == Linear(8e-4, 50, warmup=2)
    assert rate.scaled(0.001) == Linear(8e-4, 1, warmup=0)
    assert rate.times(2) == Linear(1.6e-3, 100, warmup=4)


def test_piecewise_changes_at_its_steps():
    rate = Piecewise((3.0, 2.0, 1.0), until=(10, 40))
    assert [rate(s) for s in (0, 9, 10, 39, 40, 999)] == [3, 3, 2, 2, 1, 1]
    assert rate.scaled(0.1) == Piecewise((3.0, 2.0, 1.0), until=(1, 4))
    assert rate.times(2).rate == 6 and rate.times(2)(40) == 2


def test_a_rate_scales_every_phase_alike_unless_each_is_to_begin_there():
    """DDFlow's miniature: 1e-3, 5e-4 and 2.5e-4."""
    recipe = RECIPES["ddflow_quick"]
    for scaled, rates in ((recipe.at_rate(1e-4), (1e-4, 5e-5, 2.5e-5)), (recipe.at_rate(1e-4, True), (1e-4,) * 3)):
        assert [phase.learning_rate.rate for phase in scaled.phases] == pytest.approx(rates)
        assert [phase.learning_rate.warmup for phase in scaled.phases] == [50, 50, 20]


def what_a_step_does(recipe):
    """The last phase and what goes with it, but for names, steps and rates: recipes alike in this train alike."""
    phase = dataclasses.replace(recipe.phases[-1], name="", steps=2, learning_rate=Piecewise((1e-3,)))
    return phase, recipe.augmentation, recipe.optimizer


EACH_KIND = {what_a_step_does(recipe): recipe for recipe in RECIPES.values()}.values()


@pytest.mark.parametrize("recipe", EACH_KIND, ids=[recipe.name for recipe in EACH_KIND])
def test_every_recipe_trains(recipe, tmp_path, eagerly):
    """Two steps of its last phase: losses are finite, weights move."""
    phase = dataclasses.replace(recipe.phases[-1], steps=2, crop=None, batch=None)
    if phase.teacher and isinstance(phase.teacher.trust, losses.ForwardBackward):  # random weights agree nowhere in it
        teacher = dataclasses.replace(phase.teacher, trust=losses.ForwardBackward(alpha2=1e3))
        phase = dataclasses.replace(phase, teacher=teacher)
    model, crop = {
        "": ("tiny", (24, 32)),
        "level6_": ("tiny_six", (32, 64)),
        "net3_": ("tiny_stack", (24, 32)),
        "net5_": ("tiny_five", (24, 32)),
    }[phase.part.weights]
    if VARIANTS[recipe.model].frames > 2:
        model = "tiny_three"
    small = dataclasses.replace(recipe, phases=(phase,), model=model, batch=2, crop=crop)
    progress, ended, trainer = runs.run(tmp_path / "run", small, data=runs.data(small))
    assert ended and progress.step == 2
    first, last = runs.first_weights(small), trainer.state()["model"]
    assert runs.largest_difference(first, last) > 0
    moved = [name for name in first if not np.array_equal(first[name], last[name])]
    assert all(name.startswith(phase.part.weights) for name in moved)


@pytest.mark.parametrize(("net", "first"), [(0, 7.0), (3, 7.0), (2, 4.0), (1, 1.0)])
def test_a_phase_judges_one_network_of_a_stack(net, first):
    """A stack lists its last network's flows first; each network's begin at full resolution."""
    flows = [tf.fill([1, n, n, 2], value) for value, n in [(7.0, 8), (8.0, 2), (4.0, 8), (5.0, 2), (1.0, 8), (2.0, 2)]]
    found = flows_of(net, flows)
    assert [float(f[0, 0, 0, 0]) for f in found] == [first, first + 1]


def test_a_network_that_a_stack_has_not_is_refused():
    flows = [tf.zeros([1, 8, 8, 2]), tf.zeros([1, 2, 2, 2])]
    assert len(flows_of(1, flows)) == 2
    with pytest.raises(ValueError, match="this phase uses network 2 of a stack, and the model has 1"):
        flows_of(2, flows)


def test_the_constants_of_unflow_s_levels():
    """Weights of 1/4 to 1/64 and census radii, in both phases; the second one alone prices occlusion."""
    first, second = RECIPES["unflow"].phases
    for phase in (first, second):
        assert [(w, t.stride, t.objective.terms[0][1].radius) for w, t in phase.objective.terms] == [
            (12.7, 4, 3), (4.35, 8, 2), (3.9, 16, 2), (3.4, 32, 1), (1.1, 64, 1),
        ]  # fmt: skip
    assert first.objective.terms[0][1].objective.names == ("census", "smoothness")
    assert second.objective.terms[0][1].objective.names == ("census", "smoothness", "consistency", "occlusionpenalty")
    assert [second.learning_rate(s) for s in (0, 199_999, 200_000, 499_999)] == [1e-5, 1e-5, 5e-6, 1.25e-6]


def test_schedules_of_flownet2_halve_where_they_should():
    short, fine = (RECIPES[f"supervised_{name}"].phases[0] for name in ("short", "fine"))
    assert [short.learning_rate(s) for s in (299_999, 300_000, 400_000, 500_000)] == [1e-4, 5e-5, 2.5e-5, 1.25e-5]
    assert [fine.learning_rate(s) for s in (199_999, 200_000, 300_000, 500_000)] == [1e-5, 5e-6, 2.5e-6, 6.25e-7]


def test_flownet2_is_trained_network_by_network_on_the_long_and_the_fine_schedule():
    phases = RECIPES["flownet2"].phases
    assert [p.name.split(":")[0] for p in phases] == ["C", "C", "CS", "CS", "CSS", "CSS", "SD", "SD", "fusion"]
    assert [p.part.weights for p in phases] == [f"net{p.part.net}_" for p in phases]
    assert [p.part.net for p in phases] == [1, 1, 2, 2, 3, 3, 4, 4, 5]
    long, fine = RECIPES["supervised"].phases[0], RECIPES["supervised_fine"].phases[0]
    for phase, schedule in zip(phases, [long, fine] * 4 + [fine], strict=True):
        assert (phase.steps, phase.learning_rate) == (schedule.steps, schedule.learning_rate)


def test_the_constants_of_arflow():
    """Its weights, on terms that sum where the paper averages: over RGB, u and v, directions, a window of 3x3."""
    first, second, third = RECIPES["arflow"].phases
    levels = [t for _, t in first.objective.terms[:4]]
    assert [(t.stride, t.enlarged) for t in levels] == [(1, 1), (8, 4), (16, 4), (32, 4)]
    weights = [weight for weight, _ in levels[0].objective.terms]
    assert [6 * weights[0], 2 * weights[1]] == pytest.approx([0.15, 0.85])
    assert second.objective.terms[0][1].objective.terms[0][0] * 2 * 9 == pytest.approx(1.0)
    smooth, smoothness = third.objective.terms[4]
    assert smooth * 8 == 50 and (smoothness.order, smoothness.edge, smoothness.relative) == (1, 10.0, True)
    analogy, term = third.objective.terms[5]
    assert analogy * 4 == 0.01 and isinstance(term, losses.SecondPass) and third.second and not second.second
    assert first.visibility.first == losses.RangeMap(0.2) and third.visibility.first == losses.ForwardBackward()


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
        if phase.teacher:
            assert f"a student sees {phase.teacher.student:g} of the crop's sides" in text
            occluders, trust = phase.teacher.occluders, phase.teacher.trust
            assert occluders is None or f"covers the student's second frame: {occluders}" in text
            assert trust is None or f"the teacher counts by {trust}" in text
        assert not phase.second or "a second pass, under Flip(" in text
        assert not phase.part.net or f"judges the flow of network {phase.part.net} of the stack" in text


def test_the_command_lists_all_methods_with_whole_names_on_a_narrow_screen(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([]) == 0
    text = capsys.readouterr().out
    listed = {tuple(line.split()[:3]) for line in text.splitlines() if line.strip()}
    assert listed >= {(r.name, r.model, "yes" if r.needs_truth else "no") for r in RECIPES.values()}
    flat = " ".join(text.split())
    assert "Yu et al., ECCV Workshops 2016" in flat and "Ranjan and Black, CVPR 2017" in flat
    assert "ours: the loss of `supervised_mobile`" in flat  # no venue: all before the first comma


def test_a_misspelt_name_offers_the_nearest(capsys):
    with pytest.raises(InputError, match=r"^unknown recipe 'ddflw': did you mean ddflow or \w+\? known are "):
        get_recipe("ddflw")
    assert main(["suprvised"]) == 2
    text = capsys.readouterr().err
    assert text.startswith("tfflow: unknown recipe 'suprvised': did you mean supervised or ")
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
        "import tfflow.recipes as r, tfflow.commands.recipes as m; "
        "assert r.get_recipe('mine').steps == r.get_recipe('back_to_basics').steps; m.main(['mine'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=200, env={"PATH": "/bin"}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mine  Nobody, 2031")
