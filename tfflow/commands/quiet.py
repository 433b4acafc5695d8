"""TensorFlow's messages about the machine, which look like a broken installation, left out of a command's stderr.

They are printed by C++ before any setting of Python's is read, so that the file descriptor itself is filtered. A second
process does it: it passes on what is there even where this one crashes. Python's own lines, errors among them, go to
the terminal directly. Of those that TensorFlow logs in Python, one is left out.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator

SHOW = "TF_CPP_MIN_LOG_LEVEL"
"""Where this variable is set, TensorFlow's messages are as it says, and nothing is left out."""

NOISE = (
    "All log messages before absl::InitializeLog",
    "failed call to cuInit",
    "remapper failed",
    "To enable the following instructions",
    "Created TensorFlow Lite XNNPACK delegate",
)
"""Parts of lines that are left out, whatever their level."""

RETRACING = "triggered tf.function retracing"
"""Part of a warning that networks of a fixed input signature cannot deserve: several of them were loaded."""

FILTER = f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
noise = [text.encode() for text in {NOISE!r}]
begun = b"0123456789"
def shown(line):
    level = line[:1] in (b"I", b"W") and len(line) > 6 and all(c in begun for c in line[1:5]) and line[5:6] == b" "
    return not level and not any(text in line for text in noise)
rest = b""
while True:
    got = os.read(0, 65536)
    *lines, rest = (rest + got).split(b"\\n")
    os.write(2, b"".join(line + b"\\n" for line in lines if shown(line)))
    if not got:
        break
os.write(2, rest if shown(rest) else b"")
"""
"""The second process: leaves out glog's lines of levels I (information) and W (warning), and NOISE."""


def _deserved(record: logging.LogRecord) -> bool:
    return RETRACING not in record.getMessage()


@contextlib.contextmanager
def without_noise() -> Iterator[None]:
    """Within, lines of NOISE that C++ writes to file descriptor 2 do not reach the terminal.

    TensorFlow's warning of RETRACING is left out from then on.
    """
    if SHOW in os.environ:
        yield
        return
    logging.getLogger("tensorflow").addFilter(_deserved)
    try:
        kept = os.dup(2)
        process = subprocess.Popen([sys.executable, "-E", "-S", "-c", FILTER], stdin=subprocess.PIPE, stderr=kept)
    except (OSError, ValueError):  # no stderr, or no more processes: all is shown
        yield
        return
    assert process.stdin is not None
    before = sys.stderr
    with contextlib.suppress(OSError, ValueError):
        before.flush()
    direct = os.fdopen(os.dup(kept), "w", encoding=before.encoding, errors=before.errors, buffering=1)
    os.dup2(process.stdin.fileno(), 2)
    process.stdin.close()
    sys.stderr = direct
    try:
        yield
    finally:
        direct.flush()
        sys.stderr = before
        os.dup2(kept, 2)
        os.close(kept)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)
