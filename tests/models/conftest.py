"""Networks take seconds to build: each is built once for all tests here."""

from __future__ import annotations

import pytest

from tfflow.models import FlowModel, untrained


@pytest.fixture(scope="session")
def built():
    """name -> FlowModel with random weights; not to be changed."""
    models: dict[str, FlowModel] = {}

    def get(name: str) -> FlowModel:
        if name not in models:
            models[name] = untrained(name)
        return models[name]

    return get
