"""The input pipeline from sources to tf.data: order, reading, augmentation and batches.

Sample number k of a run depends on the seed and k alone. A run that resumes at step s continues with number s * batch,
so the position in the data needs no other state.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tfflow.data.records import Sample, Source
from tfflow.errors import InputError

NEIGHBOURS = ("image0", "image3")
CHANNELS = {"image1": 3, "image2": 3, "flow12": 2, "flow21": 2, "valid1": 1, "valid2": 1, "visible1": 1, "visible2": 1}
CHANNELS |= dict.fromkeys(NEIGHBOURS, 3)

READERS, AHEAD = min(32, os.cpu_count() or 1), 2
"""Samples read at the same time, and batches read ahead."""


class Mixed:
    """Several sources as one. All samples are equally likely. Its ground truth is what all of them have."""

    def __init__(self, sources: Sequence[Source]):
        self.sources = list(sources)
        self.name = " + ".join(s.name for s in sources)
        self.truth = frozenset.intersection(*(s.truth for s in sources))
        self.sequences = all(getattr(s, "sequences", False) for s in sources)
        self._ends = list(itertools.accumulate(len(s) for s in sources))

    def __len__(self) -> int:
        return self._ends[-1]

    def record_name(self, index: int) -> str:
        return self._at(index, "record_name")

    def sample(self, index: int) -> Sample:
        return self._at(index, "sample")

    def with_neighbours(self) -> Mixed:
        return Mixed([source.with_neighbours() for source in self.sources])

    def _at(self, index: int, method: str):
        which = bisect.bisect_right(self._ends, index)
        return getattr(self.sources[which], method)(index - (self._ends[which - 1] if which else 0))


class EvenSubset:
    """`count` samples of a source, evenly spaced."""

    def __init__(self, source: Source, count: int):
        self.source, self.count = source, count
        self.name, self.truth = source.name, source.truth
        self.sequences = getattr(source, "sequences", False)

    def __len__(self) -> int:
        return self.count

    def with_neighbours(self) -> EvenSubset:
        return EvenSubset(self.source.with_neighbours(), self.count)

    def _index(self, index: int) -> int:
        return index * len(self.source) // self.count

    def record_name(self, index: int) -> str:
        return self.source.record_name(self._index(index))

    def sample(self, index: int) -> Sample:
        return self.source.sample(self._index(index))


class ClosableSource:
    """A source that can be closed. After `close` nothing reads it.

    TensorFlow holds Python's global lock while it deletes a pipeline. A reader that needs this lock would block it for
    ever, so the source must be closed before its pipeline is deleted.
    """

    def __init__(self, source: Source):
        self.source = source
        self.name, self.truth = source.name, source.truth
        self.sequences = getattr(source, "sequences", False)
        self._gate = threading.Condition()
        self._open, self._reading, self._calls = True, 0, 0

    def __len__(self) -> int:
        return len(self.source)

    def record_name(self, index: int) -> str:
        return self.source.record_name(index)

    def sample(self, index: int) -> Sample:
        with self._gate:
            self._calls += 1
            if not self._open:
                raise InputError(f"{self.name} is closed")
            self._reading += 1
        try:
            return self.source.sample(index)
        finally:
            with self._gate:
                self._reading -= 1
                self._gate.notify_all()

    def with_neighbours(self) -> ClosableSource:
        return ClosableSource(self.source.with_neighbours())

    def close(self, settled: float = 0.3) -> None:
        """Ends all reading, and waits until there was no attempt to read for `settled` seconds."""
        with self._gate:
            self._open = False
            self._gate.wait_for(lambda: not self._reading)
        calls = -1
        while calls != self._calls:
            calls = self._calls
            time.sleep(settled)


class Order:
    """Sample number k -> index in the source. Every epoch has each sample once, in a new order."""

    def __init__(self, length: int, seed: int):
        self.length, self.seed = length, seed
        self._epoch = functools.lru_cache(maxsize=2)(self._shuffled)

    def __call__(self, k: int) -> int:
        epoch, place = divmod(k, self.length)
        return int(self._epoch(epoch)[place])

    def _shuffled(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, epoch]).permutation(self.length)


def batches(
    source: Source,
    change: Callable[[dict[str, tf.Tensor], tf.Tensor], dict[str, tf.Tensor]],
    *,
    size: tuple[int, int],
    batch: int,
    seed: int,
    first_step: int = 0,
    keys: Sequence[str] = (),
    workers: int = 1,
    worker: int = 0,
    replicas_here: int = 1,
) -> tf.data.Dataset:
    """Batches for the replicas of one worker, from step `first_step` of a run on, without end.

    source: samples of any size. change: (sample of [h, w, c] tensors, seed int32 [2]) -> sample of `size`.
    batch: number of pairs of a step on all replicas of all workers. Element i of the dataset belongs to replica
        i % replicas_here and step first_step + i // replicas_here.
    keys: of a sample to keep besides image1 and image2.
    Elements: dict of [batch / replicas, h, w, c] float32, and "chance" [.., 2], random numbers in [0, 1) for the step.
    Raises InputError if the batch cannot be divided among the replicas. A damaged file ends the iteration with an error
    of TensorFlow; `refusal` returns its cause, an InputError.
    """
    check_batch(batch, workers * replicas_here)
    share = batch // workers
    order = Order(len(source), seed)
    kept = ["image1", "image2", *keys]

    def read(k: np.int64) -> list[np.ndarray]:
        sample = source.sample(order(int(k)))
        return [np.asarray(sample[key], np.float32) for key in kept]

    @tf.autograph.experimental.do_not_convert  # AutoGraph is not needed and takes seconds
    def load(k: tf.Tensor) -> dict[str, tf.Tensor]:
        arrays = tf.numpy_function(read, [k], [tf.float32] * len(kept), stateful=False)
        sample = {}
        for key, array in zip(kept, arrays, strict=True):
            array.set_shape([None, None, CHANNELS[key]])
            sample[key] = array
        number = tf.stack([tf.constant(seed, tf.int32), tf.cast(k % (2**31 - 1), tf.int32)])
        sample = {key: tf.ensure_shape(x, [*size, x.shape[-1]]) for key, x in change(sample, number).items()}
        sample["chance"] = tf.random.stateless_uniform([2], tf.random.experimental.stateless_fold_in(number, 7))
        return sample

    step = tf.data.Dataset.range(first_step, np.iinfo(np.int64).max // batch)

    @tf.autograph.experimental.do_not_convert
    def of_step(s: tf.Tensor) -> tf.data.Dataset:
        return tf.data.Dataset.range(s * batch + worker * share, s * batch + (worker + 1) * share)

    samples = step.flat_map(of_step).map(load, num_parallel_calls=READERS, deterministic=True)
    dataset = samples.batch(share // replicas_here, drop_remainder=True).prefetch(AHEAD)
    options = tf.data.Options()
    options.autotune.enabled = False  # deleting a pipeline waits for its tuner, up to a minute
    return dataset.with_options(options)


def check_batch(batch: int, replicas: int) -> None:
    """Raises InputError if a batch cannot be divided among the replicas of all machines."""
    if batch % replicas:
        near = max(replicas, round(batch / replicas) * replicas)
        raise InputError(f"a batch of {batch} does not divide among {replicas} replicas; choose a multiple, {near}")


def refusal(error: tf.errors.OpError) -> InputError | None:
    """The InputError that a source raised inside the pipeline, else None."""
    found = re.search(r"InputError: (.+)", error.message or "")
    return InputError(found[1]) if found else None
