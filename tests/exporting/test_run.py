"""`export(...)` from Python: what it is compared with, what is selected and reported on, what it writes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.conftest import SIZE
from tfflow.data.scenes import Scenes
from tfflow.exporting import ExportResult, ExportSettings, export, validate
from tfflow.exporting.compiled import compiled_outputs
from tfflow.exporting.exporter import Exporter
from tfflow.exporting.graph import SIGNATURE, Interface
from tfflow.exporting.sources import (
    ExportData,
    scenes_to_calibrate,
    scenes_to_report,
    scenes_to_select,
    scenes_to_train,
)
from tfflow.exporting.validation import Reference, compare, runtimes_gap, selection_score
from tfflow.models.tflite import TFLiteModel

BYTES = Interface(SIZE, both=True, uint8=True)


def test_no_scene_of_the_report_is_used_for_anything_else():
    report = scenes_to_report(SIZE, 4)
    reported = {report.sample(i)["image1"].tobytes() for i in range(len(report))}
    assert len(reported) == 4
    for other in (scenes_to_select(SIZE), scenes_to_calibrate(SIZE), scenes_to_train(SIZE)):
        assert other.name != report.name
        assert not reported & {other.sample(i)["image1"].tobytes() for i in range(4)}


def test_a_report_on_what_a_checkpoint_is_selected_on_is_refused():
    calibration, training = scenes_to_calibrate(SIZE), scenes_to_train(SIZE)
    one, fewer_of_it, other = Scenes(SIZE, 16, seed=9), Scenes(SIZE, 4, seed=9), Scenes(SIZE, 4, seed=8)
    assert ExportData(calibration, training, one, (other,)).selection is one
    with pytest.raises(ValueError, match="not selected on what the report measures: scenes:seed=9"):
        ExportData(calibration, training, one, (other, fewer_of_it))


@pytest.fixture(scope="module")
def file(model, tmp_path_factory) -> TFLiteModel:
    """A file of uint8 and of both directions."""
    path = tmp_path_factory.mktemp("file") / "model.tflite"
    path.write_bytes(Exporter(model, BYTES, Scenes(SIZE, 1)).make("fp32").contents)
    return TFLiteModel(path)


def test_a_file_of_uint8_is_compared_on_the_levels_that_it_gets(model, file):
    """The frames' own rounding is no error of the export."""
    source = Scenes((45, 70), 2, seed=3)  # of another size: the levels are those of the resized frames
    drift = compare(Reference(model, BYTES), file, source).drift
    unrounded = compare(Reference(model, Interface(SIZE)), file, source).drift
    assert drift["largest"] < 1e-3 < 1e-2 < unrounded["largest"]


def test_calibration_sees_the_levels_of_uint8(model):
    (pair, *_) = Exporter(model, BYTES, Scenes((45, 70), 2, seed=3)).pairs()
    levels = 255 * np.stack(pair)
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)


def test_an_export_without_a_folder_writes_nothing_and_saves_later(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    settings = ExportSettings(SIZE, ["fp32", "fp16"], uint8=True, limit=2)
    result = export(model, None, settings, lines.append)
    assert isinstance(result, ExportResult) and result.accepted and not list(tmp_path.iterdir())
    assert result.reports[0].values["largest_px"] < 1e-3
    assert lines == ["fp32: small_pwc at 32x48", "converting", "fp16: small_pwc at 32x48"]
    full, half = (len(made.contents) for made in result.exports)
    of_weights = [report.values["bytes_a_weight"] for report in result.reports]
    assert of_weights == pytest.approx([4, 4 - (full - half) / model.parameters]) and of_weights[1] < 4
    rows = result.table().splitlines()
    assert len(rows) == 4 and rows[0].startswith("| precision | MB | EPE scenes (2) |")
    result.save(tmp_path / "out")
    assert (tmp_path / "out" / "ladder.md").read_text() == result.table()
    for made in result.exports:
        folder = tmp_path / "out" / made.precision
        assert (folder / "model.tflite").read_bytes() == made.contents
        assert json.loads((folder / "model.json").read_text()) == made.manifest
    described = result.exports[0].manifest
    assert Interface.of_manifest(described) == Interface(SIZE, uint8=True)
    report = validate(tmp_path / "out" / "fp16", model, limit=2)
    assert report.failures == [] and "| fp16 |" in report.table()
    assert report.as_dict()["comparisons"] == result.reports[1].as_dict()["comparisons"]


def test_a_checkpoint_is_selected_by_epe_or_without_truth_by_the_float_flow(model, file):
    class Frames(Scenes):
        """Scenes whose truth nobody knows."""

        truth = frozenset()

    known, unknown = Scenes(SIZE, 2, seed=3), Frames(SIZE, 2, seed=3)
    pairs = [known.sample(i) for i in range(2)]
    flows = [file.flow(s["image1"], s["image2"]) for s in pairs]
    levels = [[BYTES.as_input(s[name]) for name in ("image1", "image2")] for s in pairs]
    epe = [np.linalg.norm(flow - s["flow12"], axis=-1).mean() for flow, s in zip(flows, pairs, strict=True)]
    gap = [np.linalg.norm(flow - model.flow(*p), axis=-1).mean() for flow, p in zip(flows, levels, strict=True)]
    reference = Reference(model, BYTES)
    assert selection_score(reference, file, known) == pytest.approx(np.mean(epe), rel=1e-4)
    assert selection_score(reference, file, unknown) == pytest.approx(np.mean(gap), rel=1e-2, abs=1e-6)


def test_both_runtimes_give_the_same_flow_and_what_differs_is_seen(file, monkeypatch):
    sample = Scenes(SIZE, 1, seed=3).sample(0)
    flows = file.raw(sample["image1"], sample["image2"])
    assert set(flows) == {"flow12", "flow21"}
    assert runtimes_gap(file, BYTES, sample) < 1e-4
    for name in flows:
        monkeypatch.setattr(file, "raw", lambda *frames, name=name: {**flows, name: flows[name] + np.float32(0.25)})
        assert runtimes_gap(file, BYTES, sample) == pytest.approx(0.25, abs=1e-4)
    for other in ({"flow12": flows["flow12"]}, {**flows, "flow12": np.full_like(flows["flow12"], np.nan)}):
        monkeypatch.setattr(file, "raw", lambda *frames, other=other: other)
        assert runtimes_gap(file, BYTES, sample) == float("inf")


def test_a_file_on_which_the_other_runtime_crashes_is_seen(file, tmp_path, capfd):
    """CompiledModel 2.3 ends its process on half a file."""
    (tmp_path / "half.tflite").write_bytes(file.path.read_bytes()[:2000])
    frame = np.zeros((1, *SIZE, 3), np.uint8)
    assert compiled_outputs(tmp_path / "half.tflite", SIGNATURE, {"image1": frame, "image2": frame}) is None
    assert capfd.readouterr().err == ""


def test_several_fine_tunings_give_the_best_on_selection_and_a_table_of_all(model, tmp_path):
    settings = ExportSettings(SIZE, "int8-qat", limit=2, steps=2, seeds=2)
    result = export(model, tmp_path / "out", settings)
    first, second = result.seeds
    assert (first.seed, second.seed) == (0, 1) and first.contents != second.contents  # other pairs were seen
    (kept,) = result.exports
    assert kept is min(result.seeds, key=lambda one: one.score) and kept.score > 0
    table = result.table()
    assert (tmp_path / "out" / "ladder.md").read_text() == table
    *_, head, _, one, two, mean, deviation = table.splitlines()
    assert head.startswith("| int8-qat | selected by, px | EPE scenes (2) |")
    rows = [
        [float(cell.split(" (")[0]) for cell in row.strip("| ").split(" | ")[1:]] for row in (one, two, mean, deviation)
    ]
    np.testing.assert_allclose(rows[2], np.mean(rows[:2], axis=0), atol=1e-3)
    np.testing.assert_allclose(rows[3], np.std(rows[:2], axis=0, ddof=1), atol=1e-3)
    assert rows[0][0] == pytest.approx(first.score, abs=1e-4)
