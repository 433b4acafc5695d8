"""The published weights that can be imported: files and layout for each network, and what differs here."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfflow.errors import InputError, unknown_name
from tfflow.limits import read_bytes
from tfflow.models.flow_model import FlowModel
from tfflow.models.importing import names
from tfflow.models.importing.t7 import Module, read_t7
from tfflow.models.importing.tf1_checkpoint import read_checkpoint
from tfflow.models.importing.torch_file import read_state
from tfflow.models.variants import VARIANTS
from tfflow.models.weights import assign

Arrays = dict[str, np.ndarray]
LEVEL_FILE = re.compile(r"modelL(\d+)_(\w+)\.t7")
"""Names of SpyNet's files: the level, and the training set."""
FIVE_LEVELS = ("3", "4")
"""SpyNet's sets with five levels: Flying Chairs, final and clean."""


@dataclass(frozen=True)
class Published:
    """The weights of a network in `VARIANTS` that its authors publish.

    files: a description of the files. read: paths -> (weights by our names and in our layout, remarks on these files).
    notes: what differs from the authors' program.
    """

    files: str
    read: Callable[[Sequence[Path]], tuple[Arrays, list[str]]]
    notes: tuple[str, ...]


def import_published(name: str, files: Sequence[str | os.PathLike]) -> FlowModel:
    """The network `name` with the published weights in `files`.

    Its metadata has "model", "recipe", "data", "licence" of the weights, "imported" (JSON: names and SHA-256 of the
    files) and "notes" (JSON: what differs from the authors' program).
    Raises InputError if no published weights of `name` are known, if a file is missing or damaged, if it holds more
    than numbers and names, or if it holds another network.
    """
    if name not in PUBLISHED:
        raise unknown_name("network with published weights", name, PUBLISHED)
    paths = [Path(file) for file in files]
    known, kind = PUBLISHED[name], VARIANTS[name]
    arrays, notes = known.read(paths)
    metadata = {
        "model": name,
        "recipe": f"published weights of {kind.paper}",
        "data": "that of the authors",
        "licence": f"that of the authors' weights: {kind.published_weights}",
        "imported": json.dumps({path.name: digest for path in paths for path, digest in _digests(path)}),
        "notes": json.dumps([*notes, *known.notes]),
    }
    model = FlowModel(name, metadata)
    assign(model.one_way, {k: v.astype(np.float32) for k, v in arrays.items()}, " ".join(repr(str(p)) for p in paths))
    return model


def _digests(path: Path) -> list[tuple[Path, str]]:
    """A file, or the files of a checkpoint with this prefix, each with its SHA-256."""
    files = [path] if path.is_file() else sorted(path.parent.glob(f"{glob.escape(path.name)}.*"))
    return [(file, hashlib.sha256(read_bytes(file)).hexdigest()) for file in files]


def _one(paths: Sequence[Path], what: str) -> Path:
    if len(paths) != 1:
        raise InputError(f"expected {what}, got {len(paths)} files")
    return paths[0]


def _renamed(
    theirs: Arrays,
    layers: dict[str, str],
    parts: dict[str, str],
    where: str,
    idle: Sequence[str] = (),
    unbiased: Sequence[str] = (),
) -> Arrays:
    """Their variables by our names.

    parts: "kernel" and "bias" -> the suffix of the variable's name. idle: their layers that are left out. unbiased:
    our layers without a bias.
    """
    wanted = {
        f"{ours}/{part}": f"{their}{suffix}"
        for ours, their in layers.items()
        for part, suffix in parts.items()
        if part == "kernel" or ours not in unbiased
    }
    missing = [n for n in wanted.values() if n not in theirs]
    known = {*wanted.values(), *idle}
    unknown = [n for n, x in theirs.items() if n not in known and x.ndim]  # a single number is a counter of steps
    if missing or unknown:
        raise InputError(
            f"{where} holds another network: {len(missing)} of {len(wanted)} weights are missing (first {missing[:1]}),"
            f" {len(unknown)} are not known (first {unknown[:1]})"
        )
    return {ours: theirs[their] for ours, their in wanted.items()}


def _from_torch(layers: dict[str, str], idle: Sequence[str] = (), unbiased: Sequence[str] = (), bgr: bool = False):
    """A reader of PyTorch files. Kernels are [out, in, h, w], those of transposed convolutions [in, out, h, w]."""

    def read(paths: Sequence[Path]) -> tuple[Arrays, list[str]]:
        path = _one(paths, "one .pth or .pth.tar file")
        parts = {"kernel": ".weight", "bias": ".bias"}
        arrays = _renamed(read_state(path), layers, parts, repr(str(path)), idle, unbiased)
        for name, x in arrays.items():
            if name.endswith("/kernel"):
                if x.ndim != 4:
                    raise InputError(f"{str(path)!r} holds another network: {name} of it has shape {x.shape}")
                arrays[name] = x.transpose(2, 3, 1, 0)
        if bgr:
            arrays["encoder1_conv1/kernel"] = arrays["encoder1_conv1/kernel"][:, :, ::-1]
        return arrays, []

    return read


def _from_checkpoint(layers: dict[str, str]):
    """A reader of TensorFlow 1 checkpoints. Kernels have our layout."""

    def read(paths: Sequence[Path]) -> tuple[Arrays, list[str]]:
        path = _one(paths, "one checkpoint, named by its prefix or its .index file")
        parts = {"kernel": "/weights", "bias": "/biases"}
        return _renamed(read_checkpoint(path), layers, parts, repr(str(path))), []

    return read


def _spynet(paths: Sequence[Path]) -> tuple[Arrays, list[str]]:
    _check_levels(paths)
    arrays: Arrays = {}
    for level, path in enumerate(paths, 1):
        arrays |= _spynet_level(path, level)
    if len(paths) == 6:
        return arrays, []
    arrays |= _spynet_level(paths[-1], 6)
    return arrays, ["five levels were given: level 6 is level 5 once more, as the authors' program has it"]


def _check_levels(paths: Sequence[Path]) -> None:
    """Checks the order of the files by their names, since the files of all levels have the same shapes."""
    found = [LEVEL_FILE.fullmatch(path.name) for path in paths]
    if all(found):
        levels, sets = [int(m[1]) for m in found if m], {m[2] for m in found if m}
        if len(sets) > 1:
            raise InputError(f"expected the levels of one set, got those of {', '.join(sorted(sets))}")
        (name,) = sets
        wanted = list(range(1, 6 if name in FIVE_LEVELS else 7))
        if levels != wanted:
            raise InputError(
                f"expected the levels of set {name} from coarse to fine, {' '.join(f'L{n}' for n in wanted)}, "
                f"got {' '.join(f'L{n}' for n in levels)}"
            )
    elif len(paths) not in (5, 6):
        raise InputError(f"expected SpyNet's files of six levels (five of some sets), coarse to fine, got {len(paths)}")


def _spynet_level(path: Path, level: int) -> Arrays:
    network = read_t7(path)
    if isinstance(network, Module) and network.kind == "nn.DataParallelTable":
        network = _field(_field(network, "modules", path), 1, path)
    modules = _field(network, "modules", path)
    if not isinstance(modules, dict) or len(modules) != 9:
        raise InputError(f"{str(path)!r} holds another network: expected five convolutions with ReLUs between them")
    arrays = {}
    for ours, place in names.SPYNET.items():
        convolution = _field(modules, place, path)
        weight, bias = (_field(convolution, key, path) for key in ("weight", "bias"))
        if not isinstance(weight, np.ndarray) or weight.ndim != 4 or not isinstance(bias, np.ndarray):
            raise InputError(f"{str(path)!r} holds another network: its layer {place} is no convolution")
        arrays[f"level{level}_{ours}/kernel"] = weight.transpose(2, 3, 1, 0)
        arrays[f"level{level}_{ours}/bias"] = bias
    return arrays


def _field(of, key, path: Path):
    fields = of.fields if isinstance(of, Module) else of
    if not isinstance(fields, dict) or key not in fields:
        raise InputError(f"{str(path)!r} holds another network: {key!r} is missing")
    return fields[key]


def _size_note(multiple: int, theirs: str) -> str:
    return (
        f"sizes: the flow is the same for sides that are multiples of {multiple}; for others the last row and column"
        f" are repeated here, where the authors' program {theirs}"
    )


NVIDIA = (
    "upsampling: with half-pixel centres, as PyTorch's nn.Upsample has it since 0.4.1; before, corners were aligned",
    _size_note(64, "cuts frames to the last multiple"),
)
BORDER = (
    "border: beyond the frame the warp is exactly 0 here; the authors' program leaves rounding errors there (up to 2e-6"
    " of features near 1), which its normalisation over channels enlarges: the flow may differ near it"
)
ALIGNED = "warp: with corners aligned, as PyTorch's grid_sample had it up to 1.2; newer ones need align_corners=True"

PUBLISHED = {
    "spynet": Published(
        "six files modelL1_SET.t7 to modelL6_SET.t7, coarse to fine (sets 3 and 4 have five)",
        _spynet,
        (
            "levels: by the frames' size, as the authors' program has it: six, five for a longer side of up to 512 px,"
            " four up to 256, three up to 128, two up to 64, one up to 32; a .tflite has those of its size, training"
            " takes six",
            _size_note(32, "stretches them up to the next multiple and shrinks the flow, taking the nearest pixel"),
        ),
    ),
    "flownets": Published(
        "one .pth or .pth.tar of NVIDIA's FlowNet2S (PyTorch, any version since 0.1.10)",
        _from_torch(names.flownets(), unbiased=names.without_bias("")),
        NVIDIA,
    ),
    "flownetc": Published(
        "one .pth or .pth.tar of NVIDIA's FlowNet2C (PyTorch, any version since 0.1.10)",
        _from_torch(names.flownetc()),
        NVIDIA,
    ),
    "flownet2": Published(
        "one .pth or .pth.tar of NVIDIA's FlowNet2 (PyTorch, any version since 0.1.10)",
        _from_torch(names.flownet2(), unbiased=names.without_bias("net2_", "net3_")),
        NVIDIA,
    ),
    "pwcnet": Published(
        "one .pth or .pth.tar of NVlabs' PWCDCNet (PyTorch, any version since 0.1.10)",
        _from_torch(names.pwcnet(), idle=("deconv2.weight", "deconv2.bias"), bgr=True),
        (
            "colours: the published network reads BGR; the first kernel's input channels were reversed: RGB goes in",
            "idle: deconv2 (66 parameters) of the published network, which it never uses, was left out",
            ALIGNED,
            _size_note(64, "stretches them up to the next multiple and shrinks the flow"),
        ),
    ),
    "pwclite": Published(
        "one .tar, .pth or .pth.tar of ARFlow's PWCLite for two frames (PyTorch, any version since 0.1.10)",
        _from_torch(names.pwclite()),
        (ALIGNED, _size_note(64, "stretches every frame to a size of its own, 384x640 by default, and the flow back")),
    ),
    "pwcnet_ddflow": Published(
        "one checkpoint of DDFlow (TensorFlow 1), named by its prefix or its .index file",
        _from_checkpoint(names.ddflow()),
        (BORDER, _size_note(64, "takes any size and rounds each level's up")),
    ),
    "selflow": Published(
        "one checkpoint of SelFlow (TensorFlow 1), named by its prefix or its .index file",
        _from_checkpoint(names.ddflow()),
        (
            "colours: frames in [0, 1], as for the checkpoints without labels; those fine-tuned with labels were given"
            " frames of mean 0 and deviation 1, each by itself, which is not done here",
            BORDER,
            _size_note(64, "takes the nearest pixels of the nearest multiple, and of its flow"),
        ),
    ),
}
"""By the name of the network."""
