"""The inputs and outputs that a .tflite declares: read from its bytes. Nothing is run."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema

TYPES = {schema.TensorType.FLOAT32: "float32", schema.TensorType.UINT8: "uint8"}


@dataclass(frozen=True)
class End:
    """An input or output of a file. index: its place among the inputs or the outputs."""

    index: int
    shape: tuple[int, ...]
    type: str


def ends(contents: bytes, signature: str) -> tuple[dict[str, End], dict[str, End]]:
    """Inputs and outputs by their names in the signature. Raises ValueError where the file is damaged or has none."""
    try:
        graph, named = _opened(contents, signature)
        orders = graph.InputsAsNumpy().tolist(), graph.OutputsAsNumpy().tolist()
        return tuple(  # type: ignore[return-value]
            {name: _end(graph, tensor, order) for name, tensor in found}
            for found, order in zip(named, orders, strict=True)
        )
    except (struct.error, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"no whole .tflite: {error}") from None


def _opened(contents: bytes, signature: str):
    """The graph of a signature, and its inputs and outputs as pairs of name and number of the tensor."""
    if contents[4:8] != b"TFL3":
        raise ValueError("no .tflite")
    model = schema.Model.GetRootAs(contents, 0)
    for i in range(model.SignatureDefsLength()):
        found = model.SignatureDefs(i)
        if found.SignatureKey() == signature.encode():
            inputs = _named(found.Inputs, found.InputsLength())
            outputs = _named(found.Outputs, found.OutputsLength())
            return model.Subgraphs(found.SubgraphIndex()), (list(inputs), list(outputs))
    raise ValueError(f"it has no signature {signature!r}")


def _named(get, count: int) -> Iterator[tuple[str, int]]:
    for i in range(count):
        yield get(i).Name().decode("utf-8", "replace"), get(i).TensorIndex()


def _end(graph, tensor: int, order: list[int]) -> End:
    if tensor not in order:
        raise ValueError("its signature names a tensor that is no input or output")
    found = graph.Tensors(tensor)
    return End(order.index(tensor), tuple(found.ShapeAsNumpy().tolist()), TYPES.get(found.Type(), "another type"))
