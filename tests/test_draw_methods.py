"""The pictures of docs/methods.md: drawn anew from a small scene, and what is read from them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tfflow.data.images import image_size
from tfflow.models import FlowModel

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def drawing():
    spec = importlib.util.spec_from_file_location("draw_methods", DOCS / "draw_methods.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_pictures_and_the_shares_of_right_matches(drawing, tmp_path, monkeypatch, capsys):
    """Visible pixels are matched far more often than occluded ones. The network's flow is only drawn: zero here."""
    monkeypatch.setattr(FlowModel, "both", lambda model, images1, images2: (np.zeros([1, 64, 96, 2], np.float32),) * 2)
    monkeypatch.setattr(drawing, "SIZE", (64, 96))
    monkeypatch.setattr(drawing, "POINTS", ((20, 30), (40, 50), (30, 70)))
    assert drawing.main(["--out", str(tmp_path)]) == 0
    visible, occluded = (int(line.split("%")[0].split()[-1]) for line in capsys.readouterr().out.splitlines())
    assert visible > 30 and visible > 3 * occluded
    for name, rows in (("correlation", 2), ("occlusion", 3)):
        _, width = image_size(tmp_path / f"{name}.png")
        assert width > 3 * 96 and image_size(tmp_path / f"{name}.png")[0] > rows * 64


def test_the_best_match_is_the_displacement_of_the_highest_score(drawing):
    costs = np.zeros([2, 3, 81])
    costs[1, 2, 0] = costs[0, 1, 4 * 9 + 7] = 1.0  # top left; three columns to the right
    best = drawing.best_matches(costs)
    np.testing.assert_array_equal([best[1, 2], best[0, 1]], [[-4, -4], [3, 0]])


def test_f_score_of_occluded_pixels(drawing):
    found, true = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    assert drawing.f_score(found, true) == 0.5 and drawing.f_score(true, true) == 1
    assert drawing.f_score(found, np.zeros(4, bool)) == 0


def test_pictures_of_the_documents_are_small():
    for name in ("correlation", "occlusion"):
        assert (DOCS / f"{name}.png").stat().st_size < 300_000
        assert f"({name}.png)" in (DOCS / "methods.md").read_text("utf-8")
