"""The command that writes scenes: what is on disk is what the generator draws; it continues; it refuses."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tfflow.commands.synthesize import ENDINGS, main
from tfflow.data.scenes import Scenes, SceneSettings
from tfflow.data.sources import open_source


def run(out, *more):
    return main(["--out", str(out), "--size", "32x48", "--jobs", "1", *map(str, more)])


def test_written_pairs_read_back_as_the_scenes(tmp_path, capsys):
    assert run(tmp_path / "set", "--count", 3, "--seed", 4, "--set", "noise=0", "--set", "shapes=2x5") == 0
    assert "3 pairs in" in capsys.readouterr().out
    drawn = Scenes((32, 48), 3, seed=4, settings=SceneSettings(noise=0.0, shapes=(2, 5)))
    read = open_source(f"chairs:{tmp_path / 'set'}")
    assert len(read) == 3
    for i in range(3):
        a, b = read.sample(i), drawn.sample(i)
        for key in ("flow12", "flow21", "visible1", "visible2"):
            np.testing.assert_array_equal(a[key], b[key], err_msg=key)
        np.testing.assert_allclose(a["image1"], b["image1"], atol=0.502 / 255)
        np.testing.assert_allclose(a["image2"], b["image2"], atol=0.502 / 255)


def test_parts_to_train_and_to_validate_have_their_own_names(tmp_path):
    run(tmp_path, "--count", 4)
    assert (tmp_path / "chairs_split.txt").read_text().split() == ["1", "2", "1", "1"]
    assert len(open_source(f"chairs-train:{tmp_path}")) == 3
    assert [open_source(f"chairs-val:{tmp_path}").record_name(0)] == ["00002"]


def test_run_again_it_writes_only_what_is_missing(tmp_path, capsys):
    run(tmp_path, "--count", 3)
    first = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()}
    assert len(first) == 3 * len(ENDINGS)
    lost = tmp_path / "data" / "00002_flow21.flo"
    lost.unlink()
    kept = (tmp_path / "data" / "00001_img1.ppm").stat().st_mtime_ns
    assert run(tmp_path, "--count", 5) == 0
    assert "3 of them new" in capsys.readouterr().out
    assert {n: (tmp_path / "data" / n).read_bytes() for n in first} == first
    assert (tmp_path / "data" / "00001_img1.ppm").stat().st_mtime_ns == kept
    assert len(list((tmp_path / "data").iterdir())) == 5 * len(ENDINGS)


def test_several_processes_write_the_same_files_as_one(tmp_path):
    run(tmp_path / "one", "--count", 3)
    assert main(["--out", str(tmp_path / "two"), "--size", "32x48", "--count", "3", "--jobs", "2"]) == 0
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n / "data").iterdir()} for n in ("one", "two"))
    assert one == two


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (["--seed", 9], r"holds scenes of other settings \(seed 0, not 9\): choose another --out"),
        (["--set", "noise=0.5"], r"holds scenes of other settings \(noise 0.03, not 0.5\)"),
        (["--count", 1], "was begun with 2 scenes: --count must be at least that"),
    ],
)
def test_folder_of_another_run_is_refused_and_kept(tmp_path, capsys, more, text):
    run(tmp_path, "--count", 2)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert run(tmp_path, "--count", 2, *more) == 2
    assert_one_line(capsys, text)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--size", "32"], "argument --size: expected HEIGHTxWIDTH such as 192x256, got '32'"),
        (["--size", "8x48"], "size of scenes must be height x width, 16 to 8192 each"),
        (["--count", "0"], "count of scenes must be a whole number >= 1, got 0"),
        (["--count", "100000"], "--count must be at most 99999, got 100000"),
        (["--jobs", "0"], "--jobs must be 1 or more, got 0"),
        (["--set", "nois=1"], "unknown setting of scenes 'nois': did you mean noise"),
        (["--textures", "nowhere"], "textures must be a folder of photographs, 'nowhere' is not a folder"),
    ],
)
def test_bad_arguments_leave_nothing_behind(tmp_path, capsys, arguments, text):
    assert run(tmp_path / "set", *arguments) == 2
    assert_one_line(capsys, text)
    assert not (tmp_path / "set").exists()


def test_foreign_folder_file_and_damaged_record_are_refused(tmp_path, capsys):
    (tmp_path / "precious.txt").write_text("mine")
    assert run(tmp_path) == 2
    assert_one_line(capsys, "is not empty and holds no scenes of tfflow.synthesize: choose another --out")
    assert run(tmp_path / "precious.txt") == 2
    assert_one_line(capsys, "--out must be a folder, .*precious.txt' is a file")
    (tmp_path / "synthesize.json").write_text(json.dumps([1]))
    assert run(tmp_path) == 2
    assert_one_line(capsys, "synthesize.json' is damaged: remove the folder or choose another --out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["precious.txt", "synthesize.json"]


def assert_one_line(capsys, text):
    said = capsys.readouterr().err
    assert said.startswith("tfflow: ") and said.count("\n") == 1
    assert re.search(text, said), said


@pytest.mark.parametrize("pair", ["size=8x8", "count=2", "seed=3", "noise=0,textures=x"])
def test_an_option_of_the_command_is_no_setting(pair, tmp_path, capsys):
    assert run(tmp_path / "scenes", "--set", pair) == 2
    name = pair.rpartition(",")[2]
    assert f"--set {name} is no setting of the scenes: give --{name.partition('=')[0]}\n" in capsys.readouterr().err
    assert not (tmp_path / "scenes").exists()


def test_folder_begun_before_a_setting_existed_goes_on_where_the_setting_is_at_its_default(tmp_path, capsys):
    run(tmp_path, "--count", 1)
    record = json.loads((tmp_path / "synthesize.json").read_text())
    del record["drive"], record["fast_speed"]
    (tmp_path / "synthesize.json").write_text(json.dumps(record))
    assert run(tmp_path, "--count", 2) == 0
    record = json.loads((tmp_path / "synthesize.json").read_text())
    del record["drive"]
    (tmp_path / "synthesize.json").write_text(json.dumps(record))
    capsys.readouterr()
    assert run(tmp_path, "--count", 2, "--set", "drive=0.5") == 2
    assert re.search(r"holds scenes of other settings \(drive 0.0, not 0.5\)", capsys.readouterr().err)


def test_presets_are_written_as_they_are_drawn(tmp_path):
    assert run(tmp_path, "--count", 2, "--set", "preset=mixed", "--set", "noise=0") == 0
    drawn = open_source("scenes:preset=mixed,noise=0,size=32x48")
    np.testing.assert_array_equal(open_source(f"chairs:{tmp_path}").sample(1)["flow12"], drawn.sample(1)["flow12"])
