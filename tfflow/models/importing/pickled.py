"""Reads pickles as data, without executing them. Names in a pickle are looked up in a short list, never imported.

Numbers, text, lists, tuples, dictionaries and what the caller lists are known. pickletools splits a pickle into its
opcodes without running them.

In a pickle, values may contain themselves. Hashing, printing or comparing such a value may never end, so nothing here
does it: keys are text or numbers, and the number of opcodes is limited.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from tfflow.errors import InputError
from tfflow.limits import Limit


class _Mark:
    """Marks where the arguments of an opcode begin."""


class Ignored:
    """Replaces a known object that is not needed. Whatever a pickle does to it has no effect."""

    def __call__(self, *arguments: Any) -> Ignored:
        return self


MARK = _Mark()
BESIDE = Ignored()
KEYS = (str, bytes, int, float, bool, type(None))
LONGEST_KEY, LONGEST_INT, LONGEST_INT_KEY = 1000, 128, 60
"""Limits on the characters of a key, the bits of a whole number, and the bits of one that is a key. They limit the cost
of comparisons. Whole numbers of more than 60 bits may all have the same hash, so a dictionary compares them all."""
PUSHED_AS_READ = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_pickle(
    stream: BinaryIO, where: str, known: Mapping[str, Any], persistent: Callable[[Any], Any], values: Limit
) -> Any:
    """Reads the pickle at the stream's position, up to its end. Returns its value.

    known: "module.name" -> its replacement: a function of ours, which is called with the pickle's arguments, or a
    value. persistent: persistent id -> value. where: the file, for error messages. values: limits the opcodes; each
    makes at most one value.
    Raises InputError for unknown names, for opcodes that make other objects, for damaged pickles and for too many
    values.
    """
    machine = _Machine(where, known, persistent)
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name == "STOP":
                return machine.pop()
            values.add()
            machine.step(opcode.name, argument)
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, struct.error) as error:
        raise InputError(f"{where} holds a damaged pickle: {error}; copy the file again") from None
    raise InputError(f"{where} holds a pickle without an end; copy the file again")


class _Machine:
    def __init__(self, where: str, known: Mapping[str, Any], persistent: Callable[[Any], Any]):
        self.where, self.known, self.persistent = where, known, persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        if name in PUSHED_AS_READ:
            if isinstance(argument, int) and argument.bit_length() > LONGEST_INT:
                raise ValueError(f"a whole number of {argument.bit_length():,} bits")
            self.push(argument)
        elif name in CONSTANTS:
            self.push(CONSTANTS[name])
        elif name in TUPLES:
            self.push(tuple(reversed([self.pop() for _ in range(TUPLES[name])])))
        elif name in STEPS:
            STEPS[name](self, argument)
        else:
            raise InputError(f"{self.where} asks for more than tensors and plain containers: opcode {name}; refused")

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is MARK:
            raise ValueError("a value is missing")
        return value

    def top(self, kind: type) -> Any:
        value = self.stack[-1]
        if not isinstance(value, kind):
            raise ValueError(f"a {type(value).__name__} where a {kind.__name__} should be filled")
        return value

    def to_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self.stack.pop()) is not MARK:
            values.append(value)
        return values[::-1]

    def to_mark_as_dict(self) -> dict:
        flat = self.to_mark()
        return plain_dict(zip(flat[::2], flat[1::2], strict=True))

    def fill(self, kind: type, values: Any) -> None:
        """Adds values to the container on top of the stack: a list, a dictionary or an `Ignored`."""
        if self.stack[-1] is BESIDE:
            return
        into = self.top(kind)
        into.extend(values) if kind is list else into.update(values)

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.fill(dict, plain_dict([(key, value)]))

    def keep(self, place: int) -> None:
        if place.bit_length() > LONGEST_INT_KEY:
            raise ValueError(f"a place of {place.bit_length():,} bits")
        self.memo[place] = self.stack[-1]

    def name(self, module: str, name: str) -> None:
        full = f"{module}.{name}"
        if full not in self.known:
            raise InputError(
                f"{self.where} asks for {full[:80]!r}, which is no tensor and no plain container: refused; save the "
                "network's state_dict() alone"
            )
        self.push(self.known[full])

    def stack_name(self) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise ValueError("a name that is no text")
        self.name(module, name)

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not callable(function) or not isinstance(arguments, tuple):  # only known functions are callable
            raise ValueError("a call of what is no function")
        self.push(function(*arguments))

    def attributes(self) -> None:
        self.pop()  # attributes of an OrderedDict, such as versions of modules
        self.fill(dict, {})

    def new(self) -> None:
        self.pop()
        if self.pop() is not BESIDE:
            raise InputError(f"{self.where} asks for more than tensors and plain containers: opcode NEWOBJ; refused")
        self.push(BESIDE)


def plain_dict(items: Any) -> dict:
    """A dictionary of pairs. Raises ValueError for a key that is neither text nor a number, or too long."""
    made = {}
    for key, value in items:
        if not isinstance(key, KEYS):
            raise ValueError(f"a {type(key).__name__} as a key, expected text or a number")
        if isinstance(key, (str, bytes)) and len(key) > LONGEST_KEY:
            raise ValueError(f"a key of {len(key):,} characters")
        if isinstance(key, int) and key.bit_length() > LONGEST_INT_KEY:
            raise ValueError(f"a key of {key.bit_length():,} bits")
        made[key] = value
    return made


STEPS: dict[str, Callable[[_Machine, Any], Any]] = {
    "PROTO": lambda m, _: None,
    "FRAME": lambda m, _: None,
    "MARK": lambda m, _: m.push(MARK),
    "POP": lambda m, _: m.stack.pop(),
    "POP_MARK": lambda m, _: m.to_mark(),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "LIST": lambda m, _: m.push(m.to_mark()),
    "APPEND": lambda m, _: (lambda value: m.fill(list, [value]))(m.pop()),
    "APPENDS": lambda m, _: (lambda values: m.fill(list, values))(m.to_mark()),
    "TUPLE": lambda m, _: m.push(tuple(m.to_mark())),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "DICT": lambda m, _: m.push(m.to_mark_as_dict()),
    "SETITEM": lambda m, _: m.set_item(),
    "SETITEMS": lambda m, _: (lambda items: m.fill(dict, items))(m.to_mark_as_dict()),
    "PUT": lambda m, at: m.keep(at),
    "BINPUT": lambda m, at: m.keep(at),
    "LONG_BINPUT": lambda m, at: m.keep(at),
    "MEMOIZE": lambda m, _: m.keep(len(m.memo)),
    "GET": lambda m, at: m.push(m.memo[at]),
    "BINGET": lambda m, at: m.push(m.memo[at]),
    "LONG_BINGET": lambda m, at: m.push(m.memo[at]),
    "GLOBAL": lambda m, names: m.name(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.stack_name(),
    "REDUCE": lambda m, _: m.call(),
    "BUILD": lambda m, _: m.attributes(),
    "NEWOBJ": lambda m, _: m.new(),
    "BINPERSID": lambda m, _: m.push(m.persistent(m.pop())),
}
