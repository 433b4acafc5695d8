"""Freed memory stays with the process: on a CPU, TensorFlow allocates and frees every tensor of every step anew."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX, ARENA_MAX = -1, -2, -4, -8
"""glibc's names for what `mallopt` sets. Source: malloc.h, mallopt(3)."""


def keep_freed_memory() -> bool:
    """Has glibc's malloc hand freed memory out again instead of giving it back to the kernel; False without glibc.

    Pages that come fresh from the kernel must be mapped and zeroed: with tensors of megabytes, at each step, that takes
    more time than the arithmetic. To be called before the first tensor. It is for commands: a library that is
    imported should not decide over its process.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    # One heap, grown by 64 MiB at a time, for blocks of every size, and never trimmed.
    settings = ((ARENA_MAX, 1), (MMAP_MAX, 0), (TOP_PAD, 64 << 20), (TRIM_THRESHOLD, -1))
    taken = [mallopt(option, value) for option, value in settings]
    return all(taken)
