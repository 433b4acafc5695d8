"""A table of things by name, to which a user's own program adds: networks, recipes, kinds of data."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

from tfflow.errors import InputError, unknown_name

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """A read-only mapping to its users; `register` adds an entry, and never replaces one.

    kind: what the entries are, for messages: "unknown model 'x': ...".
    """

    def __init__(self, kind: str, entries: Mapping[str, T] | None = None):
        self.kind = kind
        self._entries: dict[str, T] = dict(entries or {})

    def __getitem__(self, name: str) -> T:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, name: str) -> T:
        """The entry called `name`. An unknown name is refused with the nearest ones."""
        if name not in self._entries:
            raise unknown_name(self.kind, name, self._entries)
        return self._entries[name]

    def register(self, name: str, entry: T) -> None:
        """Adds an entry. Raises InputError for a name that cannot be typed, or that another entry has."""
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][\w-]*", name):
            raise InputError(f"the name of a {self.kind} must be letters, digits, - and _, got {name!r}")
        if self._entries.get(name, entry) != entry:
            raise InputError(f"a {self.kind} called {name!r} is known already: choose another name")
        self._entries[name] = entry

    @contextlib.contextmanager
    def temporarily(self, **entries: T) -> Iterator[None]:
        """Adds entries, and takes them out again at the end: for tests."""
        before = dict(self._entries)
        try:
            for name, entry in entries.items():
                self.register(name, entry)
            yield
        finally:
            self._entries = before
