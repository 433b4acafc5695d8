"""A .tflite is tried in a process of its own: its runtime is native code, which a damaged file can crash or hold up."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tfflow.errors import InputError

MOST_ELEMENTS = 2**28
"""Numbers in one tensor: 64 channels of 4 million pixels. A few bytes of a file may ask for any size."""
MOST_MEMORY = 4 << 30
OPENING_SECONDS, RUNNING_SECONDS = 10, 60
"""Of a processor's time, for what takes far below one second, and for one pair of frames."""

TRIAL = """
import resource, sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter

path, elements, memory, opening, running = sys.argv[1], *map(int, sys.argv[2:])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CPU, (opening, opening + running))
interpreter = Interpreter(model_path=path, num_threads=1)
largest = max((int(np.prod(t["shape"], dtype=float)) for t in interpreter.get_tensor_details()), default=0)
if largest > elements:
    raise ValueError(f"a tensor of {largest:,} numbers")
interpreter.allocate_tensors()
resource.setrlimit(resource.RLIMIT_CPU, (opening + running, opening + running))
for tensor in interpreter.get_input_details():
    interpreter.set_tensor(tensor["index"], np.zeros(tensor["shape"], tensor["dtype"]))
interpreter.invoke()
"""
"""Imports neither this package nor TensorFlow: it takes 0.1 s."""


def check_runs(path: Path) -> None:
    """Raises InputError where the runtime does not survive the file, within limits, on one pair of black frames."""
    limits = map(str, (MOST_ELEMENTS, MOST_MEMORY, OPENING_SECONDS, RUNNING_SECONDS))
    done = subprocess.run([sys.executable, "-c", TRIAL, str(path), *limits], capture_output=True)
    if done.returncode == 0:
        return
    if done.returncode == -signal.SIGXCPU:
        reason = f"no end after {OPENING_SECONDS} s of opening or {RUNNING_SECONDS} s of running it"
    elif done.returncode < 0:
        reason = f"the runtime crashes on it, signal {-done.returncode}"
    else:
        reason = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it fails"])[-1]
    raise InputError(f"{str(path)!r} is not a whole .tflite file ({reason}); export it again")
