"""Random numbers in the layout of the authors' weights, and the files that hold them."""

from __future__ import annotations

import json

import numpy as np
import tensorflow as tf

from tfflow.models.flownet2 import FlowNet2
from tfflow.models.flownetc import FlowNetC
from tfflow.models.flownets import FlowNetS


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
