"""Networks for phones: conversion to TensorFlow Lite, eight bits, checks against the float network, the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfflow.exporting.check import validate
    from tfflow.exporting.run import Export, ExportResult, ExportSettings, export
    from tfflow.exporting.timing import benchmark

__all__ = ["Export", "ExportResult", "ExportSettings", "benchmark", "export", "validate"]

_PLACES = {
    "Export": "run",
    "ExportResult": "run",
    "ExportSettings": "run",
    "benchmark": "timing",
    "export": "run",
    "validate": "check",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when they are asked for: to read a manifest needs no TensorFlow."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
