"""`tfflow.api.predict`, `estimate` and `track`: results one by one, and points that are followed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.data.test_cuts import SHOTS, clip
from tests.data.trees import film
from tests.evaluation.fakes import Constant
from tfflow import models
from tfflow.api.estimate import estimate
from tfflow.api.predict import predict
from tfflow.api.track import track
from tfflow.data.images import write_image
from tfflow.errors import InputError
from tfflow.models import untrained
from tfflow.models.estimate import Estimate
from tfflow.models.points import follow, sampled

LEFT = Constant(-4.0, 0.0)  # the motion of `pan`, whose flow back is its negative


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shots")
    return {"folder": clip(folder / "frames"), "video": film(folder / "a.mp4", SHOTS)}


@pytest.mark.parametrize("kind", ["folder", "video", "arrays", "paths"])
def test_results_come_for_every_pair_that_no_cut_parts(shots, kind):
    paths = [str(shots["folder"] / f"f{n}.png") for n in range(1, 12)]
    frames = {"arrays": (frame for frame in SHOTS), "paths": paths}.get(kind, shots.get(kind))
    results = list(predict(frames, LEFT))
    at = "f{}" if kind in ("folder", "paths") else "frame_{:06d}"
    assert [e.name for e in results] == [at.format(n) for n in (1, 2, 3, 5, 6, 8, 9, 10)]
    assert all(isinstance(e, Estimate) and (e.flow == (-4, 0)).all() and e.flow21 is None for e in results)
    frames = {"arrays": iter(SHOTS)}.get(kind, frames)
    assert len(list(predict(frames, LEFT, cuts=False, both=True, batch=3))) == 10


def test_frames_without_end_are_read_as_they_are_asked_for():
    read = []

    def endless():
        for n in itertools.count():
            read.append(n)
            yield SHOTS[n % 4]

    results = predict(endless(), LEFT)
    for count in (1, 2, 3):
        next(results)
        assert len(read) <= count + 2


def test_a_frame_that_is_none_stops_where_it_is(shots):
    frames = [*SHOTS[:3], np.zeros((4, 4, 7), np.uint8)]
    results = predict(frames, LEFT)
    assert next(results).name == "frame_000001"
    with pytest.raises(InputError, match=r"`frame` must be \[h, w\]"):
        list(results)
    with pytest.raises(InputError, match="`frames` must be a path or frames one after the other, got int"):
        predict(3, LEFT)
    with pytest.raises(InputError, match="`batch` must be above 0, got 0"):
        predict(SHOTS, LEFT, batch=0)


def test_few_pairs_are_computed_without_a_graph_and_a_loaded_network_is_left_as_it_is(tmp_path, monkeypatch):
    frames = np.random.default_rng(1).integers(0, 256, (10, 32, 48, 3), np.uint8)
    model = untrained("spynet_mobile")
    weights = model.save(tmp_path / "w.safetensors")
    loaded = []
    monkeypatch.setattr(models, "load", lambda *args, load=models.load: loaded.append(load(*args)) or loaded[-1])
    paths = [str(tmp_path / f"{n}.png") for n in range(10)]
    for path, frame in zip(paths, frames, strict=True):
        write_image(path, frame)
    for count in (2, 10):
        by_name = list(predict(paths[:count], weights, cuts=False))
        by_model = list(predict(paths[:count], model, cuts=False))
        assert len(by_name) == count - 1 and model.compiled
        for one, other in zip(by_name, by_model, strict=True):
            np.testing.assert_allclose(one.flow, other.flow, atol=1e-4)
    assert [m.compiled for m in loaded] == [False, True]
    traced = [m._predict.experimental_get_tracing_count() for m in loaded]
    assert traced == [0, 1] and model._predict.experimental_get_tracing_count() == 1


def test_one_estimate_by_a_loaded_network():
    class Model(Constant):
        def estimate(self, image1, image2, channels="rgb"):
            return image1, image2, channels

    assert estimate("a", "b", Model(), channels="bgr") == ("a", "b", "bgr")


def test_points_go_with_the_flow_and_are_lost_at_the_border_and_at_a_cut(shots):
    tracks = track(SHOTS, [(100.25, 30), (9, 50), (120, 80)], LEFT)
    assert tracks.points.shape == (11, 3, 2) and tracks.visible.shape == (11, 3)
    assert repr(tracks) == "<Tracks of 3 points in 11 frames, 0 visible in the last>"
    for n in range(4):
        np.testing.assert_allclose(tracks.points[n, [0, 2]], [(100.25 - 4 * n, 30), (120 - 4 * n, 80)], atol=1e-4)
    assert tracks.visible[:4, [0, 2]].all() and tracks.visible[:3, 1].all()
    assert not tracks.visible[3:, 1].any()  # left the frame
    assert not tracks.visible[4:].any()  # the cut
    np.testing.assert_array_equal(tracks.points[4:], np.broadcast_to(tracks.points[3], (7, 3, 2)))
    whole = track(SHOTS, [(140, 30)], LEFT, cuts=False)
    assert whole.visible.all() and whole.points[10, 0, 0] == pytest.approx(100)


def test_a_point_whose_flow_back_disagrees_is_not_visible():
    flow = np.broadcast_to(np.float32([2, 0]), (90, 160, 2))
    back = -flow.copy()
    back[:, 80:] = (7, 0)
    there, visible = follow(np.float32([(20, 20), (79.5, 40), (100, 40)]), flow, back)
    np.testing.assert_allclose(there, [(22, 20), (81.5, 40), (102, 40)])
    np.testing.assert_array_equal(visible, [True, False, False])


def test_fields_are_sampled_between_pixels():
    y, x = np.mgrid[:6, :9]
    field = np.stack([2.0 * x + 3 * y, x * y], -1)
    points = np.float32([(1.25, 3.5), (8, 5), (-2, 9), (0.3, 0.7)])
    clipped = np.clip(points, 0, (8, 5))
    expected = np.stack([2 * clipped[:, 0] + 3 * clipped[:, 1], clipped.prod(1)], -1)
    np.testing.assert_allclose(sampled(field, points), expected, atol=1e-5)


@pytest.mark.parametrize("points", [[(160, 10)], [(5, -1)]])
def test_points_outside_the_first_frame_are_refused(points):
    with pytest.raises(InputError, match=r"`points` must lie in the first frame, 160 x 90 pixels, got"):
        track(SHOTS, points, LEFT)
    with pytest.raises(InputError, match=r"`points` must be \[n, 2\], \(x, y\) px, got"):
        track(SHOTS, [(1, 2, 3)], LEFT)
