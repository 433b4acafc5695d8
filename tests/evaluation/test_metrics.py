"""The metrics against loops written from their definitions, and the laws of their averages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.evaluation.fakes import noise, sample, shifted
from tfflow.evaluation.metrics import Averages, census_distance, check_occlusion, measure_flow, measure_frames
from tfflow.ops import census_transform


def slow_flow_metrics(flow, s):
    sums = {}

    def put(name, value):
        total, count = sums.get(name, (0.0, 0))
        sums[name] = (total + value, count + 1)

    h, w, _ = flow.shape
    for y in range(h):
        for x in range(w):
            if not s["valid1"][y, x, 0]:
                continue
            tu, tv = (float(c) for c in s["flow12"][y, x])
            error = math.hypot(float(flow[y, x, 0]) - tu, float(flow[y, x, 1]) - tv)
            speed = math.hypot(tu, tv)
            seen = bool(s["visible1"][y, x, 0])
            outlier = 100.0 if error > 3 and error > 0.05 * speed else 0.0
            put("epe", error)
            put("epe_noc" if seen else "epe_occ", error)
            put("epe_s0-10" if speed < 10 else "epe_s10-40" if speed < 40 else "epe_s40+", error)
            put("fl", outlier)
            for threshold in (1, 3, 5):
                put(f"over{threshold}", 100.0 * (error > threshold))
            if seen:
                put("fl_noc", outlier)
                put("over3_noc", 100.0 * (error > 3))
    return sums


def slow_occlusion(f, b):
    h, w, _ = f.shape
    occluded = np.zeros((h, w), bool)
    for y in range(h):
        for x in range(w):
            tx, ty = x + float(f[y, x, 0]), y + float(f[y, x, 1])
            back = np.zeros(2)
            for row in (math.floor(ty), math.floor(ty) + 1):
                for column in (math.floor(tx), math.floor(tx) + 1):
                    if 0 <= row < h and 0 <= column < w:
                        back += b[row, column] * (1 - abs(tx - column)) * (1 - abs(ty - row))
            apart = np.sum((f[y, x] + back) ** 2)
            occluded[y, x] = apart > 0.01 * (np.sum(f[y, x] ** 2) + np.sum(back**2)) + 0.5
    return occluded


def test_every_error_metric_equals_a_loop_written_from_its_definition():
    s = sample(0, visible1=(noise(9, c=1) < 0.7).astype(np.float32))
    flow = (s["flow12"] + 4 * np.random.default_rng(3).standard_normal(s["flow12"].shape)).astype(np.float32)
    measured = measure_flow(flow, s)
    expected = slow_flow_metrics(flow, s)
    assert set(measured) == set(expected)
    for name, (total, count) in expected.items():
        assert measured[name] == (pytest.approx(total, rel=1e-6), count), name


def test_a_perfect_flow_has_no_error_whatever_it_says_where_there_is_no_truth():
    s = sample(1, visible1=(noise(4, c=1) < 0.5).astype(np.float32))
    flow = np.where(s["valid1"] > 0, s["flow12"], 99.0).astype(np.float32)
    assert {total for total, _ in measure_flow(flow, s).values()} == {0.0}


def test_fl_counts_errors_that_are_both_over_3_px_and_over_5_percent():
    truth = np.zeros((1, 4, 2), np.float32)
    truth[0, :, 0] = [100, 10, 10, 100]
    flow = truth + np.array([[[0, 4], [0, 4], [0, 2.9], [0, 5.1]]], np.float32)
    measured = measure_flow(flow, {"flow12": truth, "valid1": np.ones((1, 4, 1), np.float32)})
    assert measured["fl"] == (200.0, 4)  # the second and the last
    assert measured["over3"] == (300.0, 4)


def test_occlusion_check_equals_a_loop_written_from_its_definition():
    rng = np.random.default_rng(8)
    f = (rng.standard_normal((9, 13, 2)) * [3, 1]).astype(np.float32)
    b = (-f + 0.4 * rng.standard_normal(f.shape)).astype(np.float32)
    expected = slow_occlusion(f, b)
    assert 0.1 < expected.mean() < 0.95
    np.testing.assert_array_equal(check_occlusion(f, b), expected)


@pytest.mark.parametrize(("u", "occluded"), [(0.0, False), (0.70, False), (10.0, True)])
def test_occlusion_check_of_a_pixel_that_leaves_the_frame(u, occluded):
    f = np.zeros((3, 5, 2), np.float32)
    f[1, 4, 0] = u
    assert check_occlusion(f, np.zeros_like(f))[1, 4] == occluded


def test_occlusion_scores_are_those_of_hits_and_misses():
    f = np.zeros((4, 6, 2), np.float32)
    b = np.zeros_like(f)
    b[0, :, 1] = 5.0  # found: the six pixels of row 0
    visible = np.ones((4, 6, 1), np.float32)
    visible[0, :4] = visible[2, :2] = 0  # true: six, of which four are found
    valid = np.ones_like(visible)
    valid[0, 0] = valid[2, 0] = 0  # one hit and one miss have no truth
    measured = measure_flow(f, {"flow12": f, "valid1": valid, "visible1": visible}, b)
    assert measured["occ_precision"] == (3, 5)
    assert measured["occ_recall"] == (3, 4)
    assert measured["occ_f"] == (6, 9)
    assert "occ_f" not in measure_flow(f, {"flow12": f, "valid1": valid}, b)
    assert "occ_f" not in measure_flow(f, {"flow12": f, "valid1": valid, "visible1": visible})


def test_frames_that_are_exactly_shifted_leave_nothing_and_only_pixels_inside_count():
    s = shifted(h=14, w=23, du=3, dv=-2)
    flow = np.broadcast_to(np.float32([3, -2]), (14, 23, 2))
    measured = measure_frames(s["image1"], s["image2"], flow, -flow)
    assert measured["photometric"] == (pytest.approx(0, abs=1e-3), 12 * 20)
    assert measured["inside"] == (100.0 * 12 * 20, 14 * 23)
    assert measured["fb_residual"] == (0.0, 12 * 20)
    assert measured["census"] == (pytest.approx(0, abs=1e-3), 6 * 14)
    still = measure_frames(s["image1"], s["image2"], np.zeros_like(flow), np.zeros_like(flow))
    assert still["photometric"][0] / still["photometric"][1] > 50


def test_photometric_census_and_residual_equal_their_definitions():
    image1, image2 = noise(1, 9, 12), noise(2, 9, 12)
    flow = np.zeros((9, 12, 2), np.float32)
    flow[..., 0] = 1.0
    back = np.stack(np.meshgrid(np.arange(12), np.arange(9)), -1).astype(np.float32) * 0.25
    measured = measure_frames(image1, image2, flow, back)
    off, residual, census = [], [], []
    warped = np.zeros_like(image1)
    warped[:, :11] = image2[:, 1:]
    grey1, grey2 = (255 * (image @ np.float32([0.2989, 0.587, 0.114])) for image in (image1, warped))
    for y in range(9):
        for x in range(11):  # the last column leaves the frame
            off.append(255 * np.mean(np.abs(image1[y, x] - image2[y, x + 1])))
            residual.append(np.hypot(1 + back[y, x + 1, 0], back[y, x + 1, 1]))
            if 3 <= y < 6 and 3 <= x < 8:  # all 48 neighbours stay inside
                distance = 0.0
                for dy in range(-3, 4):
                    for dx in range(-3, 4):
                        d1, d2 = (g[y + dy, x + dx] - g[y, x] for g in (grey1, grey2))
                        d = (d1 / math.sqrt(0.81 + d1**2) - d2 / math.sqrt(0.81 + d2**2)) ** 2
                        distance += d / (0.1 + d)
                census.append(distance / 48)
    assert measured["photometric"] == (pytest.approx(sum(off), rel=1e-5), 99)
    assert measured["fb_residual"] == (pytest.approx(sum(residual), rel=1e-5), 99)
    assert measured["census"] == (pytest.approx(sum(census), rel=1e-3), 15)


def test_census_distance_is_that_of_the_census_transform():
    image1, image2 = noise(1, 9, 12), noise(2, 9, 12)
    d = np.square(census_transform(image1[None]) - census_transform(image2[None]))[0]
    expected = (d / (0.1 + d)).sum(-1) / 48
    inner = np.s_[3:-3, 3:-3]
    np.testing.assert_allclose(census_distance(image1, image2)[inner], expected[inner], rtol=1e-3)
    assert census_distance(image1[:2, :3], image2[:2, :3]).shape == (2, 3)


def test_a_speed_on_a_border_belongs_to_the_faster_class():
    truth = np.zeros((1, 3, 2), np.float32)
    truth[0, :, 1] = [9.5, 10, 40]
    measured = measure_flow(truth + 1, {"flow12": truth, "valid1": np.ones((1, 3, 1), np.float32)})
    assert [measured[f"epe_{c}"][1] for c in ("s0-10", "s10-40", "s40+")] == [1, 1, 1]


def test_per_image_and_per_pixel_averages_are_what_their_names_say():
    averages = Averages()
    averages.add("small", {"epe": (6.0, 2), "epe_occ": (0.0, 0)})  # mean 3
    averages.add("large", {"epe": (8.0, 8), "epe_occ": (10.0, 4)})  # mean 1
    assert averages.per_image() == {"epe": 2.0, "epe_occ": 2.5}
    assert averages.per_pixel() == {"epe": 1.4, "epe_occ": 2.5}
    assert averages.counts() == {"epe": {"images": 2, "pixels": 10}, "epe_occ": {"images": 1, "pixels": 4}}


def test_a_metric_without_any_pixel_is_left_out():
    s = sample(0)
    s["flow12"] = s["flow12"].clip(-5, 5)
    averages = Averages()
    averages.add("slow", measure_flow(s["flow12"], s))
    assert "epe_s0-10" in averages.metrics()
    assert not {"epe_s10-40", "epe_s40+", "epe_noc", "occ_f"} & set(averages.metrics())


def test_refusals_say_what_was_expected_and_what_came():
    s = sample(0)
    with pytest.raises(ValueError, match=r"`flow12` must be \[14, 23, 2\] in \(u, v\) order, got \(23, 14, 2\)"):
        measure_flow(np.zeros((23, 14, 2), np.float32), s)
    broken = s["flow12"].copy()
    broken[1, 2, 0], broken[4, 4, 1] = np.nan, np.inf
    with pytest.raises(ValueError, match="`flow12` must be finite, got 2 pixels that are not"):
        measure_flow(broken, s)
    with pytest.raises(ValueError, match=r"`flow21` must be \[14, 23, 2\]"):
        measure_frames(s["image1"], s["image2"], s["flow12"], np.zeros((14, 22, 2), np.float32))
