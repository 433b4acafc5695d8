"""A step on three frames: what the network and the losses are given, and what a student does not see."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.training import runs
from tfflow.augmentation import Superpixels
from tfflow.data.scenes import Scenes
from tfflow.errors import InputError
from tfflow.losses import Census, Distillation, ForwardBackward, MultiFramePhotometric, Past, Photometric, TwoShares
from tfflow.losses.objective import Term
from tfflow.recipes import RECIPES, Phase, Teacher
from tfflow.training import step
from tfflow.training.feed import Feed, check_sequences
from tfflow.training.teacher import teacher_of
from tfflow.training.trainer import Trainer

OUTPUTS = ("flows12", "flows10", "shares")
HIDING = Superpixels(count=20, covered=(2, 4))
THREE = runs.one(Phase("photometric", 4, 1.0 * Photometric(), runs.RATE), model="tiny_three")


@dataclasses.dataclass(frozen=True)
class Seen(Term):
    """Keeps the view that it is called with."""

    views: list = dataclasses.field(default_factory=list, compare=False)

    def __call__(self, view):
        self.views.append(view)
        return tf.reduce_mean(tf.abs(view.flow12), [1, 2, 3])


@pytest.fixture(scope="module")
def trainer():
    return runs.trainer(THREE)


def element(recipe=THREE):
    feed = Feed(tf.distribute.get_strategy(), lambda _: Scenes((32, 40), 5, seed=3), recipe, 5, frames=3)
    batch = next(iter(feed(0)))
    feed.close()
    return batch


def view_in(phase, trainer, batch, teacher=None):
    seen = Seen()
    phase = dataclasses.replace(phase, objective=1.0 * seen)
    step.Step(phase, trainer.graph(phase.directions), 8, teacher, OUTPUTS).losses(batch)
    return seen.views[0]


def test_the_feed_carries_four_frames_cropped_alike():
    batch = element()
    assert {"image0", "image1", "image2", "image3", "flow12", "valid1", "chance"} == set(batch)
    scenes = Scenes((32, 40), 5, seed=3).with_neighbours()
    samples = [scenes.sample(i) for i in range(5)]
    for i in range(2):
        places = set()
        for key in ("image0", "image1", "image2", "image3"):
            crop = batch[key][i].numpy()
            views = (crop, crop[::-1], crop[:, ::-1], crop[::-1, ::-1])
            places |= {
                (key, k, top, left, flip)
                for k, sample in enumerate(samples)
                for top in range(9)
                for left in range(9)
                for flip, view in enumerate(views)
                if np.array_equal(sample[key][top : top + 24, left : left + 32], view)
            }
        assert len(places) == 4 and len({place[1:] for place in places}) == 1


def test_two_frames_are_fed_as_ever():
    feed = Feed(tf.distribute.get_strategy(), lambda _: Scenes((32, 40), 5, seed=3), THREE, 5)
    batch = next(iter(feed(0)))
    feed.close()
    assert set(batch) == {"image1", "image2", "flow12", "valid1", "chance"}
    four = element()
    assert all(np.array_equal(batch[key], four[key]) for key in batch)


@pytest.mark.parametrize("directions", [1, 2])
def test_a_view_has_the_frame_before_each_pair(trainer, directions):
    batch = element()
    view = view_in(dataclasses.replace(THREE.phases[0], directions=directions), trainer, batch)
    before = [batch["image0"], batch["image3"]][:directions]
    np.testing.assert_array_equal(view.image0, tf.concat(before, 0))
    names = ("image1", "image2", "image0", "image3")[: 2 + directions]
    maps = trainer.graph(directions)([batch[name] for name in names])
    for field, x in zip((view.flows12, view.flows10, view.shares), (maps[:2], maps[2:4], maps[4:]), strict=True):
        assert len(field) == 2
        np.testing.assert_allclose(field[0], x[0], atol=1e-6)
        np.testing.assert_allclose(field[1], x[1], atol=1e-6)


def test_the_network_sees_inputs_where_they_differ_from_images(trainer):
    batch = element()
    inputs = {f"input{k}": batch[f"image{k}"] * 0.5 for k in range(4)}
    view = view_in(THREE.phases[0], trainer, {**batch, **inputs})
    maps = trainer.graph(2)([inputs[f"input{k}"] for k in (1, 2, 0, 3)])
    np.testing.assert_allclose(view.flow12, maps[0], atol=1e-6)
    np.testing.assert_array_equal(view.image0[:2], batch["image0"])


def test_a_student_sees_noise_where_the_teacher_does_not():
    phase = Phase(
        "superpixels", 2, 1.0 * Census(1) + 0.5 * Distillation(), runs.RATE, ForwardBackward(),
        teacher=Teacher(0.7, occluders=HIDING),
    )  # fmt: skip
    recipe = runs.one(phase, model="tiny_three", crop=(40, 48))
    trainer = runs.trainer(recipe)
    trainer.begin(phase)
    batch = element(recipe)
    assert "covered2" in batch and np.any(batch["covered2"] != batch["image2"])
    teacher = teacher_of(phase, trainer.teacher)
    view = view_in(phase, trainer, batch, teacher)
    taught = dataclasses.replace(phase, teacher=Teacher(0.7))
    plain = view_in(taught, trainer, {k: x for k, x in batch.items() if k != "covered2"}, teacher)
    np.testing.assert_array_equal(view.image1[:2], plain.image1[:2])
    np.testing.assert_array_equal(view.image0, plain.image0)
    assert np.any(view.image2[:2] != plain.image2[:2])
    np.testing.assert_array_equal(view.image2[:2], view.image1[2:])  # 2->1 begins at the noise
    np.testing.assert_allclose(view.target12, plain.target12, atol=1e-6)  # of a teacher who saw all
    assert np.abs(view.flow12 - plain.flow12).max() > 1e-5


@pytest.mark.parametrize("directions", [1, 2])
def test_a_run_on_three_frames_trains_all_its_maps(tmp_path, eagerly, directions):
    objective = 1.0 * MultiFramePhotometric(hard=False) + 0.1 * TwoShares()
    recipe = runs.one(Phase("two flows", 2, objective, runs.RATE, directions=directions), model="tiny_three")
    _, ended, trainer = runs.run(tmp_path / "run", recipe)
    first, last = runs.first_weights(recipe), trainer.state()["model"]
    assert ended and all(np.any(first[name] != last[name]) for name in first)


def test_selflow_s_student_has_the_authors_crop_and_others_numbers():
    phase = RECIPES["selflow"].phases[2]
    assert step.student_size((320, 896), phase.teacher.student, 64) == (256, 640)
    assert phase.teacher.occluders == Superpixels(200, (8, 16), 50.0)
    assert [p.teacher for p in RECIPES["selflow"].phases[:2]] == [None, None]


def test_levels_of_janai_are_weighed_as_sums_over_their_pixels():
    for name in ("multi_frame_occ_flow", "multi_frame_occ_flow_hard"):
        terms = RECIPES[name].phases[-1].objective.terms
        weights = [weight / (16 / term.stride) ** 2 for weight, term in terms]
        np.testing.assert_allclose(weights, [0.005, 0.01, 0.02, 0.08, 0.32])
        assert [term.stride for _, term in terms] == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(
    ("recipe", "model", "text"),
    [
        (
            "multi_frame_occ_flow_hard",
            "tiny",
            "uses shares of a network, and tiny has none; `model` multiframe_hard has",
        ),
        ("multi_frame_occ_flow", "tiny", "uses shares of a network, and tiny has none; `model` multiframe_soft has"),
    ],
)
def test_a_network_that_does_not_give_what_is_judged_is_refused(recipe, model, text):
    with pytest.raises(InputError, match=f"^{recipe} {text}$"):
        Trainer(model, RECIPES[recipe], tf.distribute.get_strategy())


def test_what_terms_ask_of_a_network():
    hard, soft = (RECIPES[name].phases[-1].objective for name in ("multi_frame_occ_flow_hard", "multi_frame_occ_flow"))
    assert hard.needs_outputs == {"shares"} and soft.needs_outputs == {"shares", "flows10"}
    assert (1.0 * Past(1.0 * Photometric())).needs_outputs == {"flows10"}
    assert not RECIPES["selflow"].phases[-1].objective.needs_outputs


def test_pairs_alone_are_refused_to_networks_of_three_frames():
    class Pairs:
        name, sequences = "chairs:here", False

    with pytest.raises(InputError, match=r"^selflow takes 3 frames, and chairs:here has only pairs: train on video"):
        check_sequences("selflow", 3, Pairs())
    check_sequences("pwcnet", 2, Pairs())
    check_sequences("selflow", 3, Scenes((32, 40)))


def test_a_second_pass_takes_three_frames_too(tmp_path, eagerly):
    last = dataclasses.replace(RECIPES["arflow"].phases[-1], steps=1)
    small = dataclasses.replace(RECIPES["arflow"], phases=(last,), model="tiny_three", batch=2, crop=(24, 32))
    progress, ended, _ = runs.run(tmp_path / "run", small, data=runs.data(small))
    assert ended and progress.step == 1
