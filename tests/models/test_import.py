"""Published weights, of random numbers in the authors' files: the flow is that of the published network."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.models import published_networks, t7_files, torch_files
from tfflow.commands import import_weights
from tfflow.models import VARIANTS, FlowModel, load, one_direction
from tfflow.models.flownet2 import FlowNet2
from tfflow.models.flownetc import FlowNetC
from tfflow.models.flownets import FlowNetS
from tfflow.models.importing import PUBLISHED, import_published
from tfflow.models.weights import assign


def pair(h: int, w: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Smooth frames, no colour like another."""
    noise = tf.random.stateless_uniform([2, h // 8, w // 8, 3], [seed, 3])
    frames = tf.clip_by_value(tf.image.resize(noise, [h, w], "bicubic") * [1.0, 0.8, 0.5], 0, 1).numpy()
    return frames[0], frames[1]


def random(shapes: dict[str, tuple[int, ...]], fan_in, gain: dict[str, float]) -> dict[str, np.ndarray]:
    """Kernels that keep the size of what goes through them, but those that `gain` names a part of; small biases."""
    rng = np.random.default_rng(7)
    weights = {}
    for name, shape in shapes.items():
        scale = 0.1 if len(shape) == 1 else (1.8 / fan_in(shape)) ** 0.5
        scale *= next((factor for part, factor in gain.items() if part in name), 1.0)
        weights[name] = (scale * rng.normal(size=shape)).astype(np.float32)
    return weights


def torch_shapes(convolutions: dict[str, tuple[int, int, int]], transposed: dict[str, tuple[int, int]]) -> dict:
    shapes: dict[str, tuple[int, ...]] = {}
    for name, (into, out, kernel) in convolutions.items():
        shapes |= {f"{name}.weight": (out, into, kernel, kernel), f"{name}.bias": (out,)}
    for name, (into, out) in transposed.items():
        shapes |= {f"{name}.weight": (into, out, 4, 4), f"{name}.bias": (out,)}
    return shapes


CHANNELS = (3, 16, 32, 64, 96, 128, 196)
DECODER = (128, 128, 96, 64, 32)
CONTEXT = (128, 128, 128, 96, 64, 32, 2)


def pwcnet_weights() -> dict[str, np.ndarray]:
    convolutions: dict[str, tuple[int, int, int]] = {}
    transposed: dict[str, tuple[int, int]] = {}
    for level in range(1, 7):
        into, out = CHANNELS[level - 1 : level + 1]
        for letters in ("aa", "a", "b") if level == 6 else ("a", "aa", "b"):
            convolutions[f"conv{level}{letters}.0"] = (into, out, 3)
            into = out
    for level in (6, 5, 4, 3, 2):
        width = 81 if level == 6 else 81 + CHANNELS[level] + 4
        for i, out in enumerate(DECODER):
            convolutions[f"conv{level}_{i}.0"] = (width, out, 3)
            width += out
        convolutions[f"predict_flow{level}"] = (width, 2, 3)
        transposed[f"deconv{level}"] = (2, 2)
        if level > 2:
            transposed[f"upfeat{level}"] = (width, 2)
    for i, out in enumerate(CONTEXT, 1):
        convolutions[f"dc_conv{i}.0" if i < 7 else "dc_conv7"] = (width, out, 3)
        width = out
    gain = {"predict_flow": 0.4, "dc_conv7": 0.2}
    return random(torch_shapes(convolutions, transposed), lambda s: np.prod(s[1:]), gain)


def pwclite_weights() -> dict[str, np.ndarray]:
    channels = (*CHANNELS[:-1], 192)
    convolutions = {}
    for level in range(6):
        name = f"feature_pyramid_extractor.convs.{level}"
        convolutions[f"{name}.0.0"] = (channels[level], channels[level + 1], 3)
        convolutions[f"{name}.1.0"] = (channels[level + 1], channels[level + 1], 3)
    for i, level in enumerate((6, 5, 4, 3, 2)):
        convolutions[f"conv_1x1.{i}.0"] = (channels[level], 32, 1)
    for i, into in enumerate((115, 128, 256, 224, 160), 1):
        convolutions[f"flow_estimators.conv{i}.0"] = (into, DECODER[i - 1], 3)
    convolutions["flow_estimators.predict_flow.0"] = (96, 2, 3)
    width = 34
    for i, out in enumerate(CONTEXT):
        convolutions[f"context_networks.convs.{i}.0"] = (width, out, 3)
        width = out
    gain = {"predict_flow": 0.4, "convs.6.0": 0.2}
    return random(torch_shapes(convolutions, {}), lambda s: np.prod(s[1:]), gain)


def ddflow_weights(frames: int = 2) -> dict[str, np.ndarray]:
    """Of SelFlow with three frames, each of its inputs but the features twice, its context network the flow itself."""
    channels = (*CHANNELS[:-1], 192)
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, into: int, out: int) -> None:
        shapes.update({f"{name}/weights": (3, 3, into, out), f"{name}/biases": (out,)})

    for level in range(1, 7):
        layer(f"feature_extractor/conv{level}_1", channels[level - 1], channels[level])
        layer(f"feature_extractor/conv{level}_2", channels[level], channels[level])
    for level in (6, 5, 4, 3, 2):
        width = channels[level] + (frames - 1) * (81 + 2)
        for i, out in enumerate((*DECODER, 2), 1):
            layer(f"estimator_level_{level}/conv{i}", width, out)
            width = out
    width = (frames - 1) * 34
    for i, out in enumerate(CONTEXT, 1):
        layer(f"context_network/dilated_conv{i}", width, out)
        width = out
    gain = {"level_6/conv6": 2.0, "conv6/w": 3.0, "dilated_conv7": 0.2 if frames == 2 else 3.0}
    return random(shapes, lambda s: np.prod(s[:3]), gain)


THIN = 8
"""FlowNets of an eighth of the published channels: all of FlowNet2's would be 650 MB."""


def flownet_shapes(net: str, into: int, kind: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of NVIDIA's FlowNetS ("S"), FlowNetC ("C"), FlowNetSD ("SD") or FlowNetFusion ("fusion")."""
    convolutions: dict[str, tuple[int, int, int]] = {}
    transposed: dict[str, tuple[int, int]] = {}

    def conv(name: str, before: int, after: int, kernel: int = 3) -> int:
        convolutions[f"{net}{name}.0"] = (before, after, kernel)
        return after

    c = [n // THIN for n in (64, 128, 256, 512, 512, 1024)]
    if kind in ("SD", "fusion"):
        x = conv("conv1", conv("conv0", into, c[0]), c[0])
        x = conv("conv2_1", conv("conv2", conv("conv1_1", x, c[1]), c[1]), c[1])
        x = x if kind == "fusion" else conv("conv3", x, c[2])
    else:
        x = conv("conv3", conv("conv2", conv("conv1", into, c[0], 7), c[1], 5), c[2], 5)
    skips = {3: c[2], 2: c[1], 1: c[1], 0: c[0]}
    if kind != "fusion":
        x = conv("conv3_1", x + 0 if kind != "C" else conv("conv_redir", x, 32 // THIN, 1) + 441, c[2])
        for n, width in zip((4, 5, 6), c[3:], strict=True):
            x = skips[n] = conv(f"conv{n}_1", conv(f"conv{n}", x, width), width)
    coarsest, widths = (2, {1: 32, 0: 16}) if kind == "fusion" else (6, {5: 512, 4: 256, 3: 128, 2: 64})
    convolutions[f"{net}predict_flow{coarsest}"] = (x, 2, 3)
    for n, width in widths.items():
        width //= THIN
        transposed[f"{net}deconv{n}.0"] = (x, width)
        transposed[f"{net}upsampled_flow{n + 1}_to_{n}"] = (2, 2)
        x = skips[n] + width + 2
        shown = x if kind in ("S", "C") else conv(f"inter_conv{n}", x, width)
        convolutions[f"{net}predict_flow{n}"] = (shown, 2, 3)
    shapes = torch_shapes(convolutions, transposed)
    return {name: s for name, s in shapes.items() if kind != "S" or not ("upsampled" in name and name.endswith("bias"))}


FLOWNETS = {
    "flownets": (FlowNetS, {"": (6, "S")}),
    "flownetc": (FlowNetC, {"": (3, "C")}),
    "flownet2": (
        FlowNet2,
        {
            "flownetc.": (3, "C"),
            "flownets_1.": (12, "S"),
            "flownets_2.": (12, "S"),
            "flownets_d.": (6, "SD"),
            "flownetfusion.": (11, "fusion"),
        },
    ),
}


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


def spynet_levels(count: int) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    rng = np.random.default_rng(3)
    widths = (8, 32, 64, 32, 16, 2)
    levels = []
    for _ in range(count):
        levels.append([])
        for i in range(5):
            scale = (0.3 if i == 4 else 1.3) / (49 * widths[i]) ** 0.5
            weight = scale * rng.normal(size=[widths[i + 1], widths[i], 7, 7])
            levels[-1].append((weight.astype(np.float32), (0.1 * rng.normal(size=widths[i + 1])).astype(np.float32)))
    return levels


def write_checkpoint(prefix, weights: dict[str, np.ndarray]) -> None:
    """As DDFlow's Saver: the network's variables and the global step, without a graph."""
    v1 = tf.compat.v1
    with v1.Graph().as_default(), v1.Session() as session:
        variables = [
            v1.get_variable(name, x.shape, dtype=x.dtype, use_resource=False, initializer=v1.zeros_initializer())
            for name, x in (weights | {"Variable": np.int32(60_000)}).items()
        ]
        values = [*weights.values(), np.int32(60_000)]
        for variable, value in zip(variables, values, strict=True):
            session.run(variable.initializer)
            variable.load(value, session)
        v1.train.Saver(variables).save(session, str(prefix), write_meta_graph=False, write_state=False)


def assert_same_flow(flow: np.ndarray, published: np.ndarray) -> None:
    """To 1e-4 px, of a flow that leaves the frame here and there."""
    h, w, _ = published.shape
    x, y = np.arange(w) + published[..., 0], np.arange(h)[:, None] + published[..., 1]
    leaves = ((x < -1) | (x > w) | (y < -1) | (y > h)).mean()
    assert 0.01 < leaves < 0.6 and published.std() > 0.3
    assert np.abs(flow - published).max() < 1e-4


def notes_of(model) -> str:
    return " ".join(json.loads(model.metadata["notes"]))


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


def test_levels_follow_the_size_that_frames_are_padded_to(imported_spynet):
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
