"""How data is named on the command line, and what is done about damaged files."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.data import trees
from tfflow.data.damage import Skipping
from tfflow.data.sources import KINDS, each_sample, open_source
from tfflow.errors import InputError

pytestmark = pytest.mark.usefixtures("as_command")


def test_a_bare_folder_is_frames_and_a_bare_file_a_video(tmp_path):
    assert len(open_source(str(trees.frames(tmp_path / "clip")))) == 2
    assert len(open_source(str(trees.video(tmp_path / "v.avi", 5)))) == 4


def test_colons_in_paths_do_no_harm(tmp_path, monkeypatch):
    trees.frames(tmp_path / "a:b")
    trees.video(tmp_path / "c:d.avi", 4)
    monkeypatch.chdir(tmp_path)
    assert [len(open_source(s)) for s in ("frames:a:b", "a:b", "video:c:d.avi", "c:d.avi")] == [2, 2, 3, 3]


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    trees.frames(tmp_path / "clip")
    assert len(open_source("frames:~/clip")) == len(open_source("~/clip")) == 2


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            "sintel-finl:/x",
            r"unknown kind of data 'sintel-finl': did you mean sintel-final or sintel-clean\? known are c",
        ),
        ("kitti:/x", r"unknown kind of data 'kitti': did you mean kitti20\d\d or kitti20\d\d\? known are chairs"),
        ("zzz:/x", r"unknown kind of data 'zzz': known are chairs, chairs-train"),
        ("scene", r"unknown kind of data 'scene': did you mean scenes"),
        ("chairs", r"'chairs' names no path: expected chairs:PATH"),
        ("video:", r"'video:' names no path: expected video:PATH"),
        ("/no/such/place", r"no such file or folder: '/no/such/place'; check the path"),
        ("./a:b", r"no such file or folder: '\./a:b'"),
        (r"C:\clips\a.mp4", r"no such file or folder: 'C:\\clips\\a\.mp4'"),
        ("holiday.mp4", r"no such file or folder: 'holiday\.mp4'; check the path, or see `tfflow data`"),
        ("", r"no data is named: expected KIND:PATH, a folder of frames or a video"),
        ("video:/no/such.mp4", r"no such file: '/no/such\.mp4'; check the path"),
        ("frames:/no/such", r"no such folder: '/no/such'; check the path"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_words(spec, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=text):
        open_source(spec)


def test_one_image_is_no_source(tmp_path):
    path = trees.put_image(tmp_path / "a.png", trees.picture(0))
    with pytest.raises(InputError, match=r"a\.png' is one image: expected a folder of frames, a video, or KIND:PATH"):
        open_source(str(path))


def test_an_unknown_policy_is_refused(tmp_path):
    with pytest.raises(InputError, match="unknown way to treat errors 'skp': did you mean skip"):
        open_source(str(trees.frames(tmp_path)), on_error="skp")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_names_its_source_as_it_was_given(tmp_path, kind):
    make = {
        "chairs": trees.chairs,
        "sintel": trees.sintel,
        "kitti2012": lambda p: trees.kitti(p, "image_0"),
        "kitti2015": trees.kitti,
        "kitti": lambda p: trees.kitti(p, frames=(0, 1)),
        "middlebury": trees.middlebury,
        "things-test": lambda p: trees.things(p, "TEST"),
        "things": trees.things,
        "hd1k": trees.hd1k,
        "viper-val": lambda p: trees.viper(p, "val"),
        "viper": trees.viper,
        "spring": trees.spring,
        "pairs": trees.pairs,
        "frames": trees.frames,
        "video": lambda p: trees.video(p / "v.avi"),
    }
    path = make.get(kind, make.get(kind.split("-")[0]))(tmp_path)
    (tmp_path / "chairs_split.txt").write_text("1 2 1")
    for on_error in ("stop", "skip"):
        assert open_source(f"{kind}:{path}", on_error).name == f"{kind}:{path}"


def test_scenes_take_settings_from_the_command_line():
    spec = "scenes:count=2,seed=3,size=40x56,shapes=1x2,antialias=false,texture_kinds=noise:3+cells:1"
    source = open_source(spec)
    assert source.name == spec and len(source) == 2 and source.seed == 3
    assert source.settings.shapes == (1, 2) and source.settings.antialias is False
    assert source.settings.texture_kinds == (("noise", 3.0), ("cells", 1.0))
    assert source.sample(1)["image1"].shape == (40, 56, 3)
    assert len(open_source("scenes")) > 1000


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ("sede=1", r"unknown setting of scenes 'sede': did you mean seed"),
        ("seed", r"'scenes:seed': expected seed=VALUE, got 'seed'"),
        ("seed=x", r"'scenes:seed=x': seed cannot be 'x', expected a value like 0"),
        ("size=4by5", r"size cannot be '4by5', expected a value like 192x256"),
        ("antialias=maybe", r"antialias cannot be 'maybe', expected a value like True"),
        ("size=4", r"'scenes:size=4': size of scenes must be height x width"),
        ("count=-1", r"'scenes:count=-1': count of scenes must be"),
        ("noise=7", r"'scenes:noise=7': scene setting `noise` must be"),
    ],
)
def test_wrong_settings_of_scenes_are_refused(settings, text):
    with pytest.raises(InputError, match=text):
        open_source(f"scenes:{settings}")


@pytest.fixture
def damaged(tmp_path):
    """Five pairs of chairs, the second and the last damaged."""
    trees.chairs(tmp_path, 5)
    (tmp_path / "data" / "00002_flow.flo").write_bytes(b"PIEH")
    (tmp_path / "data" / "00005_img1.ppm").unlink()
    trees.put_image(tmp_path / "data" / "00005_img1.ppm", trees.picture(5)[:, 1:])
    return f"chairs:{tmp_path}"


def test_stop_raises_where_the_damage_is_met(damaged):
    source = open_source(damaged)
    source.sample(0)
    with pytest.raises(InputError, match=r"00002_flow\.flo' is truncated"):
        source.sample(1)


def test_skip_gives_the_next_good_sample_and_warns_once_a_file(damaged, capsys):
    source = open_source(damaged, on_error="skip")
    whole = open_source(damaged)
    for _ in range(3):
        for index, used in ((4, 0), (1, 2), (3, 3)):
            np.testing.assert_array_equal(source.sample(index)["flow12"], whole.sample(used)["flow12"])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and len(source) == 5
    assert "tfflow: warning: skipped: '" in lines[0] and "00005_img2.ppm' is of another size" in lines[0]
    assert "00002_flow.flo' is truncated" in lines[1]


def test_each_sample_counts_no_pair_twice(damaged, capsys):
    source = open_source(damaged, on_error="skip")
    pairs = list(each_sample(source))
    assert [name for name, _ in pairs] == ["00001", "00003", "00004"]
    np.testing.assert_array_equal(pairs[1][1]["flow12"], trees.ramp_flow(3))
    with pytest.raises(InputError, match="00002_flow"):
        list(each_sample(open_source(damaged)))


def test_skip_stops_when_nothing_is_left(tmp_path):
    trees.chairs(tmp_path, 2)
    for path in (tmp_path / "data").glob("*.flo"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"chairs:.*: no sample is left, all 2 are damaged; check the files"):
        open_source(f"chairs:{tmp_path}", on_error="skip").sample(0)


def test_skip_reads_a_damaged_sample_once(damaged, capsys):
    source, reads = open_source(damaged), []
    read = source.sample
    source.sample = lambda index: reads.append(index) or read(index)
    skipping = Skipping(source)
    for _ in range(3):
        skipping.sample(1)
    assert reads == [1, 2, 2, 2]


def test_skip_warns_once_from_many_threads(damaged, capsys):
    source = Skipping(open_source(damaged))
    threads = [threading.Thread(target=source.sample, args=(1,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(capsys.readouterr().err.splitlines()) == 1
