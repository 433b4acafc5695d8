"""The boundary of every command: what is wrong outside is one line and exit code 2, and Ctrl-C ends what runs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tfflow.errors import LONGEST_LINE, InputError, command

ROOT = Path(__file__).parents[1]
COMMANDS = [*sorted((ROOT / "tfflow").rglob("*.py")), *sorted((ROOT / "export").glob("*.py"))]


def run_of(error: Exception, capsys) -> tuple[int, str]:
    @command
    def main(argv=None):
        raise error

    return main([]), capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["a\nb", "x" * 5000, "\x1b[31mred\x07", "weights 'a\udcffb'", "first " + "y" * 1000 + " last"]
)
def test_a_refusal_is_one_line_of_at_most_300_characters_without_control_characters(text, capsys):
    code, err = run_of(InputError(text), capsys)
    assert code == 2 and err.startswith("tfflow: ") and err.count("\n") == 1 and err.endswith("\n")
    assert len(err) <= LONGEST_LINE + 1 == 301 and err[:-1].isprintable()
    assert ("last" in err) == ("last" in text)  # what to do stands at the end


def test_memory_that_does_not_suffice_is_a_refusal(capsys):
    code, err = run_of(MemoryError(), capsys)
    assert code == 2 and err.startswith("tfflow: memory does not suffice: take smaller frames")


@pytest.mark.parametrize("file", COMMANDS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_command_has_the_one_parser_and_the_one_console(file):
    """So that argparse's errors are one line, and what a user calls a folder is no markup."""
    if file.name == "terminal.py":  # the one place
        return
    text = file.read_text("utf-8")
    assert not re.search(r"ArgumentParser\(|\bConsole\(|rich\.markup", text)
    assert not re.search(r"markup=True|\[/?(bold|italic|red|dim)\]", text)
    assert not re.search(r"TextColumn\((?!\"scenes\"|\"\{task\.fields\[rate\])(?![^)]*markup=False)", text)


SLOW = """
import hashlib, signal
from tfflow.errors import command

@command
def main(argv=None):
    signal.signal(signal.SIGINT, lambda number, frame: None)  # as training, which first ends its step
    print("begun", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"a", b"b", 10**9)  # minutes in which no handler of Python's runs

raise SystemExit(main([]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_a_second_interrupt_ends_a_command_inside_a_long_call():
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None  # the call goes on
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read() == "\ntfflow: ended at once\n"
    finally:
        process.kill()
        process.communicate()


def test_the_signals_are_as_they_were_after_a_command():
    @command
    def main(argv=None):
        return 0

    before = signal.getsignal(signal.SIGINT)
    assert main([]) == 0
    assert signal.getsignal(signal.SIGINT) is before and signal.set_wakeup_fd(-1) == -1
