"""Weights on disk: arrays in a safetensors file, described in its header. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from tfflow.errors import InputError
from tfflow.files import write_whole

FORMAT = "tfflow-weights-1"
MOST_HEADER = 16 << 20
"""Largest header in bytes, enough for the names of 100,000 arrays."""


def save_arrays(path: str | os.PathLike, arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Writes named arrays and a header with `metadata` and a checksum. The file is complete or absent."""
    arrays = {k: np.asarray(v, order="C") for k, v in arrays.items()}  # ascontiguousarray makes [1] of a scalar
    metadata = {**metadata, "format": FORMAT}
    contents = save(arrays, {**metadata, "sha256": checksum(arrays, metadata)})
    with write_whole(path) as part:
        part.write_bytes(contents)


def read_arrays(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the header of a file by `save_arrays`. InputError if it is another file, or damaged."""
    if not Path(path).is_file():
        raise InputError(f"expected a .safetensors file of weights, {str(path)!r} is not a file")
    with Path(path).open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > MOST_HEADER:
        raise InputError(f"{str(path)!r} is not a whole safetensors file (a header of {header:,} bytes); copy it again")
    try:
        with safe_open(path, framework="np") as f:
            metadata = dict(f.metadata() or {})
            arrays = {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118 (no iterator)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise InputError(f"{str(path)!r} is not a whole safetensors file ({error}); train or copy it again") from None
    if metadata.get("format") != FORMAT:
        raise InputError(f"{str(path)!r} was not written by tfflow (format {metadata.get('format')!r}, not {FORMAT!r})")
    if metadata.pop("sha256", None) != checksum(arrays, metadata):
        raise InputError(f"{str(path)!r} is damaged: its checksum does not match; train or copy it again")
    return arrays, metadata


def checksum(arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> str:
    """SHA-256 of the names, types, shapes and bytes of the arrays, and of the header."""
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(arrays):
        x = arrays[name]
        digest.update(f"{name} {x.dtype.str} {x.shape}".encode())
        digest.update(np.atleast_1d(x).view(np.uint8).data)
    return digest.hexdigest()


def variable_names(model) -> list[str]:
    """The names of the model's weights on disk, such as "encoder1_conv1/kernel"."""
    return [v.name.split(":")[0] for v in model.weights]


def model_arrays(model) -> dict[str, np.ndarray]:
    """The model's weights by name."""
    return {name: v.numpy() for name, v in zip(variable_names(model), model.weights, strict=True)}


SUFFIX = ".safetensors"


def save_weights(
    model, path: str | os.PathLike, network: str | None = None, metadata: Mapping[str, str] | None = None
) -> Path:
    """Writes the weights of a Keras model to a .safetensors file, which `tfflow.load` reads.

        model = tfflow.load().keras_model                # then model.compile(...), model.fit(...)
        tfflow.save_weights(model, "mine.safetensors")
        mine = tfflow.load("mine.safetensors")

    model: `FlowModel.keras_model`, or one that Keras saved and loaded. network: its name in the table of networks.
        Default: the model's own name.
    Returns the path. Raises InputError for another suffix.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise InputError(f"weights are written to a file that ends in {SUFFIX}, got '{path}'")
    model = getattr(model, "keras_model", model)
    save_arrays(path, model_arrays(model), {**(metadata or {}), "model": network or model.name})
    return path


def assign(model, arrays: dict[str, np.ndarray], where: str, partly: bool = False) -> None:
    """Assigns `arrays` to the weights of the model.

    partly: assigns only weights whose names both have; the others stay as they are.
    Raises InputError, before any weight changes, if the arrays are those of another network.
    """
    names = variable_names(model)
    if partly and not arrays.keys().isdisjoint(names):
        arrays = {**model_arrays(model), **{name: x for name, x in arrays.items() if name in names}}
    missing = [n for n in names if n not in arrays]
    unknown = [n for n in arrays if n not in names]
    if missing or unknown:
        raise InputError(
            f"{where} holds the weights of another network: {len(missing)} of {len(names)} weights are missing"
            f" (first {missing[:1]}), {len(unknown)} are not known (first {unknown[:1]})"
        )
    for name, v in zip(names, model.weights, strict=True):
        if tuple(v.shape) != arrays[name].shape:
            raise InputError(f"{where}: {name} should be {tuple(v.shape)}, is {arrays[name].shape}: another network")
        if not np.isfinite(arrays[name]).all():
            raise InputError(f"{where}: {name} is not finite; train again")
    for name, v in zip(names, model.weights, strict=True):
        v.assign(arrays[name])
