"""Measuring speed: medians of warm runs, FLOPs per second, and what is counted as one step."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tfflow.data.scenes import Scenes
from tfflow.evaluation import speed


def test_the_median_leaves_the_first_run_and_single_hitches_out():
    pauses = iter([0.2, 0.01, 0.15, 0.01, 0.01, 0.01, 0.01])
    assert 0.009 < speed.median_seconds(lambda: time.sleep(next(pauses)), 0.0, 5) < 0.08


def test_short_runs_are_repeated_until_there_is_enough_to_see():
    runs = []
    speed.median_seconds(lambda: (runs.append(1), time.sleep(0.01)), at_least=0.15, runs=2)
    assert 4 <= len(runs) <= 16


def test_rate_of_a_matrix_product_counts_a_multiply_and_an_add(monkeypatch):
    monkeypatch.setattr(speed, "median_seconds", lambda run, *_: (run(), 0.5)[1])
    assert speed.matmul_rate(64) == 2 * 64**3 / 0.5


def test_flops_of_a_pair_are_those_of_the_enlarged_size():
    small, large = (speed.forward_flops("spynet_mobile", size) for size in [(60, 100), (128, 128)])
    assert large == 2 * small > 0  # 64x128


def test_data_comes_at_the_rate_of_its_source():
    class Slow(Scenes):
        def sample(self, index):
            time.sleep(0.05)
            return {"image1": image, "image2": image, "flow12": image[..., :2], "valid1": image[..., :1]}

    image = np.zeros([200, 300, 3], np.float32)
    rate = speed.samples_per_second(Slow(), at_least=0.5)
    assert 1 < rate < 20 * 16 * 4  # one thread gives 20 a second at most; there may be many


def test_one_line_says_what_the_machine_is():
    line = speed.machine()
    assert "\n" not in line and "cores" in line and "TensorFlow 2." in line


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (65, 127)])
def test_sizes_are_enlarged_up_to_the_stride(size):
    height, width = speed._enlarged(size, 64)
    assert height % 64 == width % 64 == 0 and 0 <= height - size[0] < 64 and 0 <= width - size[1] < 64
