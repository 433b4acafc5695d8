"""Pickles read as data: opcodes are taken one by one, and what they name is looked up in a short list, never imported.

Known are numbers, text, lists, tuples, dictionaries and what the caller lists. pickletools, which splits a pickle into
its opcodes, runs none of them.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from tfflow.errors import InputError


class _Mark:
    """Where the arguments of an opcode that takes many begin."""


MARK = _Mark()
PUSHED_AS_READ = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
}  # fmt: skip
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_pickle(stream: BinaryIO, where: str, known: Mapping[str, Any], persistent: Callable[[Any], Any]) -> Any:
    """The value of the pickle that begins at the stream's position; leaves the stream behind its end.

    known: "module.name" -> what stands for it: a function of ours, which is called with the pickle's arguments, or any
    other value. persistent: what a persistent id stands for. where: the file, for refusals.
    Raises InputError for a name that is not known and an opcode that makes objects of other kinds, saying which; and
    where the pickle is damaged.
    """
    machine = _Machine(where, known, persistent)
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name == "STOP":
                return machine.pop()
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
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.top(dict)[key] = value

    def name(self, module: Any, name: Any) -> None:
        full = f"{module}.{name}"
        if full not in self.known:
            raise InputError(f"{self.where} asks for {full[:80]!r}, which is no tensor and no plain container: refused")
        self.push(self.known[full])

    def stack_name(self) -> None:
        name, module = self.pop(), self.pop()
        self.name(module, name)

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        if not callable(function) or not isinstance(arguments, tuple):  # only what is known can be callable
            raise ValueError("a call of what is no function")
        self.push(function(*arguments))

    def attributes(self) -> None:
        self.pop()  # of an OrderedDict: versions of the modules
        self.top(dict)


STEPS: dict[str, Callable[[_Machine, Any], Any]] = {
    "PROTO": lambda m, _: None,
    "FRAME": lambda m, _: None,
    "MARK": lambda m, _: m.push(MARK),
    "POP": lambda m, _: m.stack.pop(),
    "POP_MARK": lambda m, _: m.to_mark(),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "LIST": lambda m, _: m.push(m.to_mark()),
    "APPEND": lambda m, _: (lambda value: m.top(list).append(value))(m.pop()),
    "APPENDS": lambda m, _: (lambda values: m.top(list).extend(values))(m.to_mark()),
    "TUPLE": lambda m, _: m.push(tuple(m.to_mark())),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "DICT": lambda m, _: m.push(m.to_mark_as_dict()),
    "SETITEM": lambda m, _: m.set_item(),
    "SETITEMS": lambda m, _: (lambda items: m.top(dict).update(items))(m.to_mark_as_dict()),
    "PUT": lambda m, at: m.memo.update({at: m.stack[-1]}),
    "BINPUT": lambda m, at: m.memo.update({at: m.stack[-1]}),
    "LONG_BINPUT": lambda m, at: m.memo.update({at: m.stack[-1]}),
    "MEMOIZE": lambda m, _: m.memo.update({len(m.memo): m.stack[-1]}),
    "GET": lambda m, at: m.push(m.memo[at]),
    "BINGET": lambda m, at: m.push(m.memo[at]),
    "LONG_BINGET": lambda m, at: m.push(m.memo[at]),
    "GLOBAL": lambda m, names: m.name(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.stack_name(),
    "REDUCE": lambda m, _: m.call(),
    "BUILD": lambda m, _: m.attributes(),
    "BINPERSID": lambda m, _: m.push(m.persistent(m.pop())),
}
