""".tflite files written by hand: inputs, outputs and a signature, without operators."""

from __future__ import annotations

import pytest

WHY = "ai-edge-litert is not here: pip install -e '.[export]' to test exported files"
schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason=WHY)
flatbuffers = pytest.importorskip("flatbuffers", reason=WHY)

TYPES = {"float32": schema.TensorType.FLOAT32, "uint8": schema.TensorType.UINT8, "int8": schema.TensorType.INT8}


def tflite(inputs: dict[str, tuple], outputs: dict[str, tuple], signature: str = "serving_default") -> bytes:
    """inputs, outputs: (shape, type) by name, in the order that they have in the file."""
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [], []
    model = schema.ModelT()
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], []
    model.buffers = [schema.BufferT()]
    found = schema.SignatureDefT()
    found.signatureKey, found.subgraphIndex = signature, 0
    model.signatureDefs = [found]
    for kind, ends in (("inputs", inputs), ("outputs", outputs)):
        numbers, named = [], []
        for name, (shape, type_) in ends.items():
            tensor, entry = schema.TensorT(), schema.TensorMapT()
            tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), TYPES[type_], 0
            entry.name, entry.tensorIndex = name, len(graph.tensors)
            numbers.append(entry.tensorIndex)
            named.append(entry)
            graph.tensors.append(tensor)
        setattr(graph, kind, numbers)
        setattr(found, kind, sorted(named, key=lambda e: e.name))
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def of_manifest(value: dict) -> bytes:
    """The file that a manifest describes, as far as its inputs and outputs go."""
    inputs, outputs = (
        {end["name"]: (end["shape"], end["type"]) for end in sorted(value[kind], key=lambda end: end["index"])}
        for kind in ("inputs", "outputs")
    )
    return tflite(inputs, outputs, value["signature"])
