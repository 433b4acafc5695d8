"""Each penalty against its formula, number by number."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfflow.losses import AbsRobust, Charbonnier

X = np.float32([-300, -2.5, -0.01, 0, 1e-4, 0.3, 1, 7])
FORMULAS = {
    "DDFlow": (AbsRobust(), lambda x: (abs(x) + 0.01) ** 0.4),
    "another": (AbsRobust(epsilon=0.1, q=0.7), lambda x: (abs(x) + 0.1) ** 0.7),
    "UnFlow": (Charbonnier(alpha=0.45), lambda x: (x**2 + 0.001**2) ** 0.45),
    "Back to Basics": (Charbonnier(alpha=0.53, beta=360.0), lambda x: ((360 * x) ** 2 + 0.001**2) ** 0.53),
    "wide": (Charbonnier(alpha=0.5, epsilon=2.0), lambda x: (x**2 + 4.0) ** 0.5),
}
each_penalty = pytest.mark.parametrize(("penalty", "formula"), FORMULAS.values(), ids=FORMULAS)


@each_penalty
def test_penalty_is_its_formula(penalty, formula):
    expected = [formula(float(x)) for x in X]
    np.testing.assert_allclose(penalty(tf.constant(X)), expected, rtol=1e-5)


@each_penalty
def test_penalty_has_the_slope_of_its_formula_and_a_finite_one_at_zero(penalty, formula):
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = penalty(x)
    slope = tape.gradient(y, x).numpy()
    assert np.isfinite(slope).all() and slope[X == 0] == 0
    for value, found in zip(X[X != 0].astype(float), slope[X != 0], strict=True):
        step = 1e-4 * abs(value)
        np.testing.assert_allclose(found, (formula(value + step) - formula(value - step)) / (2 * step), rtol=1e-3)


@each_penalty
def test_penalty_weighs_both_signs_alike_and_grows(penalty, formula):
    np.testing.assert_array_equal(penalty(tf.constant(X)), penalty(tf.constant(-X)))
    assert (np.diff(penalty(tf.constant(np.linspace(0, 9, 50, dtype=np.float32)))) > 0).all()
