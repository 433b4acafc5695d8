"""The benchmark run: what is read, batched, skipped and refused."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.evaluation.fakes import Constant, Given, noise, sample, shifted
from tfflow.data.damage import Skipping
from tfflow.errors import InputError
from tfflow.evaluation.scoring import run

pytestmark = pytest.mark.usefixtures("as_command")


def test_batching_changes_how_often_a_predictor_is_called_and_nothing_else():
    samples = [sample(i, h=14, w=23) for i in range(3)] + [sample(7, h=9, w=31), sample(8, h=14, w=23)]
    one, many = Constant(1, -2), Constant(1, -2)
    single = run({"c": one}, Given(samples), batch=1)["c"]
    batched = run({"c": many}, Given(samples), batch=2)["c"]
    assert [shape[:3] for shape in many.batches] == [(2, 14, 23), (1, 14, 23), (1, 9, 31), (1, 14, 23)]
    assert len(one.batches) == 5 and not one.boths
    assert single.averages.images == batched.averages.images
    assert list(single.averages.images) == [f"clip/frame_{i:04d}" for i in range(1, 6)]


def test_every_predictor_is_measured_on_the_same_pairs():
    results = run({"a": Constant(0, 0), "b": Constant(5, 0)}, Given([sample(0), sample(1)]))
    a, b = (results[label].averages.per_pixel()["epe"] for label in "ab")
    assert list(results) == ["a", "b"] and a != b
    assert results["a"].averages.counts() == results["b"].averages.counts()


def test_both_directions_are_asked_for_only_where_they_are_measured():
    visible = (noise(3, c=1) < 0.6).astype(np.float32)
    predictor = Constant(1, 0)
    samples = [sample(0), sample(1, visible1=visible)]  # a set may know occlusion for some pairs only
    result = run({"c": predictor}, Given(samples))["c"]
    assert len(predictor.batches) == len(predictor.boths) == 1
    assert result.averages.counts()["occ_f"]["images"] == 1


def test_without_truth_the_frames_themselves_are_compared():
    source = Given([shifted(du=3, dv=-2)], truth=())
    results = run({"right": Constant(3, -2), "still": Constant(0, 0)}, source)
    right, still = (result.averages.per_image() for result in results.values())
    assert set(right) == {"photometric", "census", "fb_residual", "inside"} and not results["right"].truth
    assert right["photometric"] < 0.01 < 50 < still["photometric"]


def test_limit_progress_and_each():
    seen, moved = [], []
    run(
        {"c": Constant(1, 2)},
        Given([sample(i) for i in range(5)]),
        limit=3,
        batch=2,
        each=lambda label, name, s, flow: seen.append((label, name, s["image1"].shape, tuple(flow[0, 0]))),
        progress=lambda done, total: moved.append((done, total)),
    )
    assert seen == [("c", f"clip/frame_{i:04d}", (14, 23, 3), (1.0, 2.0)) for i in (1, 2, 3)]
    assert moved == [(2, 3), (3, 3)]


def test_a_damaged_pair_stops_or_is_left_out_and_named(capsys):
    samples = [sample(0), "'x.png' cannot be used: truncated", sample(2)]
    with pytest.raises(InputError, match=r"^'x.png' cannot be used: truncated$"):
        run({"c": Constant()}, Given(samples))
    result = run({"c": Constant()}, Skipping(Given(samples)), batch=4)["c"]
    assert list(result.averages.images) == ["clip/frame_0001", "clip/frame_0003"]
    assert result.skipped == ["'x.png' cannot be used: truncated"]
    assert "warning: skipped clip/frame_0002: 'x.png' cannot be used: truncated" in capsys.readouterr().err


def test_nothing_left_to_measure_is_refused():
    with pytest.raises(InputError, match="given:here: none of its 2 pairs could be read; the first said: a is damaged"):
        run({"c": Constant()}, Skipping(Given(["a is damaged", "b"])))


@pytest.mark.parametrize(("batch", "advice"), [(2, "use a smaller `batch`"), (1, "make the frames smaller")])
def test_memory_that_runs_out_is_refused_with_advice(batch, advice):
    class Hungry(Constant):
        def batch(self, images1, images2):
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    with pytest.raises(InputError, match=rf"not enough memory for {batch} pairs? of 23 x 14 at a time: {advice}"):
        run({"net": Hungry()}, Given([sample(0), sample(1)]), batch=batch)


def test_a_flow_that_is_not_finite_is_refused_with_its_predictor_and_image():
    with pytest.raises(InputError, match="net gave a flow that is not finite on clip/frame_0001 of given:here"):
        run({"net": Constant(np.nan, 0)}, Given([sample(0)]))


def test_a_summary_names_both_averages_and_what_they_rest_on():
    summary = run({"c": Constant()}, Given([sample(0), sample(1, h=9)]))["c"].summary()
    assert summary["source"] == "given:here" and summary["images"] == 2 and summary["ground_truth"]
    assert set(summary["mean_over_images"]) == set(summary["mean_over_pixels"]) == set(summary["counts"])
    assert summary["mean_over_images"]["epe"] != summary["mean_over_pixels"]["epe"]
    assert summary["median_ms_per_flow"] is None  # the first of a size builds the graph
    summary = run({"c": Constant()}, Given([sample(0), sample(1)]))["c"].summary()
    assert summary["median_ms_per_flow"] > 0
