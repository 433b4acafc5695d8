"""The output folder: whose it is, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tfflow.errors import InputError
from tfflow.models.weights import save_arrays
from tfflow.training.checkpoint import Progress, check_folder, claim_folder, read_state, save_state

SETTINGS = {"model": "tiny", "recipe": "Recipe(...)", "seed": 3, "weights": None}


def refused(folder, settings=SETTINGS) -> str:
    """The refusal's text, which both functions give, and which leaves all as it was."""
    before = sorted(folder.rglob("*")) if folder.is_dir() else None
    texts = set()
    for function in (check_folder, claim_folder):
        with pytest.raises(InputError) as error:
            function(folder, settings)
        texts.add(str(error.value))
    assert before == (sorted(folder.rglob("*")) if folder.is_dir() else None)
    (text,) = texts
    assert "\n" not in text
    return text


def test_a_new_folder_is_made_and_marked_and_stays_that_run_s(tmp_path):
    folder = tmp_path / "a" / "b"
    check_folder(folder, SETTINGS)
    assert not (tmp_path / "a").exists()
    assert claim_folder(folder, SETTINGS) == folder
    assert json.loads((folder / "run.json").read_text()) == SETTINGS
    (folder / "other.txt").touch()
    claim_folder(folder, dict(SETTINGS))


def test_another_run_s_folder_is_refused_with_what_differs(tmp_path):
    claim_folder(tmp_path, SETTINGS)
    text = refused(tmp_path, {**SETTINGS, "seed": 4})
    assert text == (
        f"--out '{tmp_path}' holds another run: its seed is 3, now 4; "
        "repeat its command to continue it, or choose another --out"
    )
    assert "its weights is None, now 'x" in refused(tmp_path, {**SETTINGS, "weights": "x" * 200})
    assert len(refused(tmp_path, {**SETTINGS, "weights": "x" * 200})) < 400


def test_a_foreign_folder_a_file_and_a_damaged_run_are_refused(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    assert refused(tmp_path / "full").endswith("is not empty and holds no training run: choose another folder")
    (tmp_path / "file").touch()
    assert refused(tmp_path / "file") == f"--out '{tmp_path / 'file'}' is a file, expected a folder"
    for damage in ("{", "[1, 2]", "7", '"model"', "\0", "null"):
        (tmp_path / "damaged").mkdir(exist_ok=True)
        (tmp_path / "damaged" / "run.json").write_text(damage)
        assert refused(tmp_path / "damaged").endswith("is damaged: choose another --out")
    (tmp_path / "damaged" / "run.json").write_bytes(b"\xff\xfe{")
    assert refused(tmp_path / "damaged").endswith("is damaged: choose another --out")


def test_what_a_kill_left_half_written_neither_blocks_nor_stays(tmp_path):
    for name in (".run.77.part.json", ".state.77.part.safetensors", ".history.77.part"):
        (tmp_path / name).touch()
    claim_folder(tmp_path, SETTINGS)
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]
    (tmp_path / ".state.78.part.safetensors").touch()
    claim_folder(tmp_path, SETTINGS)
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_state_comes_back_as_it_was(tmp_path):
    groups = {
        "model": {"conv1/kernel": np.float32([[1, 2], [3, 4]]), "level1:odd": np.float32([0.1])},
        "optimizer": {"0000": np.int64(7), "0001": np.float32(1e-4)},
    }
    progress = Progress(7, 1, 2.5, {"epe": [1 / 3, 2]}, [{"when": "before", "epe": 0.1}])
    assert read_state(tmp_path) is None
    save_state(tmp_path, groups, progress)
    back, when = read_state(tmp_path)
    assert when == progress and back.keys() == groups.keys()
    for group, arrays in groups.items():
        for name, x in arrays.items():
            assert back[group][name].dtype == x.dtype and back[group][name].shape == x.shape
            assert np.array_equal(back[group][name], x)


def test_a_damaged_state_is_refused_with_its_path(tmp_path):
    save_state(tmp_path, {"model": {"kernel": np.ones((3, 4), np.float32)}}, Progress(5))
    path = tmp_path / "state.safetensors"
    whole = path.read_bytes()
    for damaged in (whole[:-7], whole[:30], b"", b"\xff" * 40):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"state\.safetensors' is not a whole safetensors file") as error:
            read_state(tmp_path)
        assert "\n" not in str(error.value)
    for metadata in ({}, {"progress": "{"}, {"progress": '{"stop": 3}'}):
        save_arrays(path, {"model:kernel": np.ones(3)}, metadata)
        with pytest.raises(InputError, match=r"state\.safetensors' is not the state of a training run"):
            read_state(tmp_path)
