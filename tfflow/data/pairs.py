"""Pairs in any layout of files: named in a list, or by a pattern of their paths.

A list is a text file with a line for each pair, `image1 image2 [flow]`. Paths are relative to the list's folder. Paths
with spaces are quoted; # begins a comment. A pattern is `DIR/{}_a.png,{}_b.png,{}.flo`. {} stands for any text, with
slashes, and is the same in all parts. The second and third part are relative to DIR, too.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from pathlib import Path

from tfflow.data.images import read_bytes
from tfflow.data.records import Record, Records
from tfflow.data.tree import natural_key
from tfflow.errors import InputError

PLACE = "{}"
LONGEST = 2**26  # bytes of a list
LONGEST_LINE = 2**14  # characters; three paths of the longest length
MOST_PAIRS = 1_000_000


def open_pairs(path: Path, name: str, on_error: str = "stop") -> Records:
    """The pairs of a list or a pattern: all with flow, in any format that `read_flow` reads, or all without.

    Raises InputError for a malformed line or pattern, and if no pair is found.
    """
    records = _of_pattern(str(path)) if PLACE in str(path) else _of_list(path)
    if len({record.flow is None for record in records}) > 1:
        raise InputError(f"{name}: some pairs have a flow and some have none; name them as two sources")
    return Records(name, records)


def _of_list(path: Path) -> list[Record]:
    data = read_bytes(path, LONGEST + 1)
    if len(data) > LONGEST or data.count(b"\n") > MOST_PAIRS:
        most = f"{LONGEST:,} bytes and {MOST_PAIRS:,} lines"
        raise InputError(f"'{path}' is longer than a list of pairs may be, {most}: make several of it")
    lines = data.decode("utf-8", "replace").split("\n")
    found = []
    for number, line in enumerate(lines, 1):
        words = _words(line)
        if words and len(words) not in (2, 3):
            raise InputError(f"'{path}' line {number}: expected image1 image2 [flow], got {line[:60]!r}")
        if words:
            found.append([path.parent / word for word in words])
    stems = [files[0].stem for files in found]
    count = Counter(stems)
    names = [stem if count[stem] == 1 else f"{k:06d}_{stem}" for k, stem in enumerate(stems, 1)]
    return [Record(name, files[0], files[1], flow=(*files, None)[2]) for name, files in zip(names, found, strict=True)]


def _words(line: str) -> list[str]:
    """The words of a line. A malformed line gives more words than a line may have."""
    if len(line) > LONGEST_LINE:  # the time of shlex is quadratic in the length of a word
        return [line[:60]] * 4
    if not re.search(r"['\"\\#]", line):
        return line.split()
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # an unclosed quote
        return [line] * 4


def _of_pattern(text: str) -> list[Record]:
    patterns = text.split(",")
    if len(patterns) not in (2, 3) or any(pattern.count(PLACE) != 1 for pattern in patterns):
        raise InputError(f"'{text}': expected DIR/{{}}_a.png,{{}}_b.png[,{{}}.flo], with one {{}} in each")
    start = patterns[0].index(PLACE)
    root = Path(patterns[0][:start].rpartition("/")[0] or (os.sep if patterns[0].startswith("/") else "."))
    first = patterns[0][len(patterns[0][:start].rpartition("/")[0]) :].lstrip("/")
    before, after = map(re.escape, first.split(PLACE))
    shape = re.compile(f"{before}(.+){after}")
    records = []
    for folder, _, names in os.walk(root):
        for name in names:
            file = Path(folder, name)
            match = shape.fullmatch(file.relative_to(root).as_posix())
            others = [root / pattern.replace(PLACE, match[1]) for pattern in patterns[1:]] if match else []
            if match and others[0].is_file() and others[0] != file:
                flow = others[1] if len(others) > 1 else None
                records.append(Record(match[1], file, others[0], flow=flow))
    return sorted(records, key=lambda record: natural_key(record.name))
