"""Which sample is number k of a run, who gets it, and what a damaged one does."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tensorflow as tf

from tfflow.data.pipeline import ClosableSource, EvenSubset, Mixed, Order, batches, check_batch, refusal
from tfflow.errors import InputError

SIZE = (4, 6)


class Numbered:
    """Sample i is grey i in its first frame, 100 + i in its second, flow (i, -i)."""

    def __init__(self, length, name="numbered", truth=("flow12", "valid1"), damaged=()):
        self.length, self.name, self.truth, self.damaged = length, name, frozenset(truth), damaged

    def __len__(self):
        return self.length

    def record_name(self, index):
        return f"{self.name}_{index}"

    def sample(self, index):
        if index in self.damaged:
            raise InputError(f"'{self.record_name(index)}.png' is cut short; replace it")
        flow = np.stack([np.full(SIZE, index), np.full(SIZE, -index)], -1)
        return {
            "image1": np.full((*SIZE, 3), float(index)),
            "image2": np.full((*SIZE, 3), 100.0 + index),
            "flow12": flow,
            "valid1": np.ones((*SIZE, 1)),
        }


def read(count, source=None, change=lambda sample, number: sample, **options):
    """The first `count` elements, as NumPy."""
    options = {"size": SIZE, "batch": 4, "seed": 7, **options}
    return list(batches(source or Numbered(10), change, **options).take(count).as_numpy_iterator())


def numbers(elements):
    return [int(n) for element in elements for n in element["image1"][:, 0, 0, 0]]


def test_an_epoch_is_each_sample_once_and_every_epoch_another_order():
    order = Order(10, seed=3)
    epochs = [[order(10 * e + k) for k in range(10)] for e in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_the_order_depends_on_seed_and_number_alone():
    forth, back = Order(10, seed=3), Order(10, seed=3)
    there = [forth(k) for k in range(40)]
    assert there == [back(k) for k in reversed(range(40))][::-1]
    assert there != [Order(10, seed=4)(k) for k in range(40)]


def test_batches_follow_the_order_and_keep_what_was_asked_for():
    order = Order(10, seed=7)
    elements = read(5)
    assert numbers(elements) == [order(k) for k in range(20)]
    assert elements[0].keys() == {"image1", "image2", "chance"}
    assert elements[0]["image1"].shape == (4, *SIZE, 3) and elements[0]["image1"].dtype == np.float32
    assert (elements[3]["image2"] == elements[3]["image1"] + 100).all()
    with_truth = read(2, keys=("flow12", "valid1"))
    assert (with_truth[1]["flow12"][..., :1] == with_truth[1]["image1"][..., :1]).all()
    assert (with_truth[1]["flow12"][..., 1:] == -with_truth[1]["image1"][..., :1]).all()


def test_starting_at_a_step_is_skipping_the_steps_before():
    noise = lambda sample, number: {k: x + tf.random.stateless_uniform([], number) for k, x in sample.items()}  # noqa: E731
    whole, later = read(9, change=noise), read(4, change=noise, first_step=5)
    for a, b in zip(whole[5:], later, strict=True):
        assert all(np.array_equal(a[key], b[key]) for key in a)


def test_every_number_has_a_seed_and_a_chance_of_its_own():
    seeds = read(
        5, change=lambda sample, number: {k: x * 0 + tf.cast(number[1], tf.float32) for k, x in sample.items()}
    )
    assert numbers(seeds) == list(range(20))
    chances = np.concatenate([element["chance"] for element in read(25)])
    assert chances.shape == (100, 2) and chances.min() >= 0 and chances.max() < 1
    assert len(np.unique(chances)) == 200 and abs(chances.mean() - 0.5) < 0.1
    assert not np.array_equal(chances[:4], read(1, seed=8)[0]["chance"])


@pytest.mark.parametrize(("workers", "replicas"), [(1, 2), (2, 1), (2, 2)])
def test_shards_of_all_replicas_are_the_batch_of_one(workers, replicas):
    whole = read(3)
    shards = [read(3 * replicas, workers=workers, worker=w, replicas_here=replicas) for w in range(workers)]
    for step, element in enumerate(whole):
        parts = [e for shard in shards for e in shard[step * replicas : (step + 1) * replicas]]
        assert all(len(part["image1"]) == 4 // (workers * replicas) for part in parts)
        for key in element:
            assert np.array_equal(np.concatenate([part[key] for part in parts]), element[key])


def test_a_batch_that_does_not_divide_is_refused_with_one_that_does():
    with pytest.raises(InputError, match="a batch of 5 does not divide among 4 replicas; choose a multiple, 4"):
        read(1, batch=5, workers=2, replicas_here=2)
    with pytest.raises(InputError, match="choose a multiple, 8"):
        check_batch(1, 8)
    check_batch(8, 4)


def test_a_change_that_gives_another_size_is_refused():
    with pytest.raises(ValueError, match="must be equal, but are 4 and 3"):
        read(1, change=lambda sample, number: {k: tf.ensure_shape(x, [*SIZE, None])[1:] for k, x in sample.items()})


def test_a_damaged_file_is_named_as_its_reader_named_it():
    with pytest.raises(tf.errors.OpError) as error:
        read(3, source=Numbered(4, damaged=(2,)))
    assert str(refusal(error.value)) == "'numbered_2.png' is cut short; replace it"
    assert refusal(tf.errors.OpError(None, None, "something else", 3)) is None


def test_mixed_sources_are_one_after_the_other_with_the_truth_of_all():
    mixed = Mixed([Numbered(3, "a"), Numbered(2, "b", truth=("flow12",)), Numbered(1, "c", truth=("flow12", "flow21"))])
    assert len(mixed) == 6 and mixed.name == "a + b + c" and mixed.truth == {"flow12"}
    assert [mixed.record_name(i) for i in range(6)] == ["a_0", "a_1", "a_2", "b_0", "b_1", "c_0"]
    assert [mixed.sample(i)["image1"][0, 0, 0] for i in range(6)] == [0, 1, 2, 0, 1, 0]


@pytest.mark.parametrize(("length", "count", "expected"), [(10, 4, [0, 2, 5, 7]), (3, 3, [0, 1, 2]), (5, 1, [0])])
def test_an_even_subset_takes_samples_from_all_over(length, count, expected):
    subset = EvenSubset(Numbered(length), count)
    assert len(subset) == count and subset.truth == {"flow12", "valid1"} and subset.name == "numbered"
    assert [subset.sample(i)["image1"][0, 0, 0] for i in range(count)] == expected
    assert [subset.record_name(i) for i in range(count)] == [f"numbered_{i}" for i in expected]


def test_a_closed_source_has_waited_for_readers_and_refuses_others():
    began, release = threading.Event(), threading.Event()

    class Slow(Numbered):
        def sample(self, index):
            began.set()
            assert release.wait(10)
            return super().sample(index)

    source = ClosableSource(Slow(3))
    reader = threading.Thread(target=source.sample, args=(1,))
    reader.start()
    assert began.wait(10)
    closing = threading.Thread(target=source.close, args=(0.01,))
    closing.start()
    closing.join(0.2)
    assert closing.is_alive()
    release.set()
    closing.join(10)
    assert not closing.is_alive()
    reader.join(10)
    with pytest.raises(InputError, match="is closed"):
        source.sample(0)


def test_deleting_a_pipeline_need_not_wait_for_its_tuner():
    """TensorFlow's tuner sleeps up to a minute, and deleting the pipeline waits until it wakes."""
    dataset = batches(Numbered(10), lambda sample, number: sample, size=SIZE, batch=4, seed=7)
    assert dataset.options().autotune.enabled is False
