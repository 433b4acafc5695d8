"""`tfflow.train`: a flow network, by default without labels and on the built-in moving scenes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from tfflow.api.plan import TrainSettings
from tfflow.api.run import Run, Stopped, TrainResult
from tfflow.data.sources import open_sources
from tfflow.errors import InputError
from tfflow.recipes import Recipe
from tfflow.terminal import wide_console

__all__ = ["Stopped", "TrainResult", "train"]


def train(
    data: Any = None,
    *,
    recipe: str | os.PathLike | Recipe | None = None,
    model: str | None = None,
    weights: str | os.PathLike | None = None,
    val: Any = None,
    val_limit: int = 32,
    textures: str | os.PathLike | None = None,
    out: str | os.PathLike | None = None,
    steps: int | None = None,
    batch: int | None = None,
    crop: tuple[int, int] | None = None,
    learning_rate: float | None = None,
    phase_learning_rate: float | None = None,
    seed: int = 0,
    devices: str = "auto",
    precision: str = "float32",
    xla: bool = False,
    on_error: str = "stop",
    save_every: float = 120.0,
    progress: bool = False,
) -> TrainResult:
    """Trains a flow network into a folder. The same call again continues where it stopped.

        result = tfflow.train("video:holiday.mp4", out="runs/holiday")
        print(result.table())
        flow = result.model.flow(image1, image2)

    data: frames to train on: "KIND:PATH", a path, an object of your own (`tfflow.data.own.as_source`), or a list of
        these. Default: built-in scenes. textures: a folder of photographs for these scenes.
    recipe: the method: a name, a `Recipe`, or a Python file that holds one, which is executed. Default:
        "ddflow_lk", of another `model` "ddflow_quick"; from trained weights "ddflow_tune", with frames that have no
        ground truth "textured_tune".
    model: the network, by name. Default: the recipe's.
    weights: trained weights to start from, or "random". Default: pretrained ones for frames without ground truth
        where no recipe is named, else random.
    val: what to measure on, as `data`. Default: scenes that were not trained on, or some pairs of `data`.
    val_limit: how many of its pairs.
    out: the folder. Default: runs/RECIPE-MODEL-DATA.
    steps: updates in all. batch: pairs an update. crop: (height, width) in px. Default: the recipe's, or what fits.
    learning_rate: the rate of the first phase at its begin; the others keep their ratio to it.
    phase_learning_rate: the rate of every phase at its begin.
    seed: of weights, data and augmentation. devices: "auto", or such as "GPU:0,GPU:1" or "CPU:2".
    precision: of the network's inner tensors. xla: compile the step.
    on_error: "stop" or "skip", at a damaged file. save_every: seconds between checkpoints.
    progress: print what goes on. Without it nothing is printed; warnings are logged (`tfflow.messages`).
    Raises InputError where an argument, the data or the folder does not fit, and `Stopped` (a KeyboardInterrupt)
    where a signal ended the training; its state is saved.
    """
    settings = TrainSettings(
        recipe=recipe,
        model=model,
        weights=None if weights is None else os.fspath(weights),
        val_limit=val_limit,
        textures=None if textures is None else os.fspath(textures),
        out=None if out is None else Path(out),
        steps=steps,
        batch=batch,
        crop=crop,
        learning_rate=learning_rate,
        phase_learning_rate=phase_learning_rate,
        seed=seed,
        devices=devices,
        precision=precision,
        xla=xla,
        on_error=on_error,
        save_every=save_every,
    )
    sources = open_sources(data, on_error)
    if textures and sources:
        raise InputError("`textures` belongs to the built-in scenes: leave `data` out, or say scenes:textures=DIR")
    with _one_reading_thread():
        return Run(settings, sources, open_sources(val, on_error), wide_console(quiet=not progress)).train()


@contextlib.contextmanager
def _one_reading_thread() -> Iterator[None]:
    """OpenCV in one thread: frames are read beside the training, which needs the other cores."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
