"""Reads checkpoints of TensorFlow 1, as its Saver writes them with an index."""

from __future__ import annotations

import glob
import math
import os
import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfflow.errors import InputError
from tfflow.limits import MOST_VALUES, bytes_limit

BESIDES = re.compile(r"Variable|global_step|beta[12]_power|.*/(Adam|Adam_1|Momentum|ExponentialMovingAverage)")
"""Variables of training that are no weights: counters of steps, and states of optimizers."""


def read_checkpoint(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The network's variables in a checkpoint, by name.

    path: the prefix of the checkpoint, or one of its files (.index, .data-...).
    Raises InputError if there is none, if it is damaged, or if its variables are larger than its files.
    """
    prefix = re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", str(path))
    try:
        reader = tf.train.load_checkpoint(prefix)
        shapes, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        names = [n for n in shapes if not BESIDES.fullmatch(n)]
        if len(names) > MOST_VALUES:
            raise ValueError(f"it holds {len(names):,} variables")
        made = bytes_limit(_size(prefix))
        for name in names:  # before any is allocated
            made.add(math.prod(shapes[name]) * types[name].size)
        return {name: reader.get_tensor(name) for name in sorted(names)}
    except (tf.errors.OpError, ValueError, TypeError, RuntimeError, IndexError) as error:
        reason = str(error)[:200]
        raise InputError(
            f"{str(path)!r} is no whole checkpoint of TensorFlow; expected a prefix with PREFIX.index and "
            f"PREFIX.data-00000-of-00001 beside it ({reason})"
        ) from None


def _size(prefix: str) -> int:
    """Bytes of the checkpoint's files, or of a single file without an index, as from before TensorFlow 0.12."""
    path = Path(prefix)
    return sum(
        file.stat().st_size for file in {path, *path.parent.glob(f"{glob.escape(path.name)}.*")} if file.is_file()
    )
