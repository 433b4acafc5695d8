"""Damaged files and small files that ask for much: twenty of each reader here, any number by `python tests/fuzz.py`."""

from __future__ import annotations

import os
import time

import pytest

from tests.data.trees import mutated
from tests.fuzz import FAILED, READ, REFUSED, SECONDS, fuzz, guarded, prepared
from tests.fuzz_bombs import BOMBS, LARGEST
from tests.fuzz_readers import READERS
from tfflow.errors import InputError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

WITHOUT = {"flo5": "h5py", "manifest": "jsonschema", "tflite": "ai_edge_litert"}
"""Readers that need a library of an extra."""


def reader(name: str):
    if kind := next((kind for kind in WITHOUT if name.startswith(kind)), None):
        pytest.importorskip(WITHOUT[kind], reason=f"{WITHOUT[kind]} is not here")
    if name == "manifest":
        pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not here")


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_in_a_line_within_the_limits(name):
    reader(name)
    suffix, whole, read = READERS[name]
    tally = fuzz(name, mutated(prepared(whole, suffix, read), 20, seed=18), suffix, read)
    assert tally.count == 20 and not tally.failed, tally.problems
    assert tally.refused > 0, "the damage does nothing"


@pytest.mark.parametrize("name", [name for name in BOMBS if name not in LARGEST])
def test_a_small_file_that_asks_for_much_costs_little(name):
    reader(name)
    kind, make = BOMBS[name]
    suffix, whole, read = READERS[kind]
    prepared(whole, suffix, read)
    data = make()
    assert len(data) < 13_000_000
    tally = fuzz(name, [data], suffix, read)
    assert not tally.failed, tally.problems


def refuse():
    raise InputError("no")


def raise_another():
    raise KeyError("k")


def recurse():
    recurse()


@pytest.mark.parametrize(
    ("read", "kind", "text"),
    [
        (lambda: 1, READ, ""),
        (refuse, REFUSED, "no"),
        (raise_another, FAILED, "KeyError: 'k'"),
        (recurse, FAILED, "RecursionError"),
        (lambda: bytearray(1 << 40), FAILED, "MemoryError"),
        (lambda: os.abort(), FAILED, "ended by SIGABRT"),
        (lambda: os._exit(3), FAILED, "ended by exit 768"),
    ],
)
def test_what_ends_otherwise_is_seen(read, kind, text):
    ended = guarded([read])[0]
    assert ended.kind == kind and text in ended.text


def test_what_does_not_end_is_ended(monkeypatch):
    monkeypatch.setattr("tests.fuzz.SECONDS", 1)
    assert SECONDS == 20
    began = time.process_time()
    ended = guarded([lambda: 1, lambda: [None for _ in iter(int, 1)], lambda: 1])
    assert [one.kind for one in ended] == [READ, FAILED] and ended[1].text == "ended by SIGXCPU"
    assert time.process_time() - began < 1
