"""Files that are whole or not there, whatever lies beside them and whoever else writes."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tfflow import files
from tfflow.files import check_writable, sweep, write_text, write_whole, write_whole_folder


def test_a_link_at_the_name_of_the_temporary_file_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "victim").write_text("mine")
    names = iter(["00000000", "00000000", "11111111"])
    monkeypatch.setattr(files.secrets, "token_hex", lambda n: next(names))
    with write_whole(tmp_path / "a.txt") as part:
        guessed = part
    assert not (tmp_path / "a.txt").read_text()
    (tmp_path / guessed.name).symlink_to(tmp_path / "victim")
    write_text(tmp_path / "b.txt", "new")
    assert (tmp_path / "victim").read_text() == "mine" and (tmp_path / "b.txt").read_text() == "new"


def test_names_as_long_as_the_system_takes_can_be_written(tmp_path):
    for name in ("x" * 255, "x" * 250 + ".flo", "a." + "y" * 253, "ü" * 127):
        write_text(tmp_path / name, "whole")
        assert (tmp_path / name).read_text() == "whole"


def test_a_new_file_has_the_rights_that_the_user_gives_all_his_files(tmp_path):
    (tmp_path / "plain").write_text("")
    write_text(tmp_path / "a", "")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    write_text(tmp_path / "a", "old")
    with pytest.raises(KeyError), write_whole(tmp_path / "a") as part:
        part.write_text("half")
        raise KeyError
    with pytest.raises(KeyError), write_whole_folder(tmp_path / "folder") as part:
        (part / "half").touch()
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "old"


def test_of_two_that_make_one_folder_the_first_stays(tmp_path):
    with write_whole_folder(tmp_path / "a") as first, write_whole_folder(tmp_path / "a") as second:
        (first / "x").touch()
        (second / "y").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["y"]  # the inner one ended first


KILLED = """
import sys, time
from tfflow.files import write_whole, write_whole_folder
with write_whole(sys.argv[1] + "/a.flo") as part, write_whole_folder(sys.argv[1] + "/b") as folder:
    part.write_text("half")
    (folder / "half").write_text("")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    root = Path(__file__).parents[1]
    process = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], cwd=root, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    sweep([tmp_path, tmp_path / "none"])
    assert len(list(tmp_path.iterdir())) == 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    for _ in range(50):  # the system drops its locks a moment later
        sweep([tmp_path])
        if not list(tmp_path.iterdir()):
            break
        time.sleep(0.1)
    assert not list(tmp_path.iterdir())


def test_sweeping_takes_no_file_of_others_and_follows_no_link(tmp_path):
    for name in (".hidden", ".wget.part", "tfflow-00000000.part", ".tfflow-notes.part"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").touch()
    (tmp_path / ".tfflow-00000001.part").symlink_to(tmp_path / "folder")
    os.mkfifo(tmp_path / ".tfflow-00000002.part")
    sweep([tmp_path])
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".hidden", ".tfflow-notes.part", ".wget.part", "folder", "tfflow-00000000.part",
    ]  # fmt: skip
    assert (tmp_path / "folder" / "mine").exists()


def test_a_folder_that_can_be_written_to_is_not_made_by_the_check(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file/b"):
        check_writable(tmp_path / "file" / "b")
