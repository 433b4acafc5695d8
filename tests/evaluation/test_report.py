"""What is written of results, and that it reads back."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from rich.console import Console

from tests.evaluation.fakes import Constant, Given, noise, sample, shifted
from tfflow.data.images import read_image
from tfflow.evaluation import report
from tfflow.evaluation.scoring import run


def results():
    visible = (noise(3, c=1) < 0.6).astype(np.float32)
    source = Given([sample(0, visible1=visible), sample(1, h=9)], name="given:[here]")
    return list(run({"net": Constant(1, 0), "still": Constant()}, source).values())


def table_text(found):
    console = Console(width=140, file=io.StringIO())
    console.print(report.results_table(found))
    return console.file.getvalue()


def test_the_table_names_source_averages_and_predictors():
    text = table_text(results())
    assert text.startswith("given:[here]: 2 pairs") and "pairs with such pixels, where not all: noc 1, occ 1" in text
    assert text.index("mean over pairs") < text.index("mean over pixels")
    assert text.count("still") == 3  # of both averages, and of its gain over the first


def test_later_predictors_are_compared_with_the_first_pair_by_pair():
    source = Given([sample(0), sample(1, h=9)])
    found = list(run({"still": Constant(), "right": Constant(1, 0), "same": Constant()}, source).values())
    errors = [[error / count for error, count in (m["epe"] for m in r.averages.images.values())] for r in found]
    mean = 100 * (1 - sum(errors[1]) / sum(errors[0]))
    typical = 100 * (1 - (errors[1][0] * errors[1][1] / errors[0][0] / errors[0][1]) ** 0.5)
    gains = report.gains_over_first(found)
    assert list(gains) == ["right", "same"] and gains["same"] == ((0.0, 0.0), (0.0, 0.0))
    assert [gain.percent for gain in gains["right"]] == pytest.approx([mean, typical])
    text = table_text(found)
    assert "EPE lower than still's by" in text and f"{mean:+.1f} ±" in text and f"{typical:+.1f} ±" in text


def test_one_predictor_or_one_pair_is_compared_with_nothing(tmp_path):
    both = {"still": Constant(), "right": Constant(1, 0)}
    for predictors, samples in (({"still": Constant()}, [sample(0), sample(1)]), (both, [sample(0)])):
        found = list(run(predictors, Given(samples)).values())
        assert "EPE lower" not in table_text(found)
        report.write_results(tmp_path, found, {})
        assert json.loads((tmp_path / "results.json").read_text())["gains"] == {"given:here": {}}


def test_the_table_shows_the_numbers_of_the_averages():
    found = results()
    row = next(line for line in table_text(found).splitlines() if "net" in line)
    epe = found[0].averages.per_image()["epe"]
    assert float(row.split("│")[2]) == round(epe, 2 if epe >= 10 else 3)


def test_the_best_of_a_column_is_bold():
    def bold(name, texts):
        cells = (report._cell(value, report._best(name, texts)) for value in texts)
        return [getattr(cell, "style", "") == "bold" for cell in cells]

    assert bold("epe", [2.0, 1.0, 3.0]) == [False, True, False]
    assert bold("occ_f", [0.2, 0.1, 0.3]) == [False, False, True]
    assert bold("inside", [99.0, 98.0]) == bold("epe", [1.0])[:1] * 2 == [False, False]


def test_files_hold_every_average_and_every_image(tmp_path):
    found = results()
    report.write_results(tmp_path, found, {"weights": ["net"]})
    stored = json.loads((tmp_path / "results.json").read_text())
    assert stored["settings"] == {"weights": ["net"]}
    assert stored["results"][0]["mean_over_images"] == found[0].averages.per_image()
    gain = stored["gains"]["given:[here]"]["still"]
    assert gain["over"] == "net" and gain["typical"] == list(report.gains_over_first(found)["still"][1])
    images = stored["images"]["given:[here]"]["still"]
    assert list(images) == ["clip/frame_0001", "clip/frame_0002"] and "epe_occ" not in images["clip/frame_0002"]
    with (tmp_path / "results.csv").open(newline="") as f:
        rows = list(csv.DictReader(f))
    assert [(r["predictor"], r["average"]) for r in rows] == [
        (p, f"mean over {a}") for p in ("net", "still") for a in ("pairs", "pixels")
    ]
    assert float(rows[3]["epe"]) == found[1].averages.per_pixel()["epe"]
    with (tmp_path / "images.csv").open(newline="") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == 4 and rows[1]["epe_occ"] == "" and float(rows[1]["epe"]) > 0


def test_error_maps_are_drawn_with_truth_and_without(tmp_path):
    flow = np.zeros((14, 23, 2), np.float32)
    report.write_error_map(tmp_path / "a.png", "net", sample(0), flow)
    report.write_error_map(tmp_path / "b.png", "net", shifted(), flow)
    empty = sample(0)
    empty["valid1"] = np.zeros_like(empty["valid1"])
    report.write_error_map(tmp_path / "c.png", "net", empty, flow)
    for name in "abc":
        assert read_image(tmp_path / f"{name}.png").shape[0] > 2 * 14


def test_safe_names():
    assert report.safe_name("sintel-final:/data/my sintel/") == "sintel-final_data_my_sintel"
