"""What a file may cost: JSON is bounded before it is decoded, and only a file that ends is read."""

from __future__ import annotations

import ast
import json
import os
import resource
from pathlib import Path

import pytest

import tfflow
from tfflow.errors import LONGEST_LINE, PREFIX, InputError, command, one_line
from tfflow.limits import MOST_DEPTH, MOST_VALUES, parse_json, read_bytes


def test_json_comes_back_as_it_was_written():
    value = {"a": [1, -2.5, True, None, {"b\\": '[[{"'}], "": [], "ä\n": "]]" * 100, "deep": "[" * 1000}
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"":', '["\\"", ['])
@pytest.mark.parametrize("count", [MOST_DEPTH + 1, 100_000])
def test_nested_json_is_refused_before_it_is_decoded(opening, count):
    with pytest.raises(ValueError, match=f"its values are nested deeper than {MOST_DEPTH}"):
        parse_json(opening * count)


def test_a_depth_that_is_allowed_is_decoded():
    value = parse_json("[" * MOST_DEPTH + "]" * MOST_DEPTH)
    for _ in range(MOST_DEPTH - 1):
        (value,) = value
    assert value == []


@pytest.mark.parametrize("text", ["[" + "0," * MOST_VALUES + "0]", '"a",' * (MOST_VALUES // 2 + 1), "[]" * MOST_VALUES])
def test_too_many_values_are_refused(text):
    with pytest.raises(ValueError, match=f"it holds more than {MOST_VALUES:,} values"):
        parse_json(text)


@pytest.mark.parametrize("text", ["NaN", "[-Infinity]", '{"a": 1e999}', "-1e400"])
def test_numbers_that_are_not_finite_are_refused(text):
    with pytest.raises(ValueError, match="is no finite number"):
        parse_json(text)


@pytest.mark.parametrize("text", [b'"\xff"', b"{", b"\0", "1" * 5000, '"\\' * 200_000, '"' + '\\"' * 200_000])
def test_damaged_json_is_a_value_error_at_once(text):
    with pytest.raises(ValueError):
        parse_json(text)


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 5_000_000, '["' + "a" * 10_000_000, "\\[" * 5_000_000, '"\\' * 5_000_000]
)
def test_a_long_text_takes_no_more_than_a_few_times_its_size(text):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError):
        parse_json(text)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_no_other_module_decodes_json_of_a_file():
    """What the same line has written, `json.loads(json.dumps(...))`, is no file's."""
    package = Path(tfflow.__file__).parent
    found = []
    for file in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            decodes = isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.load", "json.loads", "loads")
            if decodes and not ast.unparse(node.args[0]).startswith("json.dumps("):
                found.append(file.relative_to(package).as_posix())
    assert set(found) == {"limits.py"}


def test_what_is_not_finite_is_taken_where_that_is_asked_for():
    assert str(parse_json("[NaN, Infinity, 1e999]", finite=False)) == "[nan, inf, inf]"
    with pytest.raises(ValueError, match="nested deeper"):
        parse_json("[" * 1000, finite=False)


def test_what_has_no_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, what in (
        (tmp_path / "pipe", "no regular file"),
        ("/dev/zero", "no regular file"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(InputError, match=f"expected a file, .* is {what}"):
            read_bytes(path)


@pytest.mark.parametrize("middle", ["x" * 20_000_000, "\n" * 500, "\x1b[31m" * 100, "\udcff" * 200, "‮" * 400])
def test_a_refusal_is_one_line_of_300_printable_characters_with_its_beginning_and_its_end(middle, capsys):
    @command
    def main(argv=None):
        raise InputError(f"'file' asks for {middle!s}; copy it again")

    assert main([]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"{PREFIX}'file' asks for ") and line.endswith("; copy it again\n")
    assert len(line) <= LONGEST_LINE + 1 and line[:-1].isprintable()


def test_errors_of_the_system_are_cut_as_well(capsys):
    @command
    def main(argv=None):
        raise FileNotFoundError(2, "No such file", "n" * 4000)

    assert main([]) == 2
    assert len(capsys.readouterr().err) <= LONGEST_LINE + 1


def test_a_short_line_is_kept():
    assert one_line("expected 'ä b', got  2") == "expected 'ä b', got 2"
