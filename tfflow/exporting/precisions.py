"""The precisions that an export can have, and the libraries that each needs; imports nothing slow or optional."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence

from tfflow.errors import InputError, unknown_name

PRECISIONS = ("fp32", "fp16", "int8-weights", "int8-dynamic", "int8-ptq", "int8-qat", "int16x8")
ALL = "all"

SIMULATED = ("int8-ptq", "int8-qat")
"""Made by the precision map (`tfflow.exporting.quantize`): the converted graph simulates its eight bits."""
CALIBRATED = (*SIMULATED, "int16x8")
"""Measured ranges belong to these."""

EVERY_EXPORT = ("ai_edge_litert", "jsonschema")  # to run the file, and to check its manifest
QUANTIZER = "litert_quantizer"  # eight bits in a file that is converted already
SIMULATION = "tensorflow_model_optimization"  # eight bits in a Keras graph
LIBRARIES = {
    "int8-weights": (QUANTIZER,),
    "int8-ptq": (SIMULATION, QUANTIZER),
    "int8-qat": (SIMULATION, QUANTIZER),
    "int16x8": (QUANTIZER,),
}


def chosen(given: str | Sequence[str]) -> list[str]:
    """Precisions by name: one, several with commas or as a list, or "all". Raises InputError for an unknown one."""
    names = given.split(",") if isinstance(given, str) else given
    names = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if names == [ALL]:
        return list(PRECISIONS)
    for name in names:
        if name not in PRECISIONS:
            raise unknown_name("precision", name, [*PRECISIONS, ALL])
    if not names:
        raise InputError(f"`precision` is empty: choose from {', '.join(PRECISIONS)}")
    return names


def require_libraries(precisions: Iterable[str]) -> None:
    """Raises InputError, naming library and extra, where one is missing that these precisions need."""
    needed = [*EVERY_EXPORT, *(library for p in precisions for library in LIBRARIES.get(p, ()))]
    for library in dict.fromkeys(needed):
        try:
            importlib.import_module(library)
        except ModuleNotFoundError as error:
            raise InputError(f"this export needs {error.name}: pip install 'tfflow[export]'") from None
