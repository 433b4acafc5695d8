"""Finds the weights in what a training program saved, which may also hold options and the optimizer's state."""

from __future__ import annotations

from typing import Any, TypeVar

from tfflow.errors import InputError

Kind = TypeVar("Kind")
Value = TypeVar("Value")

WRAPPINGS = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
"""Keys under which programs keep the weights. They may be nested."""
PREFIXES = ("module.", "model.", "_orig_mod.", "net.", "network.")
"""Prefixes that DataParallel, torch.compile and programs add to all names. Several may be combined."""


MOST_WRAPPINGS = 4


def find_state(value: Any, kind: type[Kind], where: str) -> dict[str, Kind]:
    """The dictionary of weights in `value`, without entries that are not tensors.

    It is the value of the first key of WRAPPINGS that holds tensors, else `value`, else the only dictionary in it that
    holds tensors. kind: the type of tensors. where: the file, for error messages.
    Raises InputError if there is none, or more than one.
    """
    if not isinstance(value, dict) or not value:
        raise InputError(f"{where} holds no dictionary of weights, but a {type(value).__name__}")
    found = _Search(kind).inside(value, MOST_WRAPPINGS) or {}
    state = {name: tensor for name, tensor in found.items() if isinstance(name, str) and isinstance(tensor, kind)}
    if not state:
        raise InputError(f"{where} holds no dictionary of weights: {_kinds(value, kind)}")
    return state


class _Search:
    """Searches each dictionary once, even if it occurs several times."""

    def __init__(self, kind: type):
        self.kind = kind
        self.known: dict[int, bool] = {}
        self.seen: set[int] = set()

    def holds(self, value: dict) -> bool:
        if id(value) not in self.known:
            self.known[id(value)] = any(isinstance(x, self.kind) for x in value.values())
        return self.known[id(value)]

    def inside(self, value: dict, wrappings: int) -> dict | None:
        if id(value) in self.seen:
            return None
        self.seen.add(id(value))
        for key in WRAPPINGS if wrappings else ():
            inner = value.get(key)
            if isinstance(inner, dict) and (found := self.inside(inner, wrappings - 1)) is not None:
                return found
        if self.holds(value):
            return value
        holding = {id(x): x for x in value.values() if isinstance(x, dict) and self.holds(x)}
        return next(iter(holding.values())) if len(holding) == 1 else None


def _kinds(value: dict, kind: type) -> str:
    search = _Search(kind)
    holding = [key for key, x in value.items() if isinstance(x, dict) and search.holds(x)]
    if len(holding) > 1:
        return f"tensors stand under {', '.join(map(repr, holding[:4]))}; save one of them alone"
    return ", ".join(f"{key!r} is a {type(x).__name__}" for key, x in list(value.items())[:3])


def without_prefixes(named: dict[str, Value]) -> dict[str, Value]:
    """Removes those of PREFIXES that all names begin with."""
    while named and (prefix := next((p for p in PREFIXES if all(name.startswith(p) for name in named)), "")):
        named = {name.removeprefix(prefix): x for name, x in named.items()}
    return named
