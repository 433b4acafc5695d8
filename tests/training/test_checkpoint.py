"""The output folder: whose it is, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tfflow.errors import InputError
from tfflow.models.weights import save_arrays
from tfflow.training.checkpoint import Progress, check_folder, claim_folder, read_state, save_state, step_before

pytestmark = pytest.mark.usefixtures("as_command")

SETTINGS = {"model": "tiny", "recipe": "three", "seed": 3, "weights": None}


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
    assert check_folder(folder, SETTINGS) == ""
    assert not (tmp_path / "a").exists()
    assert claim_folder(folder, SETTINGS) == folder
    assert json.loads((folder / "run.json").read_text()) == SETTINGS
    (folder / "other.txt").touch()
    claim_folder(folder, dict(SETTINGS))


def test_another_run_s_folder_is_refused_with_what_differs(tmp_path):
    claim_folder(tmp_path, SETTINGS)
    text = refused(tmp_path, {**SETTINGS, "seed": 4})
    assert text == (
        f"`out` '{tmp_path}' holds another run: seed 3, now 4; "
        "repeat its command to continue it, or choose another `out`"
    )
    assert "run: weights None, now xxxx" in refused(tmp_path, {**SETTINGS, "weights": "x" * 200})
    assert len(refused(tmp_path, {**SETTINGS, "weights": "x" * 200})) < 300 + len(str(tmp_path))


def test_a_run_of_an_earlier_version_is_named_as_one(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"model": "tiny", "recipe": "Recipe(name='x', steps=3)"}))
    assert refused(tmp_path).endswith("holds a run of an earlier version: finish it there, or choose another `out`")


def test_a_run_under_way_goes_on_with_another_rate_and_a_run_that_ended_does_not(tmp_path, capsys):
    claim_folder(tmp_path, {**SETTINGS, "learning_rate": None})
    lower = {**SETTINGS, "learning_rate": 1e-5}
    assert check_folder(tmp_path, lower) == "None, now 1e-05"
    claim_folder(tmp_path, lower)
    assert capsys.readouterr().err == "tfflow: the run goes on with another learning_rate: None, now 1e-05\n"
    assert check_folder(tmp_path, lower) == ""
    (tmp_path / "weights.safetensors").touch()
    assert "another run: learning_rate 1e-05, now 2e-05; repeat" in refused(tmp_path, {**lower, "learning_rate": 2e-5})


def states(folder, *steps, not_finite=()) -> None:
    for step in steps:
        save_state(folder, {"model": {"x": np.float32([step])}}, Progress(step, not_finite=step in not_finite))


def test_the_last_two_states_are_kept(tmp_path):
    states(tmp_path, 1, 2, 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state.before.safetensors", "state.safetensors"]
    assert read_state(tmp_path)[1].step == 3 and step_before(tmp_path) == 2
    (tmp_path / "state.safetensors").unlink()  # as where a disk without links is unplugged between two renamings
    assert read_state(tmp_path)[1].step == 2


@pytest.mark.parametrize("size", [0, 5, -7])
def test_a_damaged_state_falls_back_to_the_one_before_with_a_warning(tmp_path, size, capsys):
    states(tmp_path, 4, 9)
    path = tmp_path / "state.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    groups, progress = read_state(tmp_path)
    assert progress.step == 4 and groups["model"]["x"] == 4
    err = capsys.readouterr().err
    assert err.startswith("tfflow: warning: ") and err.count("\n") == 1 and "state.safetensors' is not a whole" in err
    assert err.endswith("; the run goes on from the state before it, of step 4\n")
    states(tmp_path, 5)  # the damaged one may go, the whole ones stay
    assert read_state(tmp_path)[1].step == 5 and capsys.readouterr().err == ""


def test_a_disk_without_links_keeps_two_states_too(tmp_path, monkeypatch):
    def refuse(*paths):
        raise OSError("no links")

    monkeypatch.setattr("os.link", refuse)
    states(tmp_path, 1, 2, 3)
    assert read_state(tmp_path)[1].step == 3 and step_before(tmp_path) == 2


def test_a_state_that_leads_to_no_finite_number_leaves_one_to_go_back_to(tmp_path, capsys):
    claim_folder(tmp_path, {"learning_rate": 1.0})
    states(tmp_path, 0, 7, 9, not_finite=(9,))
    assert read_state(tmp_path)[1].step == 9 and step_before(tmp_path) == 0
    claim_folder(tmp_path, {"learning_rate": 1.0})  # a damaged frame was mended
    assert read_state(tmp_path)[1].step == 9
    claim_folder(tmp_path, {"learning_rate": 0.1})
    assert read_state(tmp_path)[1].step == 0 and step_before(tmp_path) is None
    assert capsys.readouterr().err == (
        "tfflow: the run goes on with another learning_rate: 1.0, now 0.1\ntfflow: it goes back to step 0\n"
    )


def test_a_foreign_folder_a_file_and_a_damaged_run_are_refused(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    assert refused(tmp_path / "full").endswith("is not empty and holds no training run: choose another folder")
    (tmp_path / "file").touch()
    assert refused(tmp_path / "file") == f"`out` '{tmp_path / 'file'}' is a file, expected a folder"
    for damage in ("{", "[1, 2]", "7", '"model"', "\0", "null", "[" * 100_000):
        (tmp_path / "damaged").mkdir(exist_ok=True)
        (tmp_path / "damaged" / "run.json").write_text(damage)
        assert refused(tmp_path / "damaged").endswith("is damaged: choose another `out`")
    (tmp_path / "damaged" / "run.json").write_bytes(b"\xff\xfe{")
    assert refused(tmp_path / "damaged").endswith("is damaged: choose another `out`")


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
    texts = ("{", '{"stop": 3}', '{"step": "3"}', '{"step": true}', "[" * 100_000)
    for metadata in ({}, *({"progress": text} for text in texts)):
        save_arrays(path, {"model:kernel": np.ones(3)}, metadata)
        with pytest.raises(InputError, match=r"state\.safetensors' is not the state of a training run"):
            read_state(tmp_path)
