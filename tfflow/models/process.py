"""TensorFlow does not survive a fork: its threads stay behind, and the first call in the child waits for ever."""

from __future__ import annotations

import os
import sys

from tfflow.errors import InputError

_forked_after_use = False


def check_process(opened_in: int | None = None) -> None:
    """Raises InputError in a process that was forked from one in which TensorFlow had run; every entrance calls it.

    opened_in: the process in which a runtime without TensorFlow was opened. A fork leaves its threads behind, too, and
    a lock that one of them held.
    """
    if _forked_after_use or opened_in not in (None, os.getpid()):
        raise InputError(
            "this process was forked from one that had run TensorFlow, and would hang: use spawn, "
            'multiprocessing.get_context("spawn"), or fork before the first network is made'
        )


def _in_child() -> None:
    global _forked_after_use
    context = sys.modules.get("tensorflow.python.eager.context")
    # its threads start with the first operation; where a version gives no sign of it, the import counts
    _forked_after_use |= context is not None and getattr(context.context(), "_initialized", True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
