"""Networks that train in seconds; `python -m tests.training.tiny` is `python -m tfflow.train` with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import tf_keras as keras

from tfflow.layers import Normalize, UpsampleFlow
from tfflow.models import register_network
from tfflow.models.blocks import TORCH, add, chain, concat, conv, flow_head
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


class TinyStack:
    """Three networks one after the other, each adding to the flow so far at 1/4."""

    stride = 8
    count = 3

    def __init__(self, dtype: str = "float32"):
        self.normalize = Normalize((0.5, 0.5, 0.5), (1.0, 1.0, 1.0), name="normalize")
        options = {"init": TORCH, "dtype": dtype}
        self.nets = [
            chain(
                [
                    conv(f"net{k}_conv1", 6, stride=2, **options),
                    conv(f"net{k}_conv2", 6, stride=2, **options),
                    flow_head(f"net{k}_flow", init=TORCH),
                ]
            )
            for k in range(1, self.count + 1)
        ]

    def encode(self, images):
        return [self.normalize(images)]

    def decode(self, images1, images2):
        pair, flows = concat("pair", [*images1, *images2]), []
        for k, net in enumerate(self.nets, 1):
            flow = net(concat(f"net{k}_input", [pair, flows[0]]) if flows else pair)
            flow = add(f"net{k}_sum", flow, flows[1]) if flows else flow
            flows = [UpsampleFlow(4, name=f"net{k}_full_resolution")(flow), flow, *flows]
        return flows


class TinyThree:
    """Three frames in, and all that a network of them may give out, at full resolution and at 1/4."""

    stride = 8
    frames = 3
    outputs = ("flows12", "flows10", "shares")

    def __init__(self, dtype: str = "float32"):
        self.normalize = Normalize((0.5, 0.5, 0.5), (1.0, 1.0, 1.0), name="normalize")
        options = {"init": TORCH, "dtype": dtype}
        body = [conv("conv1", 6, stride=2, **options), conv("conv2", 6, stride=2, **options)]
        self.heads = [chain([*body, flow_head(name, init=TORCH)]) for name in ("flow12", "flow10", "shares")]

    def encode(self, images):
        return [self.normalize(images)]

    def decode(self, images1, images2, images0):
        three = concat("three", [*images1, *images2, *images0])
        flow12, flow10, logits = (head(three) for head in self.heads)
        maps = []
        for name, flow in (("flow12", flow12), ("flow10", flow10)):
            maps += [UpsampleFlow(4, name=f"{name}_full_resolution")(flow), flow]
        shares = keras.layers.Softmax(name="shares_softmax")(logits)
        return [*maps, keras.layers.UpSampling2D(4, name="shares_full_resolution")(shares), shares]


class TinyFive(TinyStack):
    """As many as FlowNet2 has."""

    count = 5


_networks = {"tiny": Tiny, "tiny_six": TinySix, "tiny_stack": TinyStack, "tiny_five": TinyFive, "tiny_three": TinyThree}
for _name, _build in _networks.items():
    register_network(_name, _build, paper="of the tests")

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
    from tfflow.commands.train import main

    raise SystemExit(main())
