"""Sums of weighted terms, and the one division by a batch."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.losses.views import N, field, mask, still, view
from tfflow.losses import (
    AtLevel,
    Census,
    Distillation,
    LevelEPE,
    MultiscaleEPE,
    Objective,
    Past,
    Photometric,
    SecondPass,
    Smoothness,
    TargetFlow,
    Term,
    global_mean,
)


def test_an_objective_reads_as_its_equation():
    objective = 1.0 * Census(radius=3) + 3 * Smoothness(order=2) + 0.5 * Smoothness(order=1)
    assert isinstance(objective, Objective)
    assert [weight for weight, _ in objective.terms] == [1.0, 3.0, 0.5]
    assert objective.names == ("census", "smoothness1", "smoothness2")
    census = "1 * Census(radius=3, penalty=AbsRobust(epsilon=0.01, q=0.4), over='visible')"
    assert repr(objective).startswith(f"{census} + 3 * Smoothness(")
    assert objective == 1.0 * Census() + (3 * Smoothness(order=2) + 0.5 * Smoothness())
    assert hash(objective) is not None


def test_terms_come_weighted_and_apart():
    v = view()
    values = (2 * Photometric() + 0.25 * Census())(v)
    assert list(values) == ["photometric", "census"]
    np.testing.assert_allclose(values["photometric"], 2 * Photometric()(v), rtol=1e-6)
    np.testing.assert_allclose(values["census"], 0.25 * Census()(v), rtol=1e-6)


def test_a_term_of_ones_own_is_a_class_with_one_function():
    class Length(Term):
        def __call__(self, view):
            return tf.reduce_sum(tf.abs(view.flow12), [1, 2, 3])

    np.testing.assert_array_equal((2 * Length())(still())["length"], np.zeros(N))


def test_a_term_without_its_function_is_refused():
    class Nothing(Term):
        pass

    with pytest.raises(TypeError, match=r"Nothing must define __call__\(view\) -> \[n\]"):
        Nothing()(still())


def test_global_mean_sums_directions_and_divides_by_all_pairs():
    """Two pairs in two directions, on one of three replicas of two pairs each."""
    assert float(global_mean(tf.constant([1.0, 2.0, 3.0, 4.0]), 6)) == pytest.approx(10 / 6)


def test_shares_of_replicas_sum_to_that_of_one_with_all_pairs():
    values = np.random.default_rng(0).uniform(size=8).astype(np.float32)
    whole = global_mean(tf.constant(values), 8)
    shares = [global_mean(tf.constant(part), 8) for part in np.split(values, [2, 3])]
    np.testing.assert_allclose(sum(shares), whole, rtol=1e-6)


def test_the_warped_frame_is_made_once():
    v = view()
    assert v.warped2 is v.warped2


class Sees(Term):
    """Keeps the flow to follow that it is given."""

    def __call__(self, view):
        self.target12 = view.target12
        return tf.zeros(N)


class Supervised(Sees):
    needs_truth = True


@pytest.mark.parametrize("truth", [True, False])
def test_ground_truth_reaches_only_terms_that_declare_it_and_a_teacher_s_flow_all(truth):
    without, within, declared = Sees(), Sees(), Supervised()
    v = view(target12=field(1), target_mask=mask(1))
    objective = 1.0 * without + 1.0 * declared + 1.0 * AtLevel(1, 1.0 * within + 1.0 * Supervised())
    objective(dataclasses.replace(v, truth=truth))
    assert (without.target12 is None) == (within.target12 is None) == truth
    assert declared.target12 is v.target12


def test_a_term_that_follows_a_teacher_says_so_where_there_is_none():
    for term in (TargetFlow(), Distillation()):
        assert (1.0 * term).needs("teacher") and (1.0 * AtLevel(4, 1.0 * term)).needs("teacher")
        with pytest.raises(ValueError, match=r"^this term needs a target flow: its phase needs a teacher, or a"):
            term(view())


def test_what_is_left_on_a_network_of_few_levels():
    epe = MultiscaleEPE(((1, 0.1), (4, 0.2), (64, 0.3)))
    objective = 1.0 * Photometric() + 2.0 * AtLevel(64, 1.0 * Census()) + 3.0 * epe + 4.0 * LevelEPE(8)
    objective += 5.0 * SecondPass(1.0 * AtLevel(4, 1.0 * Census()) + 1.0 * AtLevel(64, 1.0 * Census()))
    objective += 6.0 * Past(1.0 * AtLevel(64, 1.0 * Census()))
    assert objective.needs_levels == {1, 4, 8, 64}
    left = 1.0 * Photometric() + 3.0 * MultiscaleEPE(((1, 0.1), (4, 0.2)))
    left += 5.0 * SecondPass(1.0 * AtLevel(4, 1.0 * Census()))
    assert objective.on_levels(frozenset({1, 4, 16})) == left
    assert objective.on_levels(frozenset({1, 4, 8, 64})) == objective
