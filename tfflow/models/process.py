"""A check of forked processes. A fork does not copy TensorFlow's threads, so the child's first call waits for ever."""

from __future__ import annotations

import os
import sys

from tfflow.errors import InputError

_forked_after_use = False


def check_process(opened_in: int | None = None) -> None:
    """Raises InputError in a process that was forked after TensorFlow had run. Every public function calls it.

    opened_in: id of the process that opened another runtime. A fork does not copy its threads either, and may copy a
    lock that one of them holds.
    """
    if _forked_after_use or opened_in not in (None, os.getpid()):
        raise InputError(
            "this process was forked from one that had run TensorFlow, and would hang: use spawn, "
            'multiprocessing.get_context("spawn"), or fork before the first network is made'
        )


def _in_child() -> None:
    global _forked_after_use
    context = sys.modules.get("tensorflow.python.eager.context")
    # threads start with the first operation; if a version does not report that, the import counts
    _forked_after_use |= context is not None and getattr(context.context(), "_initialized", True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
