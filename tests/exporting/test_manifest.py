"""What a manifest says of its file is held against the file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.tflite_files import of_manifest, tflite
from tfflow.errors import InputError
from tfflow.exporting.ends import End, ends
from tfflow.exporting.manifest import read_manifest

VECTORS = Path(__file__).parents[2] / "android_demo/core/src/test/resources/vectors.json"
GOOD = json.loads(VECTORS.read_text("utf-8"))["manifests"]["good"][0]
IMAGE, FLOW = ((1, 8, 16, 3), "float32"), ((1, 2, 4, 2), "float32")


def write(folder: Path, change=lambda value: None, contents: bytes = b"", text: str | None = None) -> Path:
    """A manifest, changed, beside the file that it described before the change."""
    value = json.loads(json.dumps(GOOD))
    contents = contents or of_manifest(value)
    value |= {"sha256": hashlib.sha256(contents).hexdigest(), "bytes": len(contents)}
    change(value)
    (folder / value["file"]).write_bytes(contents)
    (folder / "model.json").write_text(text or json.dumps(value))
    return folder / "model.json"


def test_a_manifest_that_fits_its_file_is_read(tmp_path):
    assert read_manifest(write(tmp_path))["inputs"] == GOOD["inputs"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda m: m.update(bytes=m["bytes"] + 1), r"says bytes \d+, model.tflite has \d+; export"),
        (lambda m: m["inputs"][0].update(shape=[1, 64, 64, 3]), "says (resize|image)"),
        (lambda m: m["inputs"][1].update(shape=[1, 64, 64, 3]), r"says image\d End\(.*64, 64, 3.*model.tflite has End"),
        (lambda m: m["outputs"][0].update(shape=[1, 64, 64, 2]), r"says flow12 End\(.*64, 64, 2"),
        (lambda m: m["inputs"][0].update(type="uint8"), r"says image\d End\(.*'uint8'"),
        (lambda m: [i.update(index=1 - i["index"]) for i in m["inputs"]], r"says image\d End\(index=\d"),
        (lambda m: m["inputs"][1].update(index=m["inputs"][0]["index"]), r"says image\d End\(index=\d"),
        (lambda m: m["outputs"][0].update(index=7), r"says flow12 End\(index=7"),
        (lambda m: m["inputs"][0].update(name=m["inputs"][1]["name"]), r"says inputs \['image\d'\], model.tflite has"),
        (lambda m: m["outputs"][0].update(name="flow21"), r"says outputs \['flow21'\], model.tflite has \['flow12'\]"),
        (lambda m: m.update(signature="other"), "says signature 'other': inputs and outputs, model.tflite has none"),
        (lambda m: m["resize"].update(to=[8, 8]), r"says resize to \[8, 8\], model.tflite has images of"),
    ],
)
def test_a_manifest_that_says_other_than_its_file_is_refused(tmp_path, change, match):
    with pytest.raises(InputError, match=match):
        read_manifest(write(tmp_path, change))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[" * 100_000, "is no manifest .*nested deeper than 64"),
        ('{"format": ' * 100_000, "is no manifest .*nested deeper than 64"),
        ('{"format": NaN}', "is no manifest .*no finite number"),
        ('{"parameters": 1e999}', "is no manifest .*no finite number"),
        ('{"format": "' + "x" * 100_000 + '"}', "has format 'xxx"),
    ],
)
def test_a_manifest_that_is_none_is_one_short_line(tmp_path, text, match):
    with pytest.raises(InputError, match=match) as refusal:
        read_manifest(write(tmp_path, text=text))
    assert len(str(refusal.value)) <= 300


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    with pytest.raises(InputError, match="no finite number"):
        read_manifest(write(tmp_path, lambda m: m["numbers"].update(mean_px=float("nan"))))


def test_a_file_without_a_signature_fits_no_manifest(tmp_path):
    with pytest.raises(InputError, match=r"model.tflite has none \(no .tflite\); export the network again"):
        read_manifest(write(tmp_path, contents=b"not at all"))


def test_ends_are_those_of_the_file():
    contents = tflite({"image2": IMAGE, "image1": IMAGE}, {"flow12": FLOW})
    inputs, outputs = ends(contents, "serving_default")
    assert inputs == {"image1": End(1, *IMAGE), "image2": End(0, *IMAGE)} and outputs == {"flow12": End(0, *FLOW)}


def test_a_damaged_file_is_a_value_error():
    whole = tflite({"image1": IMAGE, "image2": IMAGE}, {"flow12": FLOW})
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(500):
        data = bytearray(whole)
        for at in rng.integers(8, len(data), 3):
            data[at] = rng.integers(256)
        try:
            ends(bytes(data), "serving_default")
        except ValueError:
            refused += 1
    assert refused > 100
