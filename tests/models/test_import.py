"""Published weights, of random numbers in the authors' files: the flow is that of the published network."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from tests.models import published_networks, t7_files, torch_files
from tests.models.published_weights import (
    FLOWNETS,
    THIN,
    assert_same_flow,
    ddflow_weights,
    flownet_shapes,
    notes_of,
    pair,
    pwclite_weights,
    pwcnet_weights,
    random,
    write_checkpoint,
)
from tfflow.commands import import_weights
from tfflow.models import VARIANTS, one_direction
from tfflow.models.importing import PUBLISHED, import_published
from tfflow.models.weights import assign


@pytest.mark.parametrize("name", FLOWNETS)
def test_flownets_from_nvidia_s_file(name, tmp_path):
    """As their trainer saves it, beside the epoch; all three programs with thin networks."""
    kind, nets = FLOWNETS[name]
    shapes = {k: s for net, (into, what) in nets.items() for k, s in flownet_shapes(net, into, what).items()}
    gain = {"flownets_d.predict": 20.0, "fusion.predict": 1.0, "predict": 0.3 if name == "flownet2" else 0.6}
    weights = random(shapes, lambda s: np.prod(s[1:]), {**gain, "upsampled": 0.5})
    torch_files.write_zip(tmp_path / "net.pth.tar", {"epoch": 1, "state_dict": OrderedDict(weights)})
    model = one_direction(type("Thin", (kind,), {"width": 1 / THIN})(), (64, 128), 1)
    assign(model, PUBLISHED[name].read([tmp_path / "net.pth.tar"])[0], "the file")
    image1, image2 = pair(64, 128)
    flow = model([image1[None], image2[None]])[0].numpy()[0]
    assert_same_flow(flow, getattr(published_networks, name)(weights, image1, image2))


def test_pwcnet_from_nvlabs_file(tmp_path):
    """BGR, Python 2's stream of pickles, the one upsampling that is never used."""
    weights = pwcnet_weights()
    assert sum(x.size for x in weights.values()) == VARIANTS["pwcnet"].parameters
    torch_files.write_stream_python2(tmp_path / "pwc_net.pth.tar", OrderedDict(weights))
    model = import_published("pwcnet", [tmp_path / "pwc_net.pth.tar"])
    assert model.parameters == VARIANTS["pwcnet"].parameters - 66
    assert "reads BGR" in notes_of(model) and "deconv2 (66 parameters)" in notes_of(model)
    assert model.metadata["licence"] == "that of the authors' weights: CC BY-NC-SA"
    image1, image2 = pair(64, 128)
    assert_same_flow(model.flow(image1, image2), published_networks.pwcnet(weights, image1, image2))


def test_pwclite_from_arflow_s_file(tmp_path):
    """In the zip container, as ARFlow's trainer saves it: beside the epoch, under the names of DataParallel."""
    weights = pwclite_weights()
    assert sum(x.size for x in weights.values()) == VARIANTS["pwclite"].parameters
    state = OrderedDict((f"module.{name}", x) for name, x in weights.items())
    torch_files.write_zip(tmp_path / "pwclite_ar.tar", {"epoch": 450, "state_dict": state})
    model = import_published("pwclite", [tmp_path / "pwclite_ar.tar"])
    assert "MIT" in model.metadata["licence"]
    image1, image2 = pair(64, 128)
    assert_same_flow(model.flow(image1, image2), published_networks.pwclite(weights, image1, image2))


def test_ddflow_from_its_checkpoint(tmp_path):
    """Named by its prefix, or by one of its files."""
    weights = ddflow_weights()
    assert sum(x.size for x in weights.values()) == VARIANTS["pwcnet_ddflow"].parameters
    prefix = tmp_path / "data_distillation"
    write_checkpoint(prefix, weights)
    for file in (f"{prefix}.index", f"{prefix}.data-00000-of-00001"):
        arrays, _ = PUBLISHED["pwcnet_ddflow"].read([Path(file)])
        np.testing.assert_array_equal(arrays["decoder2_flow/kernel"], weights["estimator_level_2/conv6/weights"])
    model = import_published("pwcnet_ddflow", [prefix])
    assert set(json.loads(model.metadata["imported"])) == {path.name for path in tmp_path.iterdir()}
    image1, image2 = pair(64, 128)
    assert_same_flow(model.flow(image1, image2), published_networks.ddflow(weights, image1, image2))


def test_selflow_from_its_checkpoint(tmp_path):
    weights = ddflow_weights(frames=3)
    assert sum(x.size for x in weights.values()) == VARIANTS["selflow"].parameters
    write_checkpoint(tmp_path / "selfsup", weights)
    model = import_published("selflow", [tmp_path / "selfsup"])
    assert "fine-tuned with labels" in notes_of(model) and "none stated" in model.metadata["licence"]
    image1, image2 = pair(64, 128)
    image0, _ = pair(64, 128, seed=1)
    published = published_networks.selflow(weights, image0, image1, image2)
    assert_same_flow(model.flow(image1, image2, image0=image0), published)
    assert np.abs(model.flow(image1, image2) - published).max() > 0.1  # the past matters


def test_the_table_names_networks_and_what_is_different():
    assert set(PUBLISHED) <= set(VARIANTS)
    for known in PUBLISHED.values():
        assert known.files and known.notes
        assert all("sizes:" not in note or "multiples of" in note for note in known.notes)


def refused(capsys, *arguments) -> str:
    """The one line on stderr of a command that ends with exit code 2 and writes nothing."""
    out = Path(arguments[-1])
    before = out.read_bytes() if out.exists() else None
    assert import_weights.main(["--model", *map(str, arguments[:-1]), "--out", str(out)]) == 2
    assert (out.read_bytes() if out.exists() else None) == before
    printed = capsys.readouterr()
    assert not printed.out and printed.err.count("\n") == 1
    return printed.err


def test_refusals_are_one_line_with_exit_code_2(tmp_path, capsys):
    out = tmp_path / "w.safetensors"
    files = [tmp_path / f"modelL{i}_{name}.t7" for name in "F4" for i in range(1, 7)]
    small = [(np.zeros([2, 2, 7, 7], np.float32), np.zeros(2, np.float32))]
    for file in files:
        t7_files.write_t7(file, t7_files.spynet_level(5 * small))
    sintel, chairs = files[:6], files[6:]
    assert "got L1 L2 L3 L5 L6" in refused(capsys, "spynet", *sintel[:3], *sintel[4:], out)
    assert "set F from coarse to fine, L1 L2 L3 L4 L5 L6, got L6" in refused(capsys, "spynet", *sintel[::-1], out)
    assert "set 4 from coarse to fine, L1 L2 L3 L4 L5, got" in refused(capsys, "spynet", *chairs, out)
    assert "levels of one set, got those of 4, F" in refused(capsys, "spynet", *sintel[:5], chairs[5], out)
    assert "should be (7, 7, 8, 32), is (7, 7, 2, 2): another network" in refused(capsys, "spynet", *sintel, out)
    t7_files.write_t7(sintel[2], t7_files.spynet_level(3 * small))
    assert "modelL3_F.t7' holds another network: expected five" in refused(capsys, "spynet", *sintel, out)
    sintel[2].unlink()
    assert "No such file" in refused(capsys, "spynet", *sintel, out)
    other = tmp_path / "level1.t7"
    t7_files.write_t7(other, {"modules": 3})
    assert "six levels (five of some sets), coarse to fine, got 4" in refused(capsys, "spynet", *[other] * 4, out)
    assert "expected five convolutions" in refused(capsys, "spynet", *[other] * 6, out)

    torch_files.write_zip(other, OrderedDict({"conv1a.0.weight": small[0][0], "fc.bias": small[0][1]}))
    text = refused(capsys, "pwcnet", other, out)
    assert "another network: 125 of 126 weights are missing (first ['conv1a.0.bias']), 1 are not known" in text
    assert "['fc.bias']" in text
    assert "expected one .pth or .pth.tar file, got 2 files" in refused(capsys, "pwclite", other, other, out)
    assert "no whole checkpoint of TensorFlow; expected a prefix" in refused(capsys, "pwcnet_ddflow", other, out)
    write_checkpoint(tmp_path / "model", {"feature_extractor/conv1_1/biases": small[0][1], "beta1_power": small[0][1]})
    text = refused(capsys, "pwcnet_ddflow", tmp_path / "model", out)
    assert "97 of 98 weights are missing (first ['feature_extractor/conv1_1/weights']), 0 are not known" in text
    data = tmp_path / "model.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:4])
    assert "no whole checkpoint" in refused(capsys, "pwcnet_ddflow", tmp_path / "model", out)

    text = refused(capsys, "pwcnet_mobile", other, out)
    assert "unknown network with published weights 'pwcnet_mobile'" in text and "spynet" in text
    assert "--out must be a name that ends in .safetensors" in refused(capsys, "pwcnet", other, tmp_path / "w.t7")
    out.write_bytes(b"mine")
    assert "exists already: choose another --out" in refused(capsys, "pwcnet", other, out)
