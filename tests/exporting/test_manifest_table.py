"""The table of model.json's fields in docs/manifest.md says what the schema says, and names every number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tfflow.exporting.facts import Facts
from tfflow.exporting.limits import LIMITS
from tfflow.exporting.manifest import SCHEMA
from tfflow.exporting.validation import Comparison, measured

PAGE = Path(__file__).parents[2] / "docs" / "manifest.md"


def rows(text: str, first: str) -> dict[str, str]:
    """{field: the rest of its row} of the table whose first column is headed `first`."""
    table = text.split(f"| {first} | ", 1)[1].split("\n\n", 1)[0]
    return dict(re.findall(r"^\| `([^`]+)` \|(.*)$", table, re.MULTILINE))


def fields(schema: dict, prefix: str = "") -> Iterator[tuple[str, dict]]:
    """Every field of a schema by its path: `inputs[].name`."""
    for name, inner in schema.get("properties", {}).items():
        yield prefix + name, inner
        yield from fields(inner, f"{prefix}{name}.")
        yield from fields(inner.get("items", {}), f"{prefix}{name}[].")


def test_the_table_has_the_fields_of_the_schema_and_their_values():
    schema = dict(fields(json.loads(SCHEMA.read_text("utf-8"))))
    table = rows(PAGE.read_text("utf-8"), "field")
    assert set(table) == set(schema) and len(schema) > 35
    for name, inner in schema.items():
        constant = inner.get("const", [])
        values = inner.get("enum", constant if isinstance(constant, list) else [constant])
        assert all(f"`{value}`" in table[name] for value in values), name


def test_the_table_says_the_unit_of_each_size():
    table = rows(PAGE.read_text("utf-8"), "field")
    for name in ("inputs[].shape", "outputs[].shape", "outputs[].unit", "outputs[].stride", "resize.to", "stride"):
        assert "pixels" in table[name]


def test_every_number_of_an_export_is_in_the_table():
    ends = {"image1": (1, 4, 6, 3)}, {"flow12": (1, 4, 6, 2)}
    drift = dict.fromkeys(("mean", "p95", "p99", "largest"), 0.0)
    known = measured(Comparison("s", 1, {}, drift), Facts((), 0, 0, 0, *ends), {})
    limits = [limit for of_precision in LIMITS.values() for limit in of_precision]
    limited = {limit.number for limit in [*limits, *(limit.otherwise for limit in limits if limit.otherwise)]}
    assert set(rows(PAGE.read_text("utf-8"), "number")) == set(known) | limited
