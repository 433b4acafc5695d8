"""Checkpoints of TensorFlow 1 (Saver's, with an index): variables by name."""

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
"""Variables that a training run needs beside the network's: steps, and states of optimizers."""


def read_checkpoint(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The network's variables in a checkpoint, named by its prefix or one of its files (.index, .data-...).

    Raises InputError where there is none, or a damaged one, or where its variables are larger than its files.
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
    """Bytes of the checkpoint's files; of a file without an index, as TensorFlow wrote before 0.12, its own."""
    path = Path(prefix)
    return sum(
        file.stat().st_size for file in {path, *path.parent.glob(f"{glob.escape(path.name)}.*")} if file.is_file()
    )
