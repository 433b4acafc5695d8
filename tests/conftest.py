"""What all tests share: the real frames where they are, and a cache of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tensorflow as tf

from tfflow.data.sources import KINDS
from tfflow.memory import keep_freed_memory
from tfflow.messages import printed
from tfflow.models import VARIANTS
from tfflow.recipes import RECIPES

keep_freed_memory()  # as the commands do; half the time of many tests


LONGEST = ("tests/training", "tests/exporting", "tests/recipes", "tests/test_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that no process is left alone with one of them at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))  # stable: else as collected


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real frames and ground truth: TFFLOW_TEST_DATA, else ../shared/data beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TFFLOW_TEST_DATA", beside))
    if not (folder / "middlebury").is_dir():
        pytest.skip(
            f"no real frames in {folder}: set TFFLOW_TEST_DATA to a folder with middlebury/, sintel/, ... in it"
        )
    return folder


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory):
    """Tests neither use nor fill the cache of the person who runs them."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("TFFLOW_CACHE")
    os.environ["TFFLOW_CACHE"] = str(folder)
    yield folder
    os.environ.pop("TFFLOW_CACHE")
    if before is not None:
        os.environ["TFFLOW_CACHE"] = before


@pytest.fixture(autouse=True)
def tables():
    """What a test registers is gone at its end, so that no test depends on those before it."""
    with VARIANTS.temporarily(), KINDS.temporarily(), RECIPES.temporarily():
        yield


@pytest.fixture
def as_command():
    """Warnings and news of the library go to stderr, as a command prints them."""
    with printed(str):
        yield


@pytest.fixture(scope="module")
def eagerly():
    """Without graphs, for tests whose few steps are not worth compiling them."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
