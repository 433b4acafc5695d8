"""A teacher of several passes, refined, and the student that follows its flow instead of the truth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.training import runs
from tfflow.data.scenes import Scenes
from tfflow.errors import InputError
from tfflow.evaluation.refinement import refined
from tfflow.losses import Distillation, ForwardBackward, MultiscaleEPE
from tfflow.losses.objective import Term
from tfflow.models import FlowModel
from tfflow.recipes import Phase, Teacher, get_recipe
from tfflow.training.feed import Feed, truth_of
from tfflow.training.step import Step
from tfflow.training.teacher import teacher_of

CROP = (40, 48)
TAUGHT = Phase(
    "taught",
    2,
    1.0 * MultiscaleEPE(((1, 0.01), (4, 0.1))),
    runs.RATE,
    directions=1,
    teacher=Teacher(0.8, scales=(1.0, 2.0), refined=True),
)
RECIPE = runs.one(TAUGHT, crop=CROP)


class Keeping(Term):
    """Costs nothing, and keeps the view."""

    def __call__(self, view):
        self.view = view
        return tf.zeros(tf.shape(view.flow12)[:1])


def element(recipe=RECIPE):
    feed = Feed(tf.distribute.get_strategy(), lambda _: Scenes((48, 56), 5, seed=3), recipe, 5)
    batch = next(iter(feed(0)))
    feed.close()
    return batch


@pytest.fixture(scope="module")
def trainer():
    return runs.trainer(RECIPE)


@pytest.mark.parametrize("directions", [1, 2])
def test_its_flow_is_that_of_prediction_at_the_same_scales_and_refined(trainer, directions):
    batch = element()
    images = batch["image1"].numpy(), batch["image2"].numpy()
    model = FlowModel("tiny", network=trainer.teacher.network, scales=(1, 2))
    taught = tf.function(teacher_of(dataclasses.replace(TAUGHT, directions=directions), trainer.teacher))(batch)
    expected = np.concatenate(refined(model, "variational").both(*images)[:directions])
    np.testing.assert_allclose(taught, expected, atol=1e-4)
    plain = dataclasses.replace(TAUGHT, teacher=Teacher(0.8), directions=directions)
    once = teacher_of(plain, trainer.teacher)
    assert np.abs(once(batch) - expected).max() > 1e-2
    np.testing.assert_allclose(once(batch), np.concatenate(trainer.teacher.both(*images)[:directions]), atol=1e-5)


def step_of(trainer, phase):
    return Step(phase, trainer.graph(phase.directions), trainer.stride, teacher_of(phase, trainer.teacher))


def followed(trainer, phase, batch):
    """The student's view."""
    keeping = Keeping()
    phase = dataclasses.replace(phase, objective=1.0 * keeping)
    step_of(trainer, phase).losses(batch)
    return keeping.view


@pytest.mark.parametrize("directions", [1, 2])
def test_a_student_follows_it_on_its_own_crop(trainer, directions):
    batch = element()
    whole = dataclasses.replace(TAUGHT, teacher=dataclasses.replace(TAUGHT.teacher, student=1.0), directions=directions)
    view = followed(trainer, whole, batch)
    np.testing.assert_array_equal(view.target12, teacher_of(whole, trainer.teacher)(batch))
    np.testing.assert_array_equal(view.image1[:2], batch["image1"])
    assert view.target_mask.shape == (2 * directions, *CROP, 1) and np.all(view.target_mask == 1)
    cut = followed(trainer, dataclasses.replace(whole, teacher=TAUGHT.teacher), batch)
    assert cut.flow12.shape == cut.target12.shape == (2 * directions, 32, 40, 2)
    places = [(y, x) for y in range(9) for x in range(9)]
    same = [np.array_equal(cut.target12[0], view.target12[0, y : y + 32, x : x + 40]) for y, x in places]
    frames = [np.array_equal(cut.image1[0], view.image1[0, y : y + 32, x : x + 40]) for y, x in places]
    assert sum(same) == 1 and same == frames  # flow and frame are cut alike


def test_it_counts_where_its_flows_of_both_directions_agree(trainer):
    batch = element()
    rules = Teacher(1.0, scales=(0.5, 1.0), refined=True, trust=ForwardBackward())
    phase = dataclasses.replace(TAUGHT, teacher=rules, directions=2)
    view = followed(trainer, phase, batch)
    flow = teacher_of(phase, trainer.teacher)(batch)
    agree = rules.trust(flow, tf.concat([flow[2:], flow[:2]], 0))
    np.testing.assert_array_equal(view.target_mask, agree)
    assert 0.02 < np.mean(agree) < 0.98


def test_it_needs_no_ground_truth_and_is_what_is_learned(tmp_path, eagerly):
    assert not TAUGHT.needs_truth and not truth_of(RECIPE)
    assert not any(get_recipe(name).needs_truth for name in ("self_taught_mobile", "self_taught_mobile_v3"))
    assert dataclasses.replace(TAUGHT, teacher=None).needs_truth
    _, ended, trainer = runs.run(tmp_path / "run", RECIPE)
    first, last = runs.first_weights(RECIPE), trainer.state()
    assert ended and all(np.any(first[name] != last["model"][name]) for name in first)
    assert all(np.array_equal(first[name], last["teacher"][name]) for name in first)


def test_compiled_it_is_the_same(trainer):
    """The step that training compiles, refinement included."""
    batch = element()
    trainer.begin(TAUGHT)
    compiled, _, norm = trainer.compute(batch)
    terms, _ = step_of(trainer, TAUGHT).losses(batch)
    assert compiled["multiscaleepe"] == pytest.approx(np.sum(terms["multiscaleepe"]) / 2, rel=1e-4) and norm > 0


def test_what_cannot_be_is_refused():
    with pytest.raises(
        ValueError, match=r"^phase 'p' has a term that follows a teacher: it needs `teacher`, a Teacher$"
    ):
        Phase("p", 1, 1.0 * Distillation(), runs.RATE)
    with pytest.raises(ValueError, match=r"^phase 'taught' has no teacher$"):
        teacher_of(dataclasses.replace(TAUGHT, teacher=None), FlowModel("tiny"))
    with pytest.raises(InputError, match=r"^a teacher of three uses OpenCV, which XLA does not compile: leave `xla`"):
        runs.trainer(RECIPE, xla=True)
