"""What the library says beside its results: by `logging`, in the words of Python; by commands, in those of a shell."""

from __future__ import annotations

import ast
import inspect
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tfflow
from tfflow.commands.main import COMMANDS, module_of
from tfflow.commands.options import Parser
from tfflow.errors import InputError, command
from tfflow.messages import counted, inform, warn, with_options

ROOT = Path(__file__).parents[1] / "tfflow"
LIBRARY = [file for file in sorted(ROOT.rglob("*.py")) if "commands" not in file.parts]
OPTION = re.compile(r"(?:^|[\s(])--[a-z{]")
SHELL = re.compile(r"adb shell|^tfflow [a-z]+ --|`--scales 1,2`")  # lines for a shell, and for a card of weights
PRINTS = {"print", "sys.stdout", "sys.stderr"}
FUNCTIONS = {
    "compare": tfflow.compare, "evaluate": tfflow.evaluate, "export": tfflow.export, "train": tfflow.train,
    "phone": tfflow.phone,
}  # fmt: skip


def parser() -> Parser:
    p = Parser("small", "A command of these tests.")
    p.add_argument("run")
    p.add_argument("-n", "--val-limit", "--pairs", type=int)
    p.add_argument("--on-error")
    p.add_argument("--overwrite", action="store_true")
    p.add_argument("--no-cuts", action="store_true")
    return p


def test_one_is_singular_and_thousands_have_commas():
    assert [counted(n, "pair") for n in (0, 1, 2, 2_000)] == ["0 pairs", "1 pair", "2 pairs", "2,000 pairs"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("`val_limit` must be above 0", "--val-limit must be above 0"),
        ("give `run`, or add `overwrite=True`", "give RUN, or add --overwrite"),
        ("`on_error='skip'` goes on, `cuts=False` too", "--on-error skip goes on, --no-cuts too"),
        ("`val_limit=8`", "--val-limit 8"),
        ("`image1` must be [h, w, 3]; see `tfflow.train`, `overwrite=False`, `x y`", None),
    ],
)
def test_parameters_become_options_of_the_command_and_other_names_stay(text, shown):
    assert with_options(text, parser().options()) == (shown or text)


def test_a_command_prints_refusals_warnings_and_news_with_its_options(capsys):
    @command
    def main(argv=None):
        inform("goes on")
        warn("few\nof `val_limit`")
        raise InputError("`overwrite=True` and `elsewhere` exclude each other")

    assert main([]) == 2
    assert capsys.readouterr() == (
        "",
        "tfflow: goes on\ntfflow: warning: few of --val-limit\n"
        "tfflow: --overwrite and `elsewhere` exclude each other\n",
    )


def test_a_command_inside_a_command_prints_once_and_leaves_logging_as_it_was(capsys):
    @command
    def inner(argv=None):
        warn("once")

    @command
    def outer(argv=None):
        return inner(argv)

    log = logging.getLogger("tfflow")
    before = (list(log.handlers), log.level, log.propagate)
    assert outer([]) == 0 and capsys.readouterr().err == "tfflow: warning: once\n"
    assert (list(log.handlers), log.level, log.propagate) == before


@pytest.mark.parametrize(
    ("settings", "expected"),
    [("", "care\n"), ("logging.getLogger('tfflow').setLevel('ERROR')", ""), ("logging.basicConfig(level=20)", None)],
)
def test_in_a_program_warnings_are_logged_and_news_are_silent_unless_asked_for(settings, expected):
    script = f"import logging; {settings}\nfrom tfflow.messages import inform, warn; warn('care'); inform('news')"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == ""
    assert run.stderr == (expected if expected is not None else "WARNING:tfflow:care\nINFO:tfflow:news\n")


def messages(file: Path) -> list[str]:
    """The texts of a file that are no docstrings."""
    tree = ast.parse(file.read_text("utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    whole = [ast.unparse(node)[2:-1] for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    return whole + [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | inside
    ]


@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_message_of_the_library_names_an_option_and_none_is_printed(file):
    named = [text for text in messages(file) if OPTION.search(text) and not SHELL.search(text)]
    assert not named
    if file.name not in ("errors.py", "messages.py", "progress.py", "interrupt.py"):  # the boundary, and a progress bar
        assert not PRINTS & {ast.unparse(node) for node in ast.walk(ast.parse(file.read_text("utf-8")))}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_parameter_and_its_option_have_one_name(name):
    assert name in COMMANDS
    parameters = set(inspect.signature(FUNCTIONS[name]).parameters) - {"progress", "each"}
    assert parameters <= set(module_of(name).parser().options())
