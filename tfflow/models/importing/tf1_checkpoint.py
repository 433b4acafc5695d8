"""Checkpoints of TensorFlow 1 (Saver's, with an index): variables by name."""

from __future__ import annotations

import os
import re

import numpy as np
import tensorflow as tf

from tfflow.errors import InputError

BESIDES = re.compile(r"Variable|global_step|beta[12]_power|.*/(Adam|Adam_1|Momentum|ExponentialMovingAverage)")
"""Variables that a training run needs beside the network's: steps, and states of optimizers."""


def read_checkpoint(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The network's variables in a checkpoint, named by its prefix or one of its files (.index, .data-...).

    Raises InputError where there is none, or a damaged one.
    """
    prefix = re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", str(path))
    try:
        reader = tf.train.load_checkpoint(prefix)
        names = [n for n in reader.get_variable_to_shape_map() if not BESIDES.fullmatch(n)]
        return {name: reader.get_tensor(name) for name in sorted(names)}
    except (tf.errors.OpError, ValueError, TypeError, RuntimeError, IndexError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{str(path)!r} is no whole checkpoint of TensorFlow; expected a prefix with PREFIX.index and "
            f"PREFIX.data-00000-of-00001 beside it ({reason})"
        ) from None
