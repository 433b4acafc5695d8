"""A run folder has one writer, and a lock that no crash leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tfflow.errors import InputError
from tfflow.training.checkpoint import check_folder
from tfflow.training.lock import one_writer

pytestmark = pytest.mark.usefixtures("as_command")

HOLD = """
import sys, time, pathlib
from tfflow.training.lock import one_writer
with one_writer(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def refused(folder) -> str:
    with pytest.raises(InputError) as error, one_writer(folder):
        pytest.fail("two writers")
    assert str(error.value).startswith(f"`out` '{folder}' is in use by another training (")
    return str(error.value)


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        assert f"(process {process.pid} on " in refused(folder)
        process.kill()
        process.wait()
        with one_writer(folder):
            assert f"process {os.getpid()} on " in (folder / ".lock").read_text()
    finally:
        process.kill()
        process.communicate()


def test_one_process_holds_a_folder_once_and_again_afterwards(tmp_path):
    with one_writer(tmp_path):
        assert f"(process {os.getpid()} on " in refused(tmp_path)
    with one_writer(tmp_path):
        pass
    check_folder(tmp_path, {})  # the lock alone makes no run of a folder


def test_a_disk_without_locks_is_named(tmp_path, monkeypatch, capsys):
    def refuse(descriptor):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("tfflow.training.lock._lock", refuse)
    with one_writer(tmp_path):
        pass
    assert capsys.readouterr().err == (
        f"tfflow: warning: '{tmp_path}' cannot be locked (No locks available): let no other training write there\n"
    )
