"""SpyNet's published weights: its files, and the levels that it takes of each size of frames."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.models import published_networks, t7_files
from tests.models.published_weights import assert_same_flow, pair, spynet_levels
from tfflow.commands import import_weights
from tfflow.models import FlowModel, load
from tfflow.models.importing import PUBLISHED, import_published


def test_spynet_from_lua_s_files(tmp_path, capsys):
    """Six files by the command; one of them as it was trained on two GPUs."""
    levels = spynet_levels(6)
    files = [str(tmp_path / f"modelL{i}_F.t7") for i in range(1, 7)]
    for i, file in enumerate(files):
        t7_files.write_t7(tmp_path / file, t7_files.spynet_level(levels[i], parallel=i == 2))
    out = tmp_path / "spynet.safetensors"
    assert import_weights.main(["--model", "spynet", *files, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "1,440,300 parameters of spynet written to" in printed and "research only" in printed
    assert "note: levels: by the frames' size" in printed
    model = load(out)
    assert model.metadata["model"] == "spynet" and "research only" in model.metadata["licence"]
    assert list(json.loads(model.metadata["imported"])) == [f"modelL{i}_F.t7" for i in range(1, 7)]
    image1, image2 = pair(32, 544)  # above 512 px the authors' program takes all levels
    assert_same_flow(model.flow(image1, image2), published_networks.spynet(levels, image1, image2))


SIDES = {1: (32, 32), 2: (32, 64), 3: (96, 128), 4: (160, 64), 5: (64, 288), 6: (32, 544)}
"""Height and width of frames, by the levels that the authors' program takes for their longer side."""


@pytest.fixture(scope="module")
def imported_spynet(tmp_path_factory):
    """Weights of six levels, and the model of them."""
    levels = spynet_levels(6)
    folder = tmp_path_factory.mktemp("spynet")
    files = [folder / f"modelL{i}_C.t7" for i in range(1, 7)]
    for level, file in zip(levels, files, strict=True):
        t7_files.write_t7(file, t7_files.spynet_level(level))
    return levels, import_published("spynet", files)


@pytest.mark.parametrize("count", SIDES)
def test_imported_spynet_takes_as_many_levels_as_its_authors_program(imported_spynet, count):
    levels, model = imported_spynet
    image1, image2 = pair(*SIDES[count])
    expected = published_networks.spynet(levels[:count], image1, image2)
    assert np.abs(model.flow(image1, image2) - expected).max() < 1e-4
    forth, back = model.both(image1[None], image2[None])
    assert np.abs(forth[0] - expected).max() < 1e-4
    assert np.abs(back[0] - published_networks.spynet(levels[:count], image2, image1)).max() < 1e-4


def test_levels_follow_the_size_that_frames_are_enlarged_to(imported_spynet):
    _, model = imported_spynet
    sides = {(20, 33): 2, (64, 64): 2, (65, 10): 3, (256, 200): 4, (257, 200): 5, (512, 512): 5, (513, 1): 6}
    assert {size: model.network_at(size).levels for size in sides} == sides


def test_spynet_that_was_trained_here_has_six_levels_at_every_size(imported_spynet):
    levels, model = imported_spynet
    trained = FlowModel("spynet", {"recipe": "supervised"}, network=model.network)
    assert trained.network_at((64, 64)).levels == 6
    image1, image2 = pair(32, 96)
    assert np.abs(trained.flow(image1, image2) - published_networks.spynet(levels, image1, image2)).max() < 1e-4


def test_spynet_s_sets_of_five_levels_end_with_the_fifth_twice(tmp_path):
    levels = spynet_levels(5)
    files = [tmp_path / f"modelL{i}_4.t7" for i in range(1, 6)]
    for level, file in zip(levels, files, strict=True):
        t7_files.write_t7(file, t7_files.spynet_level(level))
    arrays, notes = PUBLISHED["spynet"].read(files)
    for level, place in ((5, 4), (6, 4), (1, 0)):
        for layer, (weight, bias) in zip(("conv1", "conv2", "conv3", "conv4", "flow"), levels[place], strict=True):
            np.testing.assert_array_equal(arrays[f"level{level}_{layer}/kernel"], weight.transpose(2, 3, 1, 0))
            np.testing.assert_array_equal(arrays[f"level{level}_{layer}/bias"], bias)
    assert notes == ["five levels were given: level 6 is level 5 once more, as the authors' program has it"]
