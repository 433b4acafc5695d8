"""The snippets of docs/snippets/ use names that a manifest has, and the table says of each how it is tested."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.test_manifest_table import fields
from tfflow.exporting.graph import INPUTS, OUTPUTS
from tfflow.exporting.manifest import SCHEMA

FOLDER = Path(__file__).parents[2] / "docs" / "snippets"
SNIPPETS = ("Flow.kt", "flow.cpp", "flow.js", "Flow.swift")


def test_the_table_lists_each_snippet():
    listed = re.findall(r"\| \[([^\]]+)\]", (FOLDER / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(SNIPPETS) == sorted(p.name for p in FOLDER.iterdir() if p.name != "README.md")


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_snippet_passes_images_by_name_and_reads_fields_that_a_manifest_has(name):
    text = (FOLDER / name).read_text("utf-8")
    schema = json.loads(SCHEMA.read_text("utf-8"))
    known = {part for path, _ in fields(schema) for part in re.split(r"[.\[\]]+", path)}
    assert OUTPUTS[0] in text
    if name != "flow.js":  # which takes the names from the manifest
        assert all(f'"{image}"' in text for image in INPUTS)
    read = re.findall(r'(?:getString|getJSONArray|getJSONObject)\("(\w+)"\)', text) + re.findall(
        r"manifest\.(\w+)", text
    )
    read += re.findall(r"^\s+let (\w+):", text, re.MULTILINE) if name == "Flow.swift" else []
    assert set(read) - {"getString", "getJSONArray", "getJSONObject", "manifest"} <= known, set(read) - known
