"""The sizes of the passes that a network makes, see `cascade`."""

from __future__ import annotations

from collections.abc import Sequence

from tfflow.errors import InputError

ONCE = (1.0,)
"""One pass at the size of the frames."""
LEAST, MOST = 1 / 16, 8.0


def check_scales(scales: Sequence[float]) -> tuple[float, ...]:
    """The scales as numbers. InputError if there is none, or one is out of range."""
    try:
        found = tuple(float(s) for s in scales)
    except (TypeError, ValueError):
        found = ()
    if not found or not all(LEAST <= s <= MOST for s in found):
        raise InputError(f"scales must be one or more numbers from {LEAST:g} to {MOST:g}, such as 1,2, got {scales!r}")
    return found
