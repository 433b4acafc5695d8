"""The quantizer works on Keras 2 although nothing is set for the process, and Keras 3 may be in use already."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.exporting import needs  # noqa: F401 (before what needs it)

CODE = """
import os
import tensorflow as tf
assert "TF_USE_LEGACY_KERAS" not in os.environ
tf.keras.layers.Dense(1)  # Keras 3, where TensorFlow is newer than 2.15
import tests.exporting.conftest
import tfflow
from tfflow.models import untrained
result = tfflow.export(untrained("small_pwc"), size=(32, 48), precision="int8-ptq", limit=1)
found = result.reports[0].facts.int8_share
assert found > 0.5, found
"""


def test_eight_bits_are_simulated_after_keras_3_was_used():
    environment = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", CODE], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
