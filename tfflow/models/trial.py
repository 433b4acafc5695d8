"""Tries a .tflite file in a separate process, because a damaged file can crash or block the native runtime."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tfflow.errors import InputError

MOST_ELEMENTS = 2**28
"""Largest number of elements of a tensor: 64 channels of 4 million pixels. A small file may declare any size."""
MOST_MEMORY = 4 << 30
OPENING_SECONDS, RUNNING_SECONDS = 10, 60
"""Limits of processor time: opening a file, which takes far less than a second, and one pair of frames."""

TRIAL = """
import resource
import numpy as np
from ai_edge_litert.interpreter import Interpreter

def limit(what, most):
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))

limit(resource.RLIMIT_CORE, 0)
limit(resource.RLIMIT_AS, memory)
limit(resource.RLIMIT_CPU, opening)
interpreter = Interpreter(model_path=path, num_threads=1)
largest = max((int(np.prod(t["shape"], dtype=float)) for t in interpreter.get_tensor_details()), default=0)
if largest > elements:
    raise ValueError(f"a tensor of {largest:,} numbers")
interpreter.allocate_tensors()
limit(resource.RLIMIT_CPU, opening + running)
for tensor in interpreter.get_input_details():
    interpreter.set_tensor(tensor["index"], np.zeros(tensor["shape"], tensor["dtype"]))
interpreter.invoke()
"""
"""The program of the process. A line before it sets path, elements, memory, opening and running. It imports neither
this package nor TensorFlow, so it takes 0.1 s."""


def check_runs(path: Path) -> None:
    """Raises InputError if the runtime crashes or exceeds the limits on one pair of black frames."""
    given = (str(path), MOST_ELEMENTS, MOST_MEMORY, OPENING_SECONDS, RUNNING_SECONDS)
    program = f"path, elements, memory, opening, running = {given!r}\n{TRIAL}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    if done.returncode == 0:
        return
    if done.returncode == -signal.SIGXCPU:
        reason = f"no end after {OPENING_SECONDS} s of opening or {RUNNING_SECONDS} s of running it"
    elif done.returncode < 0:
        reason = f"the runtime crashes on it, signal {-done.returncode}"
    else:
        reason = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it fails"])[-1]
    raise InputError(f"{str(path)!r} is not a whole .tflite file ({reason}); export it again")
