"""Networks that train in seconds; `python -m tests.training.tiny` is `python -m tfflow.train` with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tfflow.models import VARIANTS, Variant
from tfflow.models.blocks import TORCH, chain, conv, flow_head
from tfflow.models.spynet import SpyNet


class Tiny(SpyNet):
    """Three levels of a few weights each."""

    stride = 8

    def __init__(self, dtype: str = "float32", levels: int = 3):
        super().__init__(dtype, levels)

    def _level(self, name: str):
        first = conv(f"{name}_conv1", 6, slope=0, init=TORCH, dtype=self.dtype)
        return chain([first, flow_head(f"{name}_flow", init=TORCH)])


class TinySix(Tiny):
    """The six levels that SpyNet's recipe trains."""

    stride = 32

    def __init__(self, dtype: str = "float32"):
        super().__init__(dtype, levels=6)


for _name, _build in (("tiny", Tiny), ("tiny_six", TinySix)):
    VARIANTS[_name] = Variant(_name, _build, "of the tests", 1, "none")

ROOT = Path(__file__).parents[2]


def start(*arguments, module: str = "tests.training.tiny", **variables: str) -> subprocess.Popen:
    """A training command in a process of its own, its output kept for `communicate`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen, seconds: float = 300) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a started command."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"not done after {seconds} s:\n{out}\n{err}") from None
    return process.returncode, out, err


if __name__ == "__main__":
    from tfflow.train import main

    raise SystemExit(main())
