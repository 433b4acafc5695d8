"""The optimizers that recipes name: Adam as Keras has it, and Muon, which Keras 2 lacks."""

from __future__ import annotations

import tensorflow as tf
import tf_keras as keras

from tfflow.recipes import Adam, Muon

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the Newton-Schulz iteration (Jordan et al. 2024): singular values end between 0.7 and 1.2."""

RMS = 0.2
"""Root mean square of an update, in learning rates: about that of Adam (Liu et al. 2025)."""


def optimizer_of(settings: Adam | Muon) -> keras.optimizers.Optimizer:
    """The Keras optimizer of a recipe. Its learning rate is set at each step."""
    if isinstance(settings, Muon):
        return MuonOptimizer(settings)
    return keras.optimizers.Adam(
        beta_1=settings.beta1, beta_2=settings.beta2, epsilon=settings.epsilon, jit_compile=False
    )


def is_matrix(variable: tf.Variable) -> bool:
    """Whether Muon updates it as a matrix: kernels [h, w, inputs, outputs] with more than two outputs, as flow has."""
    shape = variable.shape
    return shape.rank == 4 and shape[3] > 2 and shape[0] * shape[1] * shape[2] > 2


def orthogonal(matrix: tf.Tensor, iterations: int = 5) -> tf.Tensor:
    """About U V^T of a matrix U S V^T, [rows, columns], by Newton-Schulz iterations.

    Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    """
    a, b, c = QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = tf.transpose(matrix) if tall else matrix
    x = x / (tf.norm(x) + 1e-20)
    for _ in range(iterations):
        gram = tf.matmul(x, x, transpose_b=True)
        x = a * x + tf.matmul(b * gram + c * tf.matmul(gram, gram), x)
    return tf.transpose(x) if tall else x


class MuonOptimizer(keras.optimizers.Optimizer):
    """Muon for kernels, as matrices [h w inputs, outputs]; Adam with the same rate for biases and heads of two outputs.

    Muon:  M <- m M + G;  W <- W - rate 0.2 sqrt(max(rows, columns)) orthogonal(G + m M)
    """

    def __init__(self, settings: Muon):
        super().__init__(name="Muon", jit_compile=False)
        self.settings = settings
        self._learning_rate = self._build_learning_rate(0.001)

    def build(self, var_list) -> None:
        super().build(var_list)
        if hasattr(self, "_moments"):
            return
        self._moments = [self.add_variable_from_reference(v, "m") for v in var_list]
        self._squares = [None if is_matrix(v) else self.add_variable_from_reference(v, "v") for v in var_list]

    def update_step(self, gradient, variable) -> None:
        place = self._index_dict[self._var_key(variable)]
        moment, square = self._moments[place], self._squares[place]
        update = self._muon(gradient, moment) if square is None else self._adam(gradient, moment, square)
        variable.assign_sub(tf.cast(self.learning_rate, variable.dtype) * update)

    def _muon(self, gradient, moment):
        decay = self.settings.momentum
        moment.assign(decay * moment + gradient)
        sizes = (gradient.shape[0] * gradient.shape[1] * gradient.shape[2], gradient.shape[3])
        step = orthogonal(tf.reshape(gradient + decay * moment, sizes), self.settings.iterations)
        return RMS * max(sizes) ** 0.5 * tf.reshape(step, gradient.shape)

    def _adam(self, gradient, moment, square):
        beta1, beta2 = self.settings.beta1, self.settings.beta2
        count = tf.cast(self.iterations + 1, gradient.dtype)
        moment.assign_add((1 - beta1) * (gradient - moment))
        square.assign_add((1 - beta2) * (gradient**2 - square))
        mean, variance = moment / (1 - beta1**count), square / (1 - beta2**count)
        return mean / (tf.sqrt(variance) + self.settings.epsilon)
