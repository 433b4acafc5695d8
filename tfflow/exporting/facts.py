"""What is inside a .tflite: operators and their types, arithmetic, memory; and what must not be."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tfflow.exporting.gpu import gpu_fault
from tfflow.exporting.graph import INPUTS, OUTPUTS, SIGNATURE

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
FORBIDDEN = ("GATHER_ND", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")
"""Operators that phones' delegates refuse, or run slowly. Custom and TensorFlow's own ("Flex") are refused, too."""
FLOW_OPERATORS = (*CONVOLUTIONS, "ADD", "RESIZE_BILINEAR")
"""Operators that can make flow."""


@dataclass(frozen=True)
class Operator:
    """One operator: its name, its tensors as (shape, NumPy dtype name), and the operators that read its output.

    constants: those of its inputs that are the same in each run.
    """

    name: str
    inputs: tuple[tuple[tuple[int, ...], str], ...]
    outputs: tuple[tuple[tuple[int, ...], str], ...]
    readers: frozenset[str] = frozenset()
    constants: tuple[tuple[tuple[int, ...], str], ...] = ()

    @property
    def kind(self) -> str:
        """Name and type of what comes out: "CONV_2D int8"."""
        return f"{self.name} {self.outputs[0][1]}" if self.outputs else self.name

    @property
    def factors(self) -> tuple:
        """What a convolution multiplies, image and kernel; nothing of another operator."""
        if self.name not in CONVOLUTIONS:
            return ()
        return (self.inputs[2], self.inputs[1]) if self.name == "TRANSPOSE_CONV" else self.inputs[:2]

    @property
    def multiply_adds(self) -> int:
        """Of a convolution; 0 of everything else."""
        if not self.factors:
            return 0
        (image, _), (kernel, _) = self.factors
        pixels = math.prod((image if self.name == "TRANSPOSE_CONV" else self.outputs[0][0])[:3])
        return pixels * math.prod(kernel)  # [o, h, w, i]; of a depthwise one [1, h, w, o]

    @property
    def makes_flow(self) -> bool:
        """Whether two channels come out that are more than features: those are only joined to others."""
        two = self.name in FLOW_OPERATORS and self.outputs[0][0][-1:] == (2,)
        return two and self.readers != {"CONCATENATION"}

    @property
    def eight_bits(self) -> bool:
        """Whether both factors of a convolution are int8."""
        return bool(self.factors) and all(kind == "int8" for _, kind in self.factors)


@dataclass(frozen=True)
class Facts:
    """operators: in the order they run. partitions: pieces that XNNPACK runs. size: bytes of the file.
    live_bytes: the most memory that intermediate tensors need at once, a lower bound of the arena.
    inputs, outputs: shape by name, from SIGNATURE; -1 where the file leaves a side open; empty without the signature.
    """

    operators: tuple[Operator, ...] = field(repr=False)
    partitions: int
    size: int
    live_bytes: int
    inputs: dict[str, tuple[int, ...]]
    outputs: dict[str, tuple[int, ...]]

    @property
    def by_kind(self) -> Counter[str]:
        return Counter(operator.kind for operator in self.operators)

    @property
    def multiply_adds(self) -> int:
        return sum(operator.multiply_adds for operator in self.operators)

    @property
    def int8_share(self) -> float:
        """Of the multiply-adds of convolutions, those in eight bits: 0 to 1."""
        return sum(o.multiply_adds for o in self.operators if o.eight_bits) / max(1, self.multiply_adds)


def facts(contents: bytes) -> Facts:
    """Reads a .tflite. Raises ValueError where it is none."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = Interpreter(
        model_content=contents, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    tensors = {t["index"]: t for t in plain.get_tensor_details()}

    def described(indices) -> tuple:
        known = [tensors[i] for i in indices if i in tensors]
        return tuple((tuple(int(n) for n in t["shape"]), np.dtype(t["dtype"]).name) for t in known)

    details = plain._get_ops_details()
    readers: dict[int, set[str]] = {}
    for o in details:
        for i in o["inputs"]:
            readers.setdefault(int(i), set()).add(o["op_name"])
    changing = {int(t["index"]) for t in plain.get_input_details()}
    for o in details:  # in the order they run; of constants in fewer bits the converter keeps the step to floats
        if any(int(i) in changing for i in o["inputs"]):
            changing.update(map(int, o["outputs"]))
    operators = tuple(
        Operator(
            o["op_name"],
            described(o["inputs"]),
            described(o["outputs"]),
            frozenset().union(*(readers.get(int(i), ()) for i in o["outputs"])),
            described(i for i in o["inputs"] if int(i) not in changing),
        )
        for o in details
    )
    usual = Interpreter(model_content=contents)
    with contextlib.suppress(RuntimeError):  # an operator that this runtime has not: `violations` names it
        usual.allocate_tensors()
    partitions = sum(o["op_name"] == "DELEGATE" for o in usual._get_ops_details())
    return Facts(operators, partitions, len(contents), _live_bytes(details, tensors, plain), *_signature(plain))


def _signature(interpreter: Interpreter) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    if SIGNATURE not in interpreter.get_signature_list():
        return {}, {}
    run = interpreter.get_signature_runner(SIGNATURE)
    ends = run.get_input_details(), run.get_output_details()
    inputs, outputs = ({name: tuple(map(int, d["shape_signature"])) for name, d in end.items()} for end in ends)
    return inputs, outputs


def _live_bytes(details: list[dict], tensors: dict, interpreter: Interpreter) -> int:
    made = {int(i): k for k, o in enumerate(details) for i in o["outputs"]}
    last = {int(i): k for k, o in enumerate(details) for i in o["inputs"]}
    for kept in interpreter.get_output_details():
        last[kept["index"]] = len(details)
    size = {i: math.prod(int(n) for n in t["shape"]) * np.dtype(t["dtype"]).itemsize for i, t in tensors.items()}
    changes = np.zeros(len(details) + 2, np.int64)
    for i, k in made.items():
        changes[k] += size.get(i, 0)
        changes[last.get(i, k) + 1] -= size.get(i, 0)
    inputs = sum(size[t["index"]] for t in interpreter.get_input_details())
    return int(changes.cumsum().max()) + inputs


def violations(found: Facts, eight_bits: bool) -> list[str]:
    """What an exported network must not contain, a line each; empty where all is well.

    eight_bits: features may be int8, but the operators of flow must be float.
    """
    lines = []
    for kind, count in found.by_kind.items():
        name = kind.split(" ")[0]
        if name in FORBIDDEN:
            lines.append(f"{count} x {name}, which phones refuse or run slowly")
        if name.startswith(("Flex", "CUSTOM")) or not name.isupper():
            lines.append(f"{count} x {name}, which is not a built-in operator")
    for o in found.operators:
        if fault := gpu_fault(o):
            lines.append(fault)
        if o.name == "GATHER" and o.inputs[1][1] != "int32":
            lines.append(f"GATHER by {o.inputs[1][1]} indices, not int32")
        if eight_bits and o.makes_flow and o.outputs[0][1] != "float32":
            lines.append(f"{o.name} of flow {o.outputs[0][0]} in {o.outputs[0][1]}, not float32")
    if set(found.inputs) != set(INPUTS) or set(found.outputs) not in ({OUTPUTS[0]}, set(OUTPUTS)):
        lines.append(
            f"signature {SIGNATURE} takes {sorted(found.inputs)} and gives {sorted(found.outputs)}, not "
            f"{list(INPUTS)} and {OUTPUTS[0]}: apps ask by name, since the order in a file is another"
        )
    for name, shape in (found.inputs | found.outputs).items():
        if shape[:1] != (1,) or min(shape) < 1:
            lines.append(f"{name} of shape {shape}, not fixed with the batch 1: runtimes in a browser refuse it")
    static = [o for o in found.operators if any(n < 1 for shape, _ in o.outputs for n in shape)]
    if static:
        lines.append(f"{len(static)} operators of unknown size, first {static[0].name}")
    return lines
