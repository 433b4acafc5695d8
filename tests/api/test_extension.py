"""A network, a method and a data set of a user's own, in files outside the package, used by the commands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import tfflow
from tests.training import tiny
from tfflow.commands import evaluate, recipes, train
from tfflow.data.own import as_source
from tfflow.data.sources import open_source
from tfflow.errors import InputError
from tfflow.models import VARIANTS, FlowModel
from tfflow.recipes import get_recipe
from tfflow.recipes.own import run_file
from tfflow.registry import Registry

ROOT = Path(__file__).parents[2]

PLUGIN = '''
"""My network and my data set."""
import numpy as np
import tf_keras as keras
import tfflow
from tfflow.layers import Normalize, UpsampleFlow


class MyNet:
    stride = 8

    def __init__(self, dtype="float32"):
        self.normalize = Normalize((0.5, 0.5, 0.5), (1.0, 1.0, 1.0), name="normalize")
        self.features = keras.layers.Conv2D(4, 3, 4, "same", activation="relu", name="features", dtype=dtype)
        self.flow = keras.layers.Conv2D(2, 3, 1, "same", name="flow", dtype=dtype)

    def encode(self, images):
        return [self.features(self.normalize(images))]

    def decode(self, features1, features2):
        flow = self.flow(keras.layers.Concatenate(name="pair")([*features1, *features2]))
        return [UpsampleFlow(4, name="full_resolution")(flow), flow]


class MyData:
    def __init__(self, path):
        self.files = sorted(path.glob("*.npz"))

    def __len__(self):
        return len(self.files)

    def sample(self, index):
        return dict(np.load(self.files[index]))


tfflow.register_network("my_net", MyNet)
tfflow.register_data("my-data", MyData)
'''

METHOD = '''
"""My method: brightness alone."""
import dataclasses
from tfflow.recipes import get_recipe
from tfflow.recipes.back_to_basics import back_to_basics

my_method = dataclasses.replace(get_recipe("back_to_basics"), name="my_method", paper="Nobody, 2031")
'''


@pytest.fixture
def files(tmp_path):
    """The user's files: (plugin, method, data), and registries as they were at the end."""
    (tmp_path / "plugin.py").write_text(PLUGIN)
    (tmp_path / "my_method.py").write_text(METHOD)
    data = tmp_path / "data"
    data.mkdir()
    for k in range(3):
        image = np.random.default_rng(k).integers(0, 256, (32, 40, 3), np.uint8)
        flow = np.full((32, 40, 2), [2, -1], np.float32)
        np.savez(data / f"{k}.npz", image1=image, image2=np.roll(image, (-1, 2), (0, 1)), flow12=flow)
    return tmp_path / "plugin.py", tmp_path / "my_method.py", data


def test_the_commands_train_and_measure_by_a_user_s_own_files(files, tmp_path, capsys):
    plugin, method, data = files
    options = ["--plugin", str(plugin), "--data", f"my-data:{data}"]
    run = ["--recipe", str(method), "--model", "my_net", "--steps", "2", "--batch", "1", "--crop", "24x32"]
    assert train.main([*options, *run, "--val-limit", "1", "--out", str(tmp_path / "run")]) == 0, (
        capsys.readouterr().err
    )
    settings = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (settings["recipe"], settings["model"], settings["pairs"]) == ("my_method", "my_net", 3)
    out = tmp_path / "scores"
    assert evaluate.main([*options, "--weights", str(tmp_path / "run"), "--out", str(out)]) == 0
    (result,) = json.loads((out / "results.json").read_text())["results"]
    assert result["source"] == f"my-data:{data}" and 0 < result["mean_over_images"]["epe"] < 100
    assert recipes.main([str(method)]) == 0
    assert "my_method  Nobody, 2031" in capsys.readouterr().out


def test_without_the_file_the_weights_of_a_user_s_own_network_say_what_is_missing(files, tmp_path):
    with VARIANTS.temporarily():
        tfflow.register_network("elsewhere", tiny.Tiny)
        tfflow.models.untrained("elsewhere").save(tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=r"not known here: 'elsewhere'; if it is your own, register it .*`plugin`"):
        tfflow.load(tmp_path / "w.safetensors")


class Pairs:
    """Two frames and their motion, as a program may hold them."""

    name = "my pairs"

    def __init__(self, **changes):
        image = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)
        self.given = {"image1": image, "image2": image, "flow12": np.zeros((32, 40, 2)), **changes}

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.given


def test_an_object_trains_and_is_measured_on(tmp_path):
    options = {"recipe": "supervised", "model": "tiny", "steps": 1, "batch": 1, "crop": (24, 32), "val_limit": 1}
    run = tfflow.train(Pairs(), out=tmp_path / "run", **options)
    assert run.data == "my pairs"
    result = tfflow.evaluate(run.folder, Pairs(), baselines=True)
    assert result["my pairs", "zero flow"]["mean_over_images"]["epe"] == 0


def test_truth_that_is_not_finite_is_not_valid():
    flow = np.zeros((32, 40, 2), np.float32)
    flow[3, 5] = np.nan
    sample = as_source(Pairs(flow12=flow)).sample(0)
    assert sample["valid1"].sum() == 32 * 40 - 1 and sample["valid1"][3, 5] == 0 and np.isfinite(sample["flow12"]).all()
    assert as_source(Pairs()).truth == {"flow12", "valid1"}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (Pairs(image1=np.full((32, 40, 3), 200.0)), "`image1 of sample 0 of my pairs` is float and must be in"),
        (Pairs(image2=np.zeros((32, 41, 3), np.uint8)), "image1 and image2 must be of one size, got 40x32 and 41x32"),
        (Pairs(flow12=np.zeros((2, 32, 40))), r"`flow12 of sample 0 of my pairs` must be numbers \(32, 40, 2\)"),
        (Pairs(valid1=np.zeros((32, 41))), r"`valid1 of sample 0 of my pairs` must be numbers \(32, 40, 1\)"),
        (3, "data must be KIND:PATH, a path, or an object with"),
        ({"image1": 1}, "data must be KIND:PATH, a path, or an object with"),
    ],
)
def test_a_data_set_of_another_form_is_refused_with_the_sample_named(data, text):
    with pytest.raises(InputError, match=text):
        as_source(data)


@pytest.mark.parametrize(
    ("contents", "text"),
    [
        ("x = 1", "must hold one tfflow.recipes.Recipe, it holds none"),
        ("x = 1 +", "fails in line 1: SyntaxError"),
        ("import tfflow\n\n1 / 0", "fails in line 3: ZeroDivisionError: division by zero"),
        (METHOD + "\nother = dataclasses.replace(my_method, name='other')", "it holds 2: choose one as .*:NAME"),
    ],
)
def test_a_file_that_holds_no_method_is_refused_in_one_line(contents, text, tmp_path):
    path = tmp_path / "m.py"
    path.write_text(contents)
    with pytest.raises(InputError, match=text):
        get_recipe(str(path))


def test_one_of_several_methods_of_a_file_is_named(tmp_path):
    path = tmp_path / "m.py"
    path.write_text(METHOD + "\nother = dataclasses.replace(my_method, name='other')")
    assert get_recipe(f"{path}:other").name == "other"
    with pytest.raises(InputError, match="holds no recipe called 'third'; it holds my_method, other"):
        get_recipe(f"{path}:third")
    with pytest.raises(InputError, match="no such file"):
        get_recipe(str(tmp_path / "nowhere.py"))


def test_a_registered_name_is_known_is_not_replaced_and_goes_again():
    registry = Registry("toy", {"a": 1})
    with registry.temporarily(b=2):
        assert registry.find("b") == 2
        with pytest.raises(InputError, match="a toy called 'b' is known already"):
            registry.register("b", 3)
    with pytest.raises(InputError, match="unknown toy 'b'"):
        registry.find("b")
    for name in ("a b", "", "x:y", "../x"):
        with pytest.raises(InputError, match="must be letters, digits, - and _"):
            registry.register(name, 1)


def test_what_is_no_network_recipe_or_new_kind_is_not_registered():
    with pytest.raises(InputError, match="a network is a class with a whole-number `stride`, encode and decode, got"):
        tfflow.register_network("x", lambda dtype: None)
    with pytest.raises(InputError, match=r"expected a tfflow\.recipes\.Recipe, got str"):
        tfflow.register_recipe("ddflow")
    for kind in ("scenes", "video"):
        with pytest.raises(InputError, match="is known already"):
            tfflow.register_data(kind, Pairs)
    tfflow.register_data("toy", lambda path: Pairs())
    assert open_source("toy:anywhere").name == "toy:anywhere"


def test_the_worked_examples_of_contributing_run(tmp_path):
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    blocks = {name: block for block, name in re.findall(r"```python\n(# (\w+)\.py\n.*?)```", text, re.DOTALL)}
    for name, block in blocks.items():
        (tmp_path / f"{name}.py").write_text(block)
    assert blocks.keys() == {"my_method", "my_network", "my_data"}
    assert get_recipe(tmp_path / "my_method.py").phases[0].objective.terms[1][0] == 2.0
    np.savez(tmp_path / "0.npz", **Pairs().given)
    for name in ("my_network", "my_data"):
        run_file(tmp_path / f"{name}.py")
    assert FlowModel("my_net").flow(*tfflow.sample_pair()).shape == (384, 512, 2)
    assert open_source(f"my-data:{tmp_path}").truth == {"flow12", "valid1"}
