# PYTHON_ARGCOMPLETE_OK
"""The command `tfflow`: finds the subcommand and runs it. What it imports is quick, so that `tfflow --help` is."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from types import ModuleType

from tfflow import __version__
from tfflow.commands.options import Parser
from tfflow.commands.quiet import without_noise
from tfflow.errors import command

COMMANDS = {
    "train": ("train", "train a flow network on video, frames or the built-in scenes"),
    "phone": ("phone", "train on your video, measure, export and check, in one command"),
    "predict": ("predict", "the flow of two images, a folder or a video"),
    "evaluate": ("evaluate", "measure networks and classical methods on data"),
    "export": ("to_tflite", "make a .tflite for the phone, checked against its limits"),
    "validate": ("validate", "compare an export with the weights that it was made from"),
    "benchmark": ("benchmark", "how fast each network predicts and learns here"),
    "benchmark-export": ("benchmark_export", "how fast exported networks run, here and on a phone"),
    "web": ("web", "show exported networks in the browser"),
    "prove": ("prove", "whether training without labels pays, on scenes with known flow"),
    "correlate": ("correlate", "which label-free measures rank networks as their endpoint error does"),
    "compare": ("compare", "train methods alike and compare them"),
    "recipes": ("recipes", "list the training methods, or print one"),
    "data": ("data", "list the kinds of data that KIND:PATH may name"),
    "synthesize": ("synthesize", "write built-in moving scenes to disk, with exact flow"),
    "import-weights": ("import_weights", "convert weights that the authors of papers publish"),
    "release": ("release", "make a run's weights pretrained weights of the package"),
}
"""Of each subcommand its module and what it does, in the order of use."""


def parser() -> Parser:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    p = Parser(
        "tfflow",
        "Optical flow networks from your own video, without labels: train, measure, use, and export to a phone.",
        "\n".join(["commands:", *lines, "", "`tfflow COMMAND --help` says more."]),
        plugins=False,
    )
    p.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    p.add_argument("--version", action="version", version=f"tfflow {__version__}")
    return p


def module_of(name: str) -> ModuleType:
    return importlib.import_module(f"tfflow.commands.{COMMANDS[name][0]}")


@command
def _without_subcommand(argv: list[str]) -> int:
    parser().parse_args(argv)
    return 0


def main(argv: list[str] | None = None) -> int:
    """The command `tfflow`: returns its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if "_ARGCOMPLETE" in os.environ:
        complete()
    if argv and argv[0] in COMMANDS:
        return command_of(argv[0])(argv[1:])
    return _without_subcommand(argv)


def command_of(name: str) -> Callable[..., int]:
    """The function that runs a subcommand, without TensorFlow's messages about the machine on stderr.

    The networks are built with Keras 2. TensorFlow then does not import Keras 3, which takes seconds.
    """

    def run(argv: list[str] | None = None) -> int:
        if "tensorflow" not in sys.modules:
            os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
        with without_noise():
            return module_of(name).main(argv)

    return run


def complete() -> None:
    """Answers a shell that asks how a line goes on: `eval "$(register-python-argcomplete tfflow)"` makes it ask."""
    import argcomplete

    words = os.environ.get("COMP_LINE", "").split()
    asked = next((word for word in words[1:] if word in COMMANDS), None)
    if asked is None:
        argcomplete.autocomplete(parser())
        return
    p = module_of(asked).parser()
    p.add_argument("command", choices=[asked])
    p._actions.insert(0, p._actions.pop())  # before the positional arguments of the subcommand
    argcomplete.autocomplete(p)
