"""The examples in the docstrings of the packages under `import tfflow`: they run, and give what they say."""

from __future__ import annotations

import importlib

import pytest

from tests.examples import example, run
from tfflow import ops

PACKAGES = ("layers", "losses", "models", "augmentation", "data.scenes")
"""Their classes share one example, that of the package; functions of `ops` have one each."""


@pytest.mark.parametrize("name", ops.__all__)
def test_each_operation_has_an_example_that_gives_the_shapes_it_says(name):
    import tensorflow as tf

    assert run(example(getattr(ops, name)), {"tf": tf, "ops": ops}) > 0


@pytest.mark.parametrize("name", PACKAGES)
def test_the_example_of_a_package_runs(name):
    package = importlib.import_module(f"tfflow.{name}")
    assert run(example(package), {}) > 0


def test_a_wrong_comment_is_an_error():
    with pytest.raises(AssertionError):
        run("import numpy as np\nx = np.zeros([2, 3])  # [3, 2]", {})
