"""A .tflite run by LiteRT's CompiledModel, the runtime of newer apps, in a process of its own.

What native code prints there is not seen, and where it crashes on a file, this process goes on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

SECONDS = 300
"""After which a run counts as failed."""


def compiled_outputs(path: Path, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """Outputs by name, float32, of one run; None where CompiledModel refuses the file or fails on it."""
    with tempfile.TemporaryDirectory() as folder:
        given, taken = Path(folder) / "inputs.npz", Path(folder) / "outputs.npz"
        arrays: dict = dict(inputs)
        np.savez(given, **arrays)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-m", "tfflow.exporting.compiled", str(path), signature, str(given), str(taken)]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return None
        if done.returncode or not taken.is_file():
            return None
        with np.load(taken) as outputs:
            return {name: outputs[name] for name in outputs.files}


def _run(path: str, signature: str, given: str, taken: str) -> None:
    from ai_edge_litert.compiled_model import CompiledModel

    model = CompiledModel.from_file(path)
    buffers = {}
    with np.load(given) as inputs:
        for name in inputs.files:
            buffers[name] = model.create_input_buffer_by_name(signature, name)
            buffers[name].write(inputs[name])
    shapes = {name: d["shape"] for name, d in model.get_output_tensor_details(signature).items()}
    outputs = {name: model.create_output_buffer_by_name(signature, name) for name in shapes}
    model.run_by_name(signature, buffers, outputs)
    arrays = {name: outputs[name].read(int(np.prod(shape)), np.float32) for name, shape in shapes.items()}
    np.savez(taken, **{name: array.reshape(shapes[name]) for name, array in arrays.items()})


if __name__ == "__main__":
    _run(*sys.argv[1:])
