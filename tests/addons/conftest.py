"""Prints the largest differences to tensorflow-addons at the end of the run."""

from __future__ import annotations

import importlib.util

import pytest
import tensorflow as tf

# CorrelationCost's gradient to its second input is added up by several threads without a lock: two runs of it differ.
if importlib.util.find_spec("tensorflow_addons"):
    tf.config.threading.set_intra_op_parallelism_threads(1)

DIFFERENCES = pytest.StashKey[dict]()


def pytest_configure(config):
    config.stash[DIFFERENCES] = {}


@pytest.fixture
def record(pytestconfig):
    """record("warp", 3e-07): keeps the largest difference under a name."""
    kept = pytestconfig.stash[DIFFERENCES]

    def keep(name: str, difference: float) -> None:
        kept[name] = max(difference, kept.get(name, 0.0))

    return keep


def pytest_terminal_summary(terminalreporter, config):
    kept = config.stash.get(DIFFERENCES, {})
    if kept:
        terminalreporter.section("largest difference to tensorflow-addons")
        for name, difference in kept.items():
            terminalreporter.write_line(f"{name:40s} {difference:.1e}")
