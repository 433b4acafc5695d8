"""The moving picture of README.md: drawn anew from a small scene."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).parents[1] / "docs"


class Still:
    """A network whose flow is (2, 0) px everywhere."""

    def flow(self, first, second):
        return np.broadcast_to(np.float32([2, 0]), (*first.shape[:2], 2))


@pytest.fixture(scope="module")
def drawing():
    spec = importlib.util.spec_from_file_location("draw_clip", DOCS / "draw_clip.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_frame_of_a_scene_stands_beside_its_flow_in_one_colour(drawing, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(drawing, "SIZE", (96, 112))
    monkeypatch.setattr(drawing, "CLIPS", {34: 2, 8: 3})
    monkeypatch.setattr("tfflow.load", lambda: Still(), raising=False)
    assert drawing.main(["--out", str(tmp_path / "clip.webp")]) == 0
    with Image.open(tmp_path / "clip.webp") as clip:
        assert clip.n_frames == 5 and f"5 pictures of {clip.width}x{clip.height} px" in capsys.readouterr().out
        first = np.asarray(clip.convert("RGB")).astype(int)
        clip.seek(1)
        second = np.asarray(clip.convert("RGB")).astype(int)
    assert np.abs(first[:, :112] - second[:, :112]).mean() > 1  # the scene moves
    flow = first[10:-10, 112 + drawing.GAP + 8 : 2 * 112]
    assert flow.std(axis=(0, 1)).max() < 4 and flow[..., 0].mean() > flow[..., 2].mean() + 50  # to the right is red
