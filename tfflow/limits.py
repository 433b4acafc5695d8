"""What a file from outside may cost: limits that its reader keeps before it copies, hashes, prints or decodes."""

from __future__ import annotations

import json
import math
import os
import re
import stat
from pathlib import Path
from typing import Any, NoReturn

from tfflow.errors import InputError

MOST_VALUES = 300_000
"""Numbers, texts and containers of one file, its arrays aside: 8,000 tensors of PyTorch, some 30 MB of memory."""
MOST_DEPTH = 64
"""Containers inside containers."""
MOST_TIMES = 2
"""Bytes of all arrays of a file, for each byte of it: two arrays may share their numbers, a thousand may not."""
MOST_TEXT = 16 << 20
"""Bytes of a file of JSON."""

ESCAPED = re.compile(r"\\.", re.DOTALL)
TOKENS = re.compile(r'"[^"]*"?|([\[{])|([\]}])|,')
"""What bounds the values of a JSON text without escapes: strings as a whole, so that nothing in them counts."""


class Limit:
    """Counts what a file makes. `add` raises ValueError where it becomes more than `most`."""

    def __init__(self, most: int, of: str):
        self.most, self.of = most, of
        self.count = 0

    def add(self, n: int = 1) -> None:
        self.count += n
        if self.count > self.most:
            raise ValueError(f"it holds more than {self.most:,} {self.of}")


def values_limit() -> Limit:
    """Of a file whose values are read one by one."""
    return Limit(MOST_VALUES, "values")


def bytes_limit(size: int) -> Limit:
    """Of a file of `size` bytes: of all arrays that are made of it."""
    return Limit(MOST_TIMES * size, f"bytes of numbers, {MOST_TIMES} times its size")


def read_bytes(path: str | os.PathLike) -> bytes:
    """A regular file's contents. Raises InputError for a device or a pipe, which may have no end."""
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode):
        raise InputError(f"expected a file, {str(path)!r} is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}")
    return Path(path).read_bytes()


def parse_json(text: str | bytes, finite: bool = True) -> Any:
    """The value of a JSON text. Raises ValueError where it is none, or too large, too deep, or holds NaN or infinity.

    finite: False takes those two, where a run of ours may have written them.

    Depth and number of values are counted before anything is decoded: the decoder itself recurses.
    """
    if len(text) > MOST_TEXT:
        raise ValueError(f"it has {len(text):,} bytes, more than {MOST_TEXT:,}")
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    depth, values = 0, values_limit()
    for token in TOKENS.finditer(ESCAPED.sub("", text)):
        values.add()
        depth += bool(token[1]) - bool(token[2])
        if depth > MOST_DEPTH:
            raise ValueError(f"its values are nested deeper than {MOST_DEPTH}")
    return json.loads(text, parse_constant=_not_finite, parse_float=_finite) if finite else json.loads(text)


def _not_finite(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no finite number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_finite(text)
