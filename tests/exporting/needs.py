"""Skips the test module that imports this, saying so, where the libraries of the export are missing."""

import pytest

for _library in ("tensorflow_model_optimization", "ai_edge_litert", "litert_quantizer", "jsonschema"):
    pytest.importorskip(_library, reason=f"{_library} is not here: pip install -e '.[export]' to test the export")
