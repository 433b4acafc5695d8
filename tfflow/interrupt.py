"""A second Ctrl-C ends the process at once, also inside a long call from which Python's own handler never returns."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator

_SHOW_CURSOR = b"\x1b[?25h"


@contextlib.contextmanager
def second_interrupt_ends() -> Iterator[None]:
    """While it is open, the first Ctrl-C is left to its handler, and a second one ends the process with exit code 130.

    Handlers in Python wait until the main thread is back in Python, which in the middle of a step may take minutes; a
    thread of its own reads of the signals as they come. Outside the main thread, inside another command, or where an
    event loop reads the signals already, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        if before != -1:
            signal.set_wakeup_fd(before)
            yield
            return
        threading.Thread(target=_end_at_the_second, args=(reader.dup(),), daemon=True).start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)


def _end_at_the_second(signals: socket.socket) -> None:
    count = 0
    with signals:
        while numbers := signals.recv(16):
            count += numbers.count(signal.SIGINT)
            if count > 1:
                if sys.stdout.isatty():
                    os.write(1, _SHOW_CURSOR)
                os.write(2, b"\ntfflow: ended at once\n")
                os._exit(130)
