"""`model.json`: all that an app must know of a .tflite, so that it repeats no number of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

from tfflow.errors import InputError
from tfflow.exporting.ends import End, ends
from tfflow.files import write_json
from tfflow.limits import parse_json, read_bytes

if TYPE_CHECKING:
    from tfflow.exporting.graph import Interface
    from tfflow.models import FlowModel

FORMAT = "tfflow-model-1"
SCHEMA = Path(__file__).with_name("manifest.schema.json")
"""The format's description; an app of another version refuses the manifest by its `format`."""


def manifest(
    model: FlowModel, interface: Interface, precision: str, file: str, contents: bytes, order: dict[str, int],
    numbers: dict[str, float],
) -> dict[str, Any]:  # fmt: skip
    """What FORMAT holds. order: place of each input and output in the file. numbers: of the validation report."""
    from tfflow.exporting.graph import INPUTS, SIGNATURE  # imported late: to read a manifest needs no TensorFlow

    image = {"shape": [1, *interface.size, 3], "type": "uint8" if interface.uint8 else "float32",
             "range": [0, 255] if interface.uint8 else [0.0, 1.0], "layout": "NHWC", "channels": "RGB"}  # fmt: skip
    flow = {"shape": [1, *interface.grid, 2], "type": "float32", "layout": "NHWC", "components": ["u", "v"],
            "unit": "pixels of the input images", "axes": "u to the right, v down"}  # fmt: skip
    stride = 4 if interface.quarter else 1
    meaning = {
        "flow12": "at each pixel of image1, where it went in image2",
        "flow21": "at each pixel of image2, where it went in image1",
    }
    weights = model.metadata
    return {
        "format": FORMAT,
        "name": Path(file).stem,
        "network": model.name,
        "parameters": model.parameters,
        "precision": precision,
        "file": file,
        "bytes": len(contents),
        "sha256": hashlib.sha256(contents).hexdigest(),
        "signature": SIGNATURE,
        "inputs": [{"name": name, "index": order[name], **image} for name in INPUTS],
        "outputs": [
            {"name": name, "index": order[name], **flow, "meaning": meaning[name], "stride": stride}
            for name in interface.outputs
        ],
        "resize": {
            "to": list(interface.size),
            "rule": "bilinear with half-pixel centres; averaged over the covered pixels where it shrinks",
            "flow": "multiply u by the ratio of widths and v by that of heights",
        },
        "padding": "none: height and width are multiples of the stride",
        "stride": model.stride,
        "weights": {
            "licence": weights.get("licence", "that of whoever trained them"),
            "recipe": weights.get("recipe", "none: random weights"),
            "data": weights.get("data", "none"),
            "steps": int(weights.get("steps", 0)),
        },
        "numbers": numbers,
    }  # fmt: skip


def write_manifest(path: Path, value: dict[str, Any]) -> None:
    """Writes what the schema allows, whole or not at all."""
    jsonschema.validate(value, parse_json(SCHEMA.read_bytes()))
    write_json(path, value)


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest beside its .tflite. Raises InputError where it is none, of another version, or of another file."""
    try:
        value = parse_json(read_bytes(path))
    except FileNotFoundError:
        raise InputError(f"no such file: {str(path)!r}; expected the manifest of an export (`tfflow export`)") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} is no manifest ({error}); export the network again") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        came = value.get("format") if isinstance(value, dict) else type(value).__name__
        raise InputError(f"{str(path)!r} has format {came!r}, expected {FORMAT!r}; export the network again")
    try:
        jsonschema.validate(value, parse_json(SCHEMA.read_bytes()))
    except jsonschema.ValidationError as error:
        where = "/".join(map(str, error.absolute_path)) or "the manifest"
        raise InputError(f"{str(path)!r}: {where}: {error.message}; export the network again") from None
    file = path.with_name(value["file"])
    contents = read_bytes(file) if file.is_file() else b""
    if hashlib.sha256(contents).hexdigest() != value["sha256"]:
        raise InputError(f"{str(path)!r} describes {value['file']}, which is missing or not that file; export again")
    for what, said, found in _differences(value, contents):
        raise InputError(f"{str(path)!r} says {what} {said}, {value['file']} has {found}; export the network again")
    return value


def _differences(value: dict[str, Any], contents: bytes) -> Iterator[tuple[str, Any, Any]]:
    """What a manifest says and what the file has, where they differ."""
    if value["bytes"] != len(contents):
        yield "bytes", value["bytes"], len(contents)
    size = value["inputs"][0]["shape"][1:3]
    if value["resize"]["to"] != size:
        yield "resize to", value["resize"]["to"], f"images of {size}"
    try:
        found = ends(contents, value["signature"])
    except ValueError as error:
        yield f"signature {value['signature']!r}:", "inputs and outputs", f"none ({error})"
        return
    for kind, of_file in zip(("inputs", "outputs"), found, strict=True):
        said = {end["name"]: End(end["index"], tuple(end["shape"]), end["type"]) for end in value[kind]}
        if said.keys() != of_file.keys():
            yield kind, sorted(said), sorted(of_file)
        for name in said.keys() & of_file.keys():
            if said[name] != of_file[name]:
                yield name, said[name], of_file[name]
