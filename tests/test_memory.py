"""The process keeps what it freed: the second large block costs no fresh pages."""

from __future__ import annotations

import subprocess
import sys

import pytest

COUNT = """
import resource
import numpy as np
from tfflow.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(4 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

fresh = faults()
kept = keep_freed_memory()
faults()
print(kept, fresh, faults())
"""


def test_memory_that_was_freed_is_handed_out_again():
    done = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    kept, fresh, again = done.stdout.split()
    if kept == "False":
        pytest.skip("this system's C library is not glibc")
    assert int(again) < 200 < int(fresh)
