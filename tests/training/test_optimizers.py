"""Muon: what it does to a kernel, beside NumPy; that biases learn by Keras's Adam; that a run continues exactly."""

from __future__ import annotations

import dataclasses
import os
import signal

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tests.training.runs import THREE, largest_difference, run, weights
from tfflow.models import FlowModel
from tfflow.recipes import Adam, Muon
from tfflow.training.optimizers import QUINTIC, is_matrix, optimizer_of, orthogonal

MUON = dataclasses.replace(THREE, optimizer=Muon(clip=1.0))


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def updated(settings, start, gradients, rate=0.01):
    """The weights after a step with each of the gradients."""
    variable = tf.Variable(start)
    optimizer = optimizer_of(settings)
    optimizer.build([variable])
    optimizer.learning_rate.assign(rate)
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
    return variable.numpy()


@pytest.mark.parametrize("shape", [(27, 16), (16, 300), (40, 40)])
def test_the_singular_values_become_about_one_and_the_directions_stay(shape):
    matrix = draw(*shape)
    result = orthogonal(tf.constant(matrix)).numpy()
    values = np.linalg.svd(result, compute_uv=False)
    assert values.min() > 0.6 and values.max() < 1.3
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    inner = left.T @ result @ right.T
    assert np.abs(inner - np.diag(np.diag(inner))).max() < 0.02


def test_the_length_of_a_gradient_does_not_count_and_zero_stays_zero():
    matrix = draw(30, 8)
    assert np.allclose(orthogonal(tf.constant(matrix)), orthogonal(tf.constant(matrix * 1e-6)), atol=1e-3)
    assert not np.any(orthogonal(tf.zeros([30, 8])))


def test_a_kernel_follows_the_equation_over_three_steps():
    start, gradients = draw(3, 3, 5, 8), [draw(3, 3, 5, 8, seed=i) for i in (1, 2, 3)]
    average, expected = np.zeros((45, 8)), start.reshape(45, 8).astype(np.float64)
    for gradient in gradients:
        average = 0.9 * average + gradient.reshape(45, 8)
        x = (gradient.reshape(45, 8) + 0.9 * average).T
        x = x / np.linalg.norm(x)
        for _ in range(5):
            gram = x @ x.T
            x = QUINTIC[0] * x + (QUINTIC[1] * gram + QUINTIC[2] * gram @ gram) @ x
        expected -= 0.01 * 0.2 * np.sqrt(45) * x.T
    np.testing.assert_allclose(updated(Muon(momentum=0.9), start, gradients).reshape(45, 8), expected, atol=1e-4)


def test_an_update_of_a_kernel_is_as_large_as_one_of_adam():
    start = np.zeros((3, 3, 32, 64), np.float32)
    moved = updated(Muon(), start, [draw(3, 3, 32, 64)], rate=1.0)
    assert 0.7 * 0.2 < np.sqrt(np.mean(moved**2)) < 1.2 * 0.2


@pytest.mark.parametrize("shape", [(16,), (3, 3, 8, 2)])
def test_biases_and_heads_of_two_outputs_learn_by_adam(shape):
    start, gradients = draw(*shape), [draw(*shape, seed=i) for i in range(1, 5)]
    expected = updated(Adam(), start, gradients)
    assert not np.allclose(expected, start)
    np.testing.assert_allclose(updated(Muon(), start, gradients), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["pwcnet_mobile_v4", "spynet_mobile_v4"])
def test_nearly_all_weights_of_a_network_are_matrices(name):
    sizes = [(int(np.prod(v.shape)), is_matrix(v)) for v in FlowModel(name).one_way.trainable_variables]
    assert 0.9 < sum(n for n, matrix in sizes if matrix) / sum(n for n, _ in sizes) < 1


def test_a_stopped_run_continues_as_if_never_stopped(tmp_path):
    run(tmp_path / "a", MUON)
    _, ended, _ = run(tmp_path / "b", MUON, at=lambda step: step == 5 and os.kill(os.getpid(), signal.SIGTERM))
    assert not ended
    run(tmp_path / "b", MUON)
    assert largest_difference(weights(tmp_path / "a"), weights(tmp_path / "b")) == 0
    run(tmp_path / "c", THREE)
    assert largest_difference(weights(tmp_path / "a"), weights(tmp_path / "c")) > 0


def test_mixed_precision_scales_its_loss():
    variable = tf.Variable(draw(3, 3, 5, 8))
    before = variable.numpy()
    optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer_of(Muon()))
    optimizer.build([variable])
    optimizer.apply_gradients([(tf.constant(draw(3, 3, 5, 8, seed=1)), variable)])
    assert np.all(np.isfinite(variable)) and not np.allclose(variable, before)
