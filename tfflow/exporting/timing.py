"""How long exported networks take here, beside OpenCV's DIS, and the lines that measure the same files on a phone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tfflow.errors import InputError
from tfflow.evaluation.baselines import dis
from tfflow.evaluation.speed import machine, matmul_rate
from tfflow.exporting.facts import facts
from tfflow.files import write_json
from tfflow.models.tflite import TFLiteModel

WARM_UP, RUNS = 5, 50

Times = Mapping[int, tuple[float, float]]
"""{threads: (median, 90th percentile)}, ms."""


@dataclass(frozen=True)
class Timed:
    """One file: operators, pieces of it that XNNPACK takes, and times of one pair of its size."""

    path: str
    size: tuple[int, int]
    operators: int
    xnnpack_pieces: int
    times: Times


@dataclass(frozen=True)
class Latencies:
    """Of one run: the files in the order given, and DIS medium at each of their sizes."""

    machine: str
    matmul_gflops: float
    runs: int
    files: tuple[Timed, ...]
    dis: Mapping[tuple[int, int], Times]

    def to_first(self, file: Timed, threads: int) -> float:
        """Time as a multiple of the first file's, with equal threads."""
        return file.times[threads][0] / self.files[0].times[threads][0]

    def to_dis(self, file: Timed, threads: int) -> float:
        """Time as a multiple of DIS medium's at the same size, with equal threads."""
        return file.times[threads][0] / self.dis[file.size][threads][0]

    def table(self) -> str:
        """Markdown: for each number of threads, ms (90th percentile), and the ratios to the first file and to DIS."""
        threads = list(self.files[0].times)
        heads = [f"{n} thread{'s' * (n > 1)}, ms | to first | to DIS" for n in threads]
        lines = [
            ["network", "operators", "XNNPACK pieces", *heads],
            ["---", "---:", "---:", *["---: | ---: | ---:"] * len(threads)],
        ]
        for file in self.files:
            cells = [
                f"{_ms(file.times[n])} | {self.to_first(file, n):.2f} | {self.to_dis(file, n):.2f}" for n in threads
            ]
            lines.append([file.path, str(file.operators), str(file.xnnpack_pieces), *cells])
        for size, times in self.dis.items():
            cells = [f"{_ms(times[n])} | {times[n][0] / self.files[0].times[n][0]:.2f} | 1.00" for n in threads]
            lines.append([f"OpenCV DIS medium, {size[0]}x{size[1]}", "-", "-", *cells])
        return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        threads = list(self.files[0].times)
        ratios = [
            {"to_first": [self.to_first(f, n) for n in threads], "to_dis": [self.to_dis(f, n) for n in threads]}
            for f in self.files
        ]
        files = [{**asdict(f), "times": list(f.times.values()), **r} for f, r in zip(self.files, ratios, strict=True)]
        baselines = {f"OpenCV DIS medium, {h}x{w}": list(times.values()) for (h, w), times in self.dis.items()}
        return {
            "machine": self.machine,
            "matmul_gflops": self.matmul_gflops,
            "threads": threads,
            "ms": {**{f.path: list(f.times.values()) for f in self.files}, **baselines},
            "files": files,
        }

    def save(self, path: str | os.PathLike) -> None:
        """Writes the numbers as JSON."""
        write_json(path, self.as_dict())


def benchmark(
    models: Sequence[str | os.PathLike], *, threads: Sequence[int] = (1, 2, 4), runs: int = RUNS
) -> Latencies:
    """Times .tflite files, or folders of exports, and DIS medium at their sizes, in one run.

        result = tfflow.exporting.benchmark(["out"], threads=[1, 2])
        print(result.table())

    Raises InputError where a path holds no exported network.
    """
    if not threads or min(threads) < 1:
        raise InputError(f"threads must be whole numbers above 0, got {list(threads)}")
    if runs < 1:
        raise InputError(f"`runs` must be at least 1, got {runs}")
    paths = [exported_file(Path(model)) for model in models]
    sizes = [TFLiteModel(path).size for path in paths]
    found = [facts(path.read_bytes()) for path in paths]
    others = list(dict.fromkeys(sizes))
    times = {}
    for n in threads:
        tasks = [_network_task(TFLiteModel(path, n)) for path in paths]
        times[n] = in_turn([*tasks, *(_dis_task(size, n) for size in others)], runs)
    by_task = [{n: times[n][i] for n in threads} for i in range(len(paths) + len(others))]
    files = tuple(
        Timed(str(path), size, len(f.operators), f.partitions, t)
        for path, size, f, t in zip(paths, sizes, found, by_task[: len(paths)], strict=True)
    )
    baseline = dict(zip(others, by_task[len(paths) :], strict=True))
    return Latencies(machine(), matmul_rate() / 1e9, runs, files, baseline)


def exported_file(path: Path) -> Path:
    """The .tflite that a path or a folder of an export names. Raises InputError where there is none."""
    file = path / "model.tflite" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"no exported network at {str(path)!r}: give a .tflite, or the `out` of export/to_tflite.py")
    return file


def in_turn(tasks: Sequence[Callable[[], object]], runs: int = RUNS) -> list[tuple[float, float]]:
    """(median, 90th percentile) of `runs` runs of each task, ms, after some that are not counted.

    Each round runs every task once. So where the machine is slow for a while, it is slow for all of them.
    """
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(WARM_UP + runs):
        for task, taken in zip(tasks, times, strict=True):
            started = time.perf_counter()
            task()
            taken.append(1000.0 * (time.perf_counter() - started))
    counted = [taken[WARM_UP:] for taken in times]
    return [(float(np.median(taken)), float(np.percentile(taken, 90))) for taken in counted]


def networks_in_turn(models: Sequence[TFLiteModel], runs: int = RUNS) -> list[tuple[float, float]]:
    """`in_turn` of one pair of noise through each exported network, images already in its size."""
    return in_turn([_network_task(model) for model in models], runs)


def _network_task(model: TFLiteModel) -> Callable[[], object]:
    first, second = np.random.default_rng(0).random((2, *model.size, 3), np.float32)
    return lambda: model.raw(first, second)


def _dis_task(size: tuple[int, int], threads: int) -> Callable[[], object]:
    """OpenCV's DIS, preset medium, on a smooth moving picture of `size`."""
    noise = np.random.default_rng(0).random((1, *size, 3)).astype(np.float32)
    first = np.stack([cv2.GaussianBlur(noise[0], (0, 0), 2.0)])
    second = np.roll(first, (1, 3), axis=(1, 2))
    predictor = dis("medium")

    def run() -> None:
        before = cv2.getNumThreads()
        cv2.setNumThreads(threads)
        try:
            predictor.batch(first, second)
        finally:
            cv2.setNumThreads(before)

    return run


def adb_lines(path: str | os.PathLike, threads: int = 4) -> list[str]:
    """What measures the file on a phone at the other end of a cable. Source: TensorFlow Lite's benchmark tool."""
    tool = "/data/local/tmp/benchmark_model"
    there = f"/data/local/tmp/{Path(path).name}"
    return [
        f"adb push {path} {there}",
        "adb push benchmark_model /data/local/tmp/   # android_aarch64_benchmark_model of TensorFlow Lite's releases",
        f"adb shell chmod +x {tool}",
        f"adb shell taskset f0 {tool} --graph={there} --num_threads={threads} --warmup_runs=10 --num_runs=50",
        f"adb shell {tool} --graph={there} --use_gpu=true --gpu_precision_loss_allowed=false --num_runs=50",
    ]


def _ms(times: tuple[float, float]) -> str:
    return f"{times[0]:.1f} ({times[1]:.1f})"
