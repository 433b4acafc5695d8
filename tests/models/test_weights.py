"""Weights on disk: exact, and refused where they are damaged or of another network, before anything changes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from safetensors.numpy import save_file

import tfflow
from tfflow import models
from tfflow.errors import InputError
from tfflow.models import RUN_WEIGHTS, load, untrained
from tfflow.models.weights import assign, model_arrays, read_arrays, save_arrays, variable_names

NAME = "spynet_mobile"


@pytest.fixture(scope="module")
def model():
    return untrained(NAME)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    save_arrays(path, model_arrays(model.one_way), {"model": NAME, "recipe": "none"})
    return path


def small() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "a/kernel": rng.normal(size=[3, 2, 4]).astype(np.float32),
        "a/bias": np.float32([0, -0.0, np.inf, np.nan]),
        "step": np.int64(7),  # a number, not an array of one
        "none": np.zeros([0, 3], np.float32),
        "turned": np.arange(6, dtype=np.float16).reshape(2, 3).T,
    }


def test_arrays_come_back_exactly(tmp_path):
    save_arrays(tmp_path / "x.safetensors", small(), {"model": "pwcnet", "note": "ümlaut"})
    arrays, metadata = read_arrays(tmp_path / "x.safetensors")
    assert metadata["model"] == "pwcnet" and metadata["note"] == "ümlaut"
    assert set(arrays) == set(small())
    for name, x in small().items():
        assert arrays[name].shape == x.shape and arrays[name].dtype == x.dtype, name
        assert arrays[name].tobytes() == x.tobytes(), name


def test_a_network_comes_back_bit_by_bit(model, saved):
    again = load(saved)
    assert again.name == NAME and again.metadata["recipe"] == "none" and again.parameters == model.parameters
    for before, after in zip(model.one_way.get_weights(), again.one_way.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    frames = np.random.default_rng(0).uniform(size=[2, 40, 60, 3]).astype(np.float32)
    np.testing.assert_array_equal(model.flow(*frames), again.flow(*frames))


def test_names_of_weights_are_those_of_layers_and_not_of_their_number(model):
    """A second network in the same process has the same names."""
    names = variable_names(model.one_way)
    assert names == variable_names(untrained(NAME).one_way)
    assert len(set(names)) == len(names)
    assert {"level6_conv1/kernel", "level6_conv1/bias", "level1_flow/kernel"} <= set(names)


def changed(model, change) -> dict[str, np.ndarray]:
    arrays = {k: v + 1 for k, v in model_arrays(model.one_way).items()}
    change(arrays)
    return arrays


ANOTHER = {
    "missing": (
        lambda a: a.pop("level6_conv1/kernel"),
        r"here holds the weights of another network: 1 of \d+ weights are missing \(first \['level6_conv1/kernel'\]\), "
        r"0 are not known",
    ),
    "unknown": (lambda a: a.update(other=np.zeros(3)), r"0 of \d+ weights are missing .*1 are not known .*'other'"),
    "another shape": (
        lambda a: a.update({"level1_flow/bias": np.zeros(3, np.float32)}),
        r"here: level1_flow/bias should be \(2,\), is \(3,\): another network",
    ),
}


@pytest.mark.parametrize(("change", "text"), ANOTHER.values(), ids=ANOTHER)
def test_weights_of_another_network_are_refused_before_one_is_changed(model, change, text):
    before = model.one_way.get_weights()
    with pytest.raises(InputError, match=text):
        assign(model.one_way, changed(model, change), "here")
    for a, b in zip(before, model.one_way.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_given_partly_are_those_of_common_names(model):
    """All else stays; nothing in common, or one name of two shapes, is another network."""
    before = model_arrays(model.one_way)
    with pytest.raises(InputError, match=r"weights of another network: \d+ of \d+ weights are missing .*'other'"):
        assign(model.one_way, {"other": np.zeros(3, np.float32)}, "here", partly=True)
    with pytest.raises(InputError, match=r"here: level1_flow/bias should be \(2,\), is \(3,\): another network"):
        assign(model.one_way, {"level1_flow/bias": np.zeros(3, np.float32)}, "here", partly=True)
    given = {"level1_flow/bias": before["level1_flow/bias"] + 1, "other": np.zeros(3, np.float32)}
    assign(model.one_way, given, "here", partly=True)
    after = model_arrays(model.one_way)
    assert {n for n in after if not np.array_equal(after[n], before[n])} == {"level1_flow/bias"}
    assign(model.one_way, before, "here")


def test_weights_not_finite_are_refused(model, tmp_path):
    arrays = changed(model, lambda a: a.update({"level1_flow/bias": np.float32([0, np.nan])}))
    with pytest.raises(InputError, match="here: level1_flow/bias is not finite"):
        assign(model.one_way, arrays, "here")


def test_a_file_changed_anywhere_is_refused(tmp_path):
    """300 mutations: bytes changed, cut off, put in, taken out, in the header and in the numbers."""
    path = tmp_path / "x.safetensors"
    save_arrays(path, small(), {"model": "pwcnet"})
    whole, arrays = path.read_bytes(), read_arrays(path)[0]
    rng = np.random.default_rng(0)
    refused = 0
    for i in range(300):
        data = bytearray(whole)
        at = int(rng.integers(len(data) if i % 2 else 200))
        how = i % 5
        if how == 0:
            del data[at:]
        elif how == 1:
            data[at : at + int(rng.integers(1, 9))] = b""
        elif how == 2:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
        else:
            data[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            read = read_arrays(path)[0]
        except InputError as error:
            assert str(path) in str(error) and "\n" not in str(error)
            refused += 1
        else:  # blanks of the header may change
            assert {k: v.tobytes() for k, v in read.items()} == {k: v.tobytes() for k, v in arrays.items()}
    assert refused > 280


def test_files_that_are_no_weights_are_refused(tmp_path):
    def refused(text, name="x.safetensors"):
        with pytest.raises(InputError, match=text):
            load(tmp_path / name)

    (tmp_path / "x.safetensors").write_bytes(b"")
    refused("is not a whole safetensors file")
    (tmp_path / "x.safetensors").write_bytes(b"\xff" * 100)
    refused("is not a whole safetensors file")
    save_file({"a": np.zeros(3)}, tmp_path / "x.safetensors")
    refused(r"was not written by tfflow \(format None, not 'tfflow-weights-1'\)")
    save_file({"a": np.zeros(3)}, tmp_path / "x.safetensors", metadata={"format": "tfflow-weights-1"})
    refused("is damaged: its checksum does not match; train or copy it again")
    save_arrays(tmp_path / "x.safetensors", small(), {"model": "raft"})
    refused("holds weights of a network that is not known here: 'raft'")
    refused("no such file or folder of weights", "y.safetensors")
    with pytest.raises(InputError, match=r"expected a .safetensors file of weights, .* is not a file"):
        read_arrays(tmp_path)


def test_what_load_takes(model, saved, tmp_path, monkeypatch):
    """A file, the folder of a run, and the name of pretrained weights."""
    monkeypatch.setattr(models, "PRETRAINED", tmp_path / "pretrained")
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(InputError, match=f"folder .* holds no {RUN_WEIGHTS}: is it the folder of a training"):
        tfflow.load(run)
    (run / RUN_WEIGHTS).write_bytes(saved.read_bytes())
    with pytest.raises(InputError, match=rf"no pretrained weights of {NAME!r} \(none\)"):
        tfflow.load(NAME)
    (tmp_path / "pretrained").mkdir()
    (tmp_path / "pretrained" / f"{NAME}.safetensors").write_bytes(saved.read_bytes())
    assert models.pretrained_names() == [NAME]
    with pytest.raises(InputError, match=re.escape("unknown weights 'spynet_mobil': did you mean spynet_mobile")):
        tfflow.load("spynet_mobil")
    with pytest.raises(InputError, match=rf"no pretrained weights of 'pwcnet' \({NAME}\)"):
        tfflow.load("pwcnet")
    for weights in (str(saved), run, NAME):
        assert models.weights_file(weights).read_bytes() == saved.read_bytes()
    assert tfflow.load(NAME).name == NAME
