"""Wall-clock times of prediction, training and data loading on this machine."""

from __future__ import annotations

import itertools
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfflow import augmentation
from tfflow.data.pipeline import batches
from tfflow.data.records import Source
from tfflow.errors import InputError
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.prediction import open_inputs, predict_all
from tfflow.losses import Census, ForwardBackward
from tfflow.models import FlowModel, both_directions, one_direction, variant
from tfflow.models.flops import flops
from tfflow.recipes import Phase, Recipe
from tfflow.recipes.schedules import Halving
from tfflow.training.trainer import Trainer

FORWARD_SIZES = ((256, 448), (448, 1024))
STEP_BATCH, STEP_SIZE = 4, (192, 256)


def machine() -> str:
    """One line: processor, cores that this process may use, load, GPUs, TensorFlow."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = names[0] if names else name
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    devices = tf.config.list_physical_devices("GPU")
    gpus = [tf.config.experimental.get_device_details(d).get("device_name", "GPU") for d in devices]
    load = f"load of the last minute {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return ", ".join([f"{name}, {cores} cores, {load}", *gpus, f"TensorFlow {tf.__version__}"])


def median_seconds(run: Callable[[], object], at_least: float = 2.0, runs: int = 5) -> float:
    """Median wall-clock time of `run`, s. A first run, which may trace and compile, does not count.

    It repeats at least `runs` times and for `at_least` seconds. `run` must wait for its result.
    """
    run()
    times: list[float] = []
    while len(times) < runs or (sum(times) < at_least and len(times) < 1000):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def matmul_rate(n: int = 4096, runs: int = 5) -> float:
    """FLOP/s of the float32 product of two n x n matrices: 2 n**3 over the median time."""
    a, b = tf.random.stateless_normal([2, n, n], [1, 2])
    product = tf.function(tf.linalg.matmul, autograph=False)
    return 2 * n**3 / median_seconds(lambda: float(product(a, b)[0, 0]), 0.0, runs)


def forward_flops(name: str, size: tuple[int, int]) -> int:
    """FLOPs of one pair of `size` (height, width), enlarged to the network's stride."""
    network = variant(name).build("float32")
    return flops(one_direction(network, _enlarged(size, network.stride), 1))


def step_flops(name: str) -> int:
    """FLOPs of a training step without the losses: a forward pass, and twice as many for the backward pass."""
    return 3 * flops(both_directions(variant(name).build("float32"), STEP_SIZE, STEP_BATCH))


def forward_seconds(model: FlowModel, size: tuple[int, int], at_least: float = 2.0, runs: int = 5) -> float:
    """Time of `model.batch` for one pair of noise of `size` (height, width), s."""
    images = np.random.default_rng(0).uniform(size=[2, 1, *size, 3]).astype(np.float32)
    return median_seconds(lambda: model.batch(images[0], images[1]), at_least, runs)


def step_seconds(
    name: str, *, xla: bool = False, precision: str = "float32", at_least: float = 2.0, runs: int = 5
) -> float:
    """Time of a training step with 4 pairs of 192x256 px, s: both directions, census loss on visible pixels, Adam.

    xla: compiles the whole step; the loss is always compiled. precision: see `Trainer`.
    """
    phase = Phase("census", 1, 0.5 * Census(), Halving(1e-5, every=10**9), ForwardBackward())
    recipe = Recipe("benchmark", "", "", name, (phase,), STEP_BATCH, STEP_SIZE)
    gpus = tf.config.list_physical_devices("GPU")
    device = tf.distribute.OneDeviceStrategy("GPU:0" if gpus else "CPU:0")
    trainer = Trainer(name, recipe, device, precision=precision, xla=xla)
    trainer.begin(phase)
    names = trainer.graph(2).input_names
    images = tf.random.stateless_uniform([len(names), STEP_BATCH, *STEP_SIZE, 3], [3, 4])
    batch = {**dict(zip(names, images, strict=True)), "chance": tf.zeros([STEP_BATCH, 2])}

    def step() -> None:
        _, change, _ = trainer.compute(batch)
        trainer.apply(change, 1e-5)

    return median_seconds(step, at_least, runs)


def pairs_per_second(predictor: Predictor, video: str, most: int) -> tuple[float, int]:
    """Pairs a second of a video, read and predicted as `tfflow predict` does, after the first; how many were timed."""
    results = predict_all(predictor, open_inputs([video]), 1, both=False)
    next(results)  # traces
    start, count = time.perf_counter(), 0
    for _ in itertools.islice(results, most):
        count += 1
    if not count:
        raise InputError(f"{video} has one pair of frames: its speed needs two or more")
    return count / (time.perf_counter() - start), count


def process_seconds(arguments: Sequence[str]) -> float:
    """Of `tfflow` with these arguments in a new process, from its start to its end. InputError where it fails."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "tfflow", *arguments], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise InputError(f"`tfflow {arguments[0]}` fails in a new process: {done.stderr.strip()[-200:]}")
    return seconds


def samples_per_second(source: Source, at_least: float = 4.0) -> float:
    """Samples of `source` a second from the training pipeline, cropped to 192x256, without training."""
    data = batches(
        source,
        lambda sample, seed: augmentation.apply([augmentation.Crop(STEP_SIZE)], sample, seed),
        size=STEP_SIZE,
        batch=STEP_BATCH,
        seed=0,
        keys=sorted(source.truth & {"flow12", "valid1"}),
    )
    stream = iter(data)
    for _ in range(4):  # fills the pipeline's buffers
        next(stream)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < at_least:
        next(stream)
        count += STEP_BATCH
    return count / (time.perf_counter() - start)


def _enlarged(size: tuple[int, int], stride: int) -> tuple[int, int]:
    height, width = (-(-n // stride) * stride for n in size)
    return height, width
