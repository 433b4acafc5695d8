"""The vectors that the Android app's tests read are those of this code."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tfflow.commands.vectors import main
from tfflow.exporting import vectors as module
from tfflow.exporting.vectors import FRAME, PLACE, TOLERANCE, pair, placement, vectors, yuv_to_rgb


@pytest.fixture(scope="module")
def fresh():
    return json.loads(json.dumps(vectors()))


def stale(committed, fresh, tolerance: float) -> bool:
    """Whether anything differs by more than a part of the tolerance that the app has."""
    if isinstance(fresh, dict) and isinstance(committed, dict):
        return committed.keys() != fresh.keys() or any(stale(committed[k], fresh[k], tolerance) for k in fresh)
    if isinstance(fresh, list) and isinstance(committed, list):
        return len(committed) != len(fresh) or any(
            stale(*pair, tolerance) for pair in zip(committed, fresh, strict=True)
        )
    if isinstance(fresh, float) and isinstance(committed, float):
        return abs(committed - fresh) > tolerance
    return type(committed) is not type(fresh) or committed != fresh


def test_the_committed_vectors_are_fresh(fresh):
    committed = json.loads(PLACE.read_text("utf-8"))
    assert committed.keys() == fresh.keys()
    # A tenth of the app's own tolerance: other processors round the last bits otherwise.
    parts = {part for part in fresh if stale(committed[part], fresh[part], 0.1 * TOLERANCE["resize"])}
    assert not parts, "stale: run `python -m tfflow.commands.vectors`, then the app's tests"


def test_a_changed_constant_makes_them_stale(monkeypatch, fresh):
    monkeypatch.setattr(module, "flow_to_colour", lambda flow, scale: np.zeros((*flow.shape[:2], 3), np.uint8))
    assert stale(fresh["colour"], json.loads(json.dumps(vectors()["colour"])), 1e-6)


def test_camera_colours_are_those_of_a_jpeg():
    rng = np.random.default_rng(1)
    y, u, v = rng.integers(0, 256, (3, 8, 8), np.uint8)
    planes = [y, *(np.repeat(np.repeat(c[:4, :4], 2, 0), 2, 1) for c in (u, v))]
    pillow = Image.merge("YCbCr", [Image.fromarray(plane) for plane in planes])
    difference = np.abs(yuv_to_rgb(y, u[:4, :4], v[:4, :4]).astype(int) - np.asarray(pillow.convert("RGB")))
    assert difference.max() <= 1  # Pillow's tables are rounded, too


def test_a_picture_keeps_its_shape_in_the_middle():
    assert placement((480, 640), (256, 448)) == (0, 53, 256, 341)
    assert placement((640, 480), (256, 448)) == (0, 128, 256, 192)
    assert placement((1, 4000), (256, 448)) == (127, 0, 1, 448)


def test_the_frames_of_a_golden_pair_show_something_that_moves():
    first, second = (frame.astype(float) for frame in pair())
    assert first.shape == second.shape == (*FRAME, 3)
    assert min(first.std(), second.std()) > 20 and np.abs(second - first).mean() > 1


def test_a_model_without_a_place_to_write_is_refused(tmp_path, capsys):
    assert main(["--model", str(tmp_path)]) == 2
    assert "--out FILE" in capsys.readouterr().err
    assert main(["--model", str(tmp_path), "--out", str(tmp_path / "golden.json")]) == 2
    assert "model.json" in capsys.readouterr().err
    assert not (tmp_path / "golden.json").exists()
