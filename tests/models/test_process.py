"""A process that was forked from one that ran TensorFlow is refused, and does not hang."""

from __future__ import annotations

import multiprocessing
import os

import numpy as np
import pytest

from tests.training import tiny  # noqa: F401 (registers the networks)
from tfflow.models import FlowModel

IMAGES = np.zeros([1, 8, 8, 3], np.float32)
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def answer(queue, call):
    try:
        call()
        queue.put("done")
    except Exception as error:
        queue.put(f"{type(error).__name__}: {error}")


@pytest.mark.parametrize("door", ["flow", "batch", "both", "new"])
def test_every_door_refuses_after_a_fork_and_names_spawn(door):
    model = FlowModel("tiny")
    model.batch(IMAGES, IMAGES)
    call = {
        "flow": lambda: model.flow(IMAGES[0], IMAGES[0]),
        "batch": lambda: model.batch(IMAGES, IMAGES),
        "both": lambda: model.both(IMAGES, IMAGES),
        "new": lambda: FlowModel("tiny"),
    }[door]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=answer, args=(queue, call))
    child.start()
    try:
        text = queue.get(timeout=30)
    finally:
        child.kill()
        child.join()
    assert text.startswith("InputError: this process was forked from one that had run TensorFlow, and would hang: use")
    assert 'use spawn, multiprocessing.get_context("spawn")' in text
    assert np.isfinite(model.batch(IMAGES, IMAGES)).all()  # the parent goes on
