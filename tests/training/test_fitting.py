"""A recipe on a network: every term finds what it uses before the first step, or the run says what it leaves out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.training import runs
from tfflow.errors import InputError
from tfflow.losses import (
    AtLevel,
    Census,
    Distillation,
    EndpointError,
    MultiscaleEPE,
    Photometric,
    SecondPass,
    TargetFlow,
)
from tfflow.losses.objective import Term
from tfflow.models import FlowModel
from tfflow.recipes import RECIPES, Part, Phase, Teacher
from tfflow.training.fitting import fitted
from tfflow.training.step import Step
from tfflow.training.trainer import Trainer


def of(objective, optional=False, **changes):
    phase = Phase("p", 2, objective, runs.RATE, **changes)
    return runs.one(phase, name="mine", model="flownets", levels_optional=optional)


LEVELS = 1.0 * AtLevel(4, 1.0 * Census(1)) + 0.5 * AtLevel(64, 1.0 * Photometric())


@pytest.fixture(scope="module")
def tiny():
    """Its levels are 1/1, 1/2 and 1/4."""
    return FlowModel("tiny")


@pytest.mark.parametrize(
    ("objective", "lacking"),
    [
        (LEVELS, "1/64"),
        (1.0 * MultiscaleEPE(), "1/8, 1/16, 1/32, 1/64"),
        (1.0 * Photometric() + 1.0 * AtLevel(8, 1.0 * Census(1)), "1/8"),
    ],
)
def test_a_level_that_the_network_lacks_is_refused(tiny, objective, lacking):
    with pytest.raises(InputError) as error:
        fitted(of(objective), tiny)
    assert str(error.value) == (
        f"mine uses flow at {lacking}, and tiny has it at 1/1, 1/2, 1/4; `model` flownets has it"
    )


def test_a_recipe_may_leave_levels_out_and_the_run_says_so(tiny):
    recipe, said = fitted(of(LEVELS + 2.0 * MultiscaleEPE(((1, 0.1), (32, 0.2))), optional=True), tiny)
    assert recipe.phases[0].objective == 1.0 * AtLevel(4, 1.0 * Census(1)) + 2.0 * MultiscaleEPE(((1, 0.1),))
    assert said == ["tiny has no flow at 1/32, 1/64: mine is trained without its terms there"]
    whole = of(1.0 * Photometric() + 1.0 * AtLevel(2, 1.0 * Census(1)), optional=True)
    assert fitted(whole, tiny) == (whole, [])


def test_a_phase_of_which_nothing_is_left_is_refused(tiny):
    with pytest.raises(InputError, match=r"^mine uses flow at 1/64, and tiny has it at"):
        fitted(of(1.0 * AtLevel(64, 1.0 * Census(1)), optional=True), tiny)


def test_levels_are_those_of_the_network_that_a_phase_judges():
    """Of a stack: each of its networks has 1/1 and 1/4."""
    stack = FlowModel("tiny_stack")
    inside = of(1.0 * AtLevel(4, 1.0 * Census(1)), part=Part(net=2))
    assert fitted(inside, stack) == (inside, [])
    with pytest.raises(InputError, match=r"^mine uses flow at 1/2, and tiny_stack has it at 1/1, 1/4"):
        fitted(of(1.0 * AtLevel(2, 1.0 * Census(1)), part=Part(net=2)), stack)


@pytest.mark.parametrize("name", ["dstflow", "arflow", "uflow"])
def test_the_network_of_a_paper_has_every_level_of_its_recipe(name):
    recipe = RECIPES[name]
    assert fitted(recipe, FlowModel(recipe.model)) == (recipe, [])


def test_training_takes_what_is_left_and_keeps_what_it_departed_from(tiny):
    recipe = of(LEVELS, optional=True)
    trainer = Trainer("tiny", recipe, tf.distribute.get_strategy())
    assert (trainer.recipe, trainer.departures) == fitted(recipe, tiny)


class Seen(Term):
    """Costs nothing, and keeps the view."""

    def __call__(self, view):
        self.view = view
        return tf.zeros(tf.shape(view.flow12)[:1])


class SeenWithTruth(Seen):
    needs_truth = True


@pytest.mark.parametrize("directions", [1, 2])
def test_the_truth_of_a_data_set_stays_with_terms_that_learn_from_it(tiny, directions):
    images = np.random.default_rng(0).uniform(size=[2, 1, 8, 16, 3]).astype(np.float32)
    flow, known = np.full([1, 8, 16, 2], 3, np.float32), np.ones([1, 8, 16, 1], np.float32)
    batch = {
        "image1": images[0],
        "image2": images[1],
        "flow12": flow,
        "valid1": known,
        "flow21": -flow,
        "valid2": known,
    }
    graph = tiny.one_way if directions == 1 else tiny.both_ways

    def views(*terms):
        phase = Phase("p", 1, sum((1.0 * t for t in terms[1:]), 1.0 * terms[0]), runs.RATE, directions=directions)
        Step(phase, graph, 8).losses(batch)
        return [term.view for term in terms]

    (alone,) = views(Seen())
    unsupervised, supervised = views(Seen(), SeenWithTruth())
    assert alone.target12 is None and unsupervised.target12 is None and unsupervised.target_mask is None
    np.testing.assert_array_equal(supervised.target12, np.concatenate([flow, -flow][:directions]))


@pytest.mark.parametrize(
    ("objective", "changes", "text"),
    [
        (1.0 * Distillation(), {}, "has a term that follows a teacher: it needs `teacher`, a Teacher"),
        (1.0 * AtLevel(4, 1.0 * TargetFlow()), {}, "has a term that follows a teacher: it needs `teacher`, a Teacher"),
        (1.0 * SecondPass(1.0 * TargetFlow()), {}, "judges a second pass: it needs `second`, a Transformed"),
    ],
)
def test_a_phase_whose_terms_find_nothing_to_judge_is_none(objective, changes, text):
    with pytest.raises(ValueError, match=f"^phase 'p' {text}$"):
        of(objective, **changes)


def test_truth_is_refused_to_no_one_who_needs_it():
    phase = of(1.0 * EndpointError()).phases[0]
    assert phase.needs_truth and not dataclasses.replace(phase, teacher=Teacher(0.7)).needs_truth
