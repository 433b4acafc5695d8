"""Damages files and reads them, each in a process of its own under limits, and counts how that ends.

    python tests/fuzz.py all --count 1000            # every reader of tests/fuzz_readers.py, one line each
    python tests/fuzz.py png torch --seed 7 --keep failing
    python tests/fuzz.py bombs                       # small files that ask for much, see tests/fuzz_bombs.py

A file is read, or refused by an InputError of one line of at most 300 characters: anything else fails, as do 20 s of
processor time, ten minutes in all, and 2 GiB more memory than before. The exit code is 1 where something failed.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

MEMORY, SECONDS, ALARM, LONGEST, BATCH = 2 << 30, 20, 600, 300, 50
READ, REFUSED, FAILED = range(3)


class Ended(NamedTuple):
    """How reading one file ended; its memory is that of all that were read in the same process."""

    kind: int
    text: str
    seconds: float
    mebibytes: float = 0.0


@dataclasses.dataclass
class Tally:
    """How many files were read and refused, what the costliest took, and how others failed, first ones in words."""

    read: int = 0
    refused: int = 0
    failed: int = 0
    seconds: float = 0.0
    mebibytes: float = 0.0
    problems: list[str] = dataclasses.field(default_factory=list)

    @property
    def count(self) -> int:
        return self.read + self.refused + self.failed

    def add(self, one: Ended, name: str) -> None:
        self.read += one.kind == READ
        self.refused += one.kind == REFUSED
        self.failed += one.kind == FAILED
        self.seconds, self.mebibytes = max(self.seconds, one.seconds), max(self.mebibytes, one.mebibytes)
        if one.kind == FAILED:
            self.problems.append(f"{name} {self.count}: {one.text.strip()}")

    def line(self, name: str) -> str:
        return (
            f"{name}: {self.count:,} files, {self.read:,} read, {self.refused:,} refused, {self.failed:,} failed; at "
            f"most {self.seconds:.2f} s, {self.mebibytes:.0f} MiB more"
        )


def outcome(read: Callable[[], object]) -> tuple[int, str]:
    """What reading gives, in this process."""
    from tfflow.errors import InputError

    try:
        read()
    except InputError as error:
        text = str(error)
        short = len(text) <= LONGEST and "\n" not in text and text.isprintable()
        return (REFUSED, text) if short else (FAILED, f"a refusal of {len(text)} characters: {text[:200]!r}")
    except BaseException as error:
        return FAILED, "".join(traceback.format_exception(error))[-600:]
    return READ, ""


def guarded(reads: Sequence[Callable[[], object]]) -> list[Ended]:
    """The same of each, in a forked process under the limits. It ends with the first that ends the process."""
    receive, send = os.pipe()
    before = _status("VmRSS")
    child = os.fork()
    if child == 0:
        _limited()
        with os.fdopen(send, "wb") as pipe:
            for read in reads:
                signal.alarm(ALARM)
                began = time.process_time()
                resource.setrlimit(resource.RLIMIT_CPU, (int(began) + SECONDS, resource.RLIM_INFINITY))
                kind, text = outcome(read)
                pipe.write(json.dumps([kind, text, time.process_time() - began]).encode() + b"\n")
                pipe.flush()
        os._exit(0)
    os.close(send)
    with os.fdopen(receive, "rb") as pipe:
        ended = [Ended(*json.loads(line)) for line in pipe]
    _, status, usage = os.wait4(child, 0)
    more = max(0.0, usage.ru_maxrss - before) / 1024
    ended = [one._replace(mebibytes=more) for one in ended]
    if len(ended) < len(reads):
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        why = f"ended by {signal.Signals(number).name if number else f'exit {status}'}"
        ended.append(Ended(FAILED, why, usage.ru_utime + usage.ru_stime, more))
    return ended


def _limited() -> None:
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    most = _status("VmSize") * 1024 + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _status(field: str) -> int:
    """kB, as the system counts them for this process."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if line.startswith(field + ":"))


def fuzz(
    name: str, files: Iterable[bytes], suffix: str, read: Callable[[Path], object], keep: Path | None = None
) -> Tally:
    """Reads each of these contents from a file with this suffix. keep: a folder for those that failed."""
    tally, left = Tally(), list(files)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / f"a{suffix}"

        def read_from_disk(data: bytes) -> None:
            path.write_bytes(data)
            read(path)

        while left:
            batch = left[:BATCH]
            ended = guarded([functools.partial(read_from_disk, data) for data in batch])
            for data, one in zip(batch, ended, strict=False):
                tally.add(one, name)
                if one.kind == FAILED and keep:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{name}_{tally.count}{suffix}").write_bytes(data)
            left = left[len(ended) :]
    return tally


@functools.cache
def prepared(whole: Callable[[Path], bytes], suffix: str, read: Callable[[Path], object]) -> bytes:
    """The whole file, which is read once here: what reading imports is imported before processes are forked."""
    with tempfile.TemporaryDirectory() as temporary:
        data = whole(Path(temporary))
        path = Path(temporary) / "read" / f"a{suffix}"
        path.parent.mkdir()
        path.write_bytes(data)
        read(path)
    return data


def main() -> int:
    from tests.data.trees import mutated
    from tests.fuzz_bombs import BOMBS
    from tests.fuzz_readers import READERS

    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="+", metavar="READER", choices=["all", "bombs", *READERS, *BOMBS])
    p.add_argument("--count", type=int, default=1000, help="damaged files of each reader (default: 1000)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--keep", type=Path, metavar="DIR", help="where to put files that failed")
    args = p.parse_args()
    failed = 0
    for name in args.names:
        for one in {"all": READERS, "bombs": BOMBS}.get(name, [name]):
            reader, make = BOMBS.get(one, (one, None))
            suffix, whole, read = READERS[reader]
            data = prepared(whole, suffix, read)
            tally = fuzz(one, [make()] if make else mutated(data, args.count, args.seed), suffix, read, args.keep)
            print(tally.line(one), *tally.problems[:3], sep="\n    ", flush=True)
            failed += tally.failed
    return int(failed > 0)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    raise SystemExit(main())
