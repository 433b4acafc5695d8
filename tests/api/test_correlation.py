"""`tfflow correlate`: measures without labels are ranked against the endpoint error, source by source."""

from __future__ import annotations

import numpy as np
import pytest

from tfflow.api import correlation
from tfflow.errors import InputError
from tfflow.evaluation import baselines

DATA = ["scenes:size=64x96,seed=4", "scenes:size=64x96,seed=5"]


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patch:
        some = baselines.dis("fast"), baselines.dis("medium"), baselines.farneback(), baselines.zero()
        patch.setattr(correlation, "_networks", lambda more: iter(some))
        patch.setattr(correlation, "SIZE", (64, 96))
        patch.setattr(correlation, "TEXTURED_SCENES", 4)
        said = []
        yield correlation.correlate(DATA, limit=2, say=said.append), said


def test_each_source_has_a_row_and_each_measure_a_column(found):
    result, said = found
    rows = result.rows()
    assert [row[0] for row in rows][-1] == "mean" and len(rows) == 3 and len(said) == 2
    head = [cell.strip() for cell in result.table().splitlines()[0].strip("| ").split("|")]
    assert head[:2] == ["rank correlation with EPE", "textured"] and {len(row) for row in rows} == {len(head)}
    assert all(-1 <= value <= 1 for row in rows for value in row[1:] if np.isfinite(value))


def test_the_error_on_textured_scenes_is_measured(found):
    """Flow that is found errs less than no flow on scenes that move, whatever their textures."""
    for scores in found[0].scores.values():
        dis, zero = scores[baselines.dis("medium").name], scores[baselines.zero().name]
        assert 0 < dis["textured"] < zero["textured"]


def test_sources_without_ground_truth_are_refused(tmp_path):
    from tests.data import trees

    for k in range(2):
        trees.put_image(tmp_path / f"{k}.png", trees.picture(1, 48, 64))
    with pytest.raises(InputError, match="has no ground truth"):
        correlation.correlate([f"frames:{tmp_path}"])
