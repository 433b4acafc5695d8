"""How long an exported network takes here, and the lines that measure the same file on a phone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from tfflow.evaluation.baselines import dis
from tfflow.models.tflite import TFLiteModel

WARM_UP, RUNS = 5, 50


def milliseconds(run: Callable[[], object], runs: int = RUNS) -> tuple[float, float]:
    """(median, 90th percentile) of `runs` runs, after some that are not counted."""
    for _ in range(WARM_UP):
        run()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        run()
        times.append(1000.0 * (time.perf_counter() - started))
    return float(np.median(times)), float(np.percentile(times, 90))


def model_milliseconds(path: Path, threads: int, runs: int = RUNS) -> tuple[float, float]:
    """Of one pair of noise through a .tflite, images already in its size and type."""
    model = TFLiteModel(path, threads)
    first, second = np.random.default_rng(0).random((2, *model.size, 3), np.float32)
    return milliseconds(lambda: model.raw(first, second), runs)


def dis_milliseconds(size: tuple[int, int], threads: int, runs: int = RUNS) -> tuple[float, float]:
    """Of OpenCV's DIS, preset medium, on a smooth moving picture of `size`."""
    noise = np.random.default_rng(0).random((1, *size, 3)).astype(np.float32)
    first = np.stack([cv2.GaussianBlur(noise[0], (0, 0), 2.0)])
    second = np.roll(first, (1, 3), axis=(1, 2))
    predictor, before = dis("medium"), cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        return milliseconds(lambda: predictor.batch(first, second), runs)
    finally:
        cv2.setNumThreads(before)


def adb_lines(path: Path, threads: int = 4) -> list[str]:
    """What measures the file on a phone at the other end of a cable. Source: TensorFlow Lite's benchmark tool."""
    tool = "/data/local/tmp/benchmark_model"
    there = f"/data/local/tmp/{path.name}"
    return [
        f"adb push {path} {there}",
        "adb push benchmark_model /data/local/tmp/   # android_aarch64_benchmark_model of TensorFlow Lite's releases",
        f"adb shell chmod +x {tool}",
        f"adb shell taskset f0 {tool} --graph={there} --num_threads={threads} --warmup_runs=10 --num_runs=50",
        f"adb shell {tool} --graph={there} --use_gpu=true --gpu_precision_loss_allowed=false --num_runs=50",
    ]
