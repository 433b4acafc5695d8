"""Random numbers from a seed. They do not depend on the device or the order of computation."""

from __future__ import annotations

import tensorflow as tf

ALGORITHM = "philox"  # "auto_select" draws other numbers on other devices


def fold(seed: tf.Tensor, place: int) -> tf.Tensor:
    """A seed [2] for draw number `place` from `seed` [2]."""
    return tf.random.experimental.stateless_fold_in(tf.cast(seed, tf.int32), place, alg=ALGORITHM)


def uniform(seed: tf.Tensor, low: float = 0.0, high: float = 1.0, shape: tuple | tf.Tensor = ()) -> tf.Tensor:
    """Random numbers, uniform in [low, high), float32."""
    return low + (high - low) * tf.random.stateless_uniform(shape, seed, alg=ALGORITHM)


def normal(seed: tf.Tensor, shape: tuple | tf.Tensor) -> tf.Tensor:
    """Random numbers, normal with mean 0 and standard deviation 1, float32."""
    return tf.random.stateless_normal(shape, seed, alg=ALGORITHM)


def happens(seed: tf.Tensor, probability: float) -> tf.Tensor:
    """True with `probability`."""
    return uniform(seed) < probability


def check_probability(**values: float) -> None:
    """Raises ValueError, with its name, for a value that is no probability."""
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueError(f"`{name}` must be a probability in [0, 1], got {value}")


def check_range(**values: tuple[float, float]) -> None:
    """Raises ValueError, with its name, for a value that is not (low, high) with 0 < low <= high."""
    for name, value in values.items():
        if len(value) != 2 or not 0 < value[0] <= value[1]:
            raise ValueError(f"`{name}` must be (low, high) with 0 < low <= high, got {value}")


def check_not_negative(**values: float) -> None:
    """Raises ValueError, with its name, for a negative value."""
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"`{name}` must not be negative, got {value}")
