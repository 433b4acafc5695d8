"""The report and the table of what was training_report."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rich.console import Console

from tests.evaluation.fakes import Constant, sample, shifted
from tfflow.evaluation import training_report
from tfflow.evaluation.pictures import flow_to_colour

SCORES = [{"when": "before", "epe": 2.5, "fl": 30.0}, {"when": "census", "epe": 1.25, "fl": 4.0, "census": None}]
ROWS = [
    {"step": 10, "phase": "photometric", "rate": 1e-4, "photometric": 0.9, "gradient": 2.0},
    {"step": 20, "phase": "photometric", "rate": 1e-4, "photometric": 0.7, "gradient": 1.0, "epe": 1.5},
    {"step": 30, "phase": "census", "rate": 1e-4, "census": 2.0, "smoothness": 0.1, "epe": 1.0},
]


def test_a_row_shows_the_flow_beside_the_truth_on_one_scale():
    one = sample(3)
    ((*titles,), pictures) = zip(*training_report.rows_of_flow(Constant(3, -2), [one])[0], strict=True)
    assert [titles[0], *titles[2:]] == ["frame 1", "ground truth", "frame 2 warped", "found occluded: red"]
    scale = float(titles[1].removeprefix("flow, full = ").removesuffix(" px"))
    assert scale > 3
    assert np.array_equal(pictures[0], one["image1"])
    assert np.abs(flow_to_colour(one["flow12"], scale).astype(int) - pictures[2]).mean() < 2


def test_without_truth_it_is_held_against_another():
    pair = shifted(20, 30)
    titles = [title for title, _ in training_report.rows_of_flow(Constant(3, -2), [pair], Constant(1, 1, "beside"))[0]]
    assert titles[2] == "beside"
    row = dict(training_report.rows_of_flow(Constant(3, -2), [pair])[0])
    assert len(row) == 4
    warped = row["frame 2 warped"][2:-2, 3:-3]
    assert np.abs(warped - pair["image1"][2:-2, 3:-3]).max() < 1e-5
    red = row["found occluded: red"]
    assert red[10, 15, 0] < red[10, -1, 0] or red[10, -1, 1] < pair["image1"][10, -1, 1]  # it leaves at the right


def test_the_table_has_the_metrics_that_occur():
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(training_report.scores_table(SCORES))
    lines = console.export_text().splitlines()
    assert "EPE" in lines[1] and "Fl %" in lines[1] and "census" not in lines[1]
    assert any("before" in line and "2.500" in line and "30.000" in line for line in lines)


@pytest.mark.parametrize("history", [ROWS, ROWS[:1], []])
def test_a_report_is_written_whatever_the_run_knows(tmp_path, history):
    rows = training_report.rows_of_flow(Constant(3, -2), [sample(1), sample(2, 20, 30)])
    training_report.write_report(tmp_path / "report.png", "a run", rows, history, SCORES)
    report = cv2.imread(str(tmp_path / "report.png"))
    assert report.shape[1] == 1400 and report.shape[0] > 600
    assert [p.name for p in tmp_path.iterdir()] == ["report.png"]
