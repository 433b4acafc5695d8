"""Weights of a run that learned from a video are calibrated, fine-tuned and judged on different frames of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.data import trees
from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.conftest import SIZE
from tests.training import tiny  # noqa: F401 (registers its networks)
from tfflow.commands import to_tflite, validate
from tfflow.data.scenes import Scenes
from tfflow.data.sources import open_source
from tfflow.exporting import run as run_module
from tfflow.exporting.graph import Interface
from tfflow.exporting.own_frames import frames_of_run, open_own
from tfflow.exporting.sources import export_data, training_source
from tfflow.exporting.validation import Reference, selection_score, simulation_gap
from tfflow.models import FlowModel, load, load_float
from tfflow.models.weights import model_arrays, save_arrays


def clip(folder: Path, count: int) -> Path:
    """Consecutive frames of 36x52, all different, of a textured ground that moves."""
    ground = np.rint(255 * Scenes((48, 52 + count), 1, seed=3).sample(0)["image1"]).astype(np.uint8)
    for k in range(count):
        trees.put_image(folder / f"f{k}.png", ground[6:42, k : k + 52])
    return folder


def run_folder(folder: Path, data: object, model: FlowModel | None = None) -> Path:
    """What a training run leaves that an export reads."""
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"model": "tiny", "data": data}))
    if model:
        metadata = {"model": model.name, "recipe": "ddflow_quick"}
        save_arrays(folder / "weights.safetensors", model_arrays(model.one_way), metadata)
    return folder


@pytest.mark.parametrize(
    ("data", "specs"),
    [
        ("video:my/film.mp4", ["video:my/film.mp4"]),
        ("my/frames", ["my/frames"]),
        ("video:a.mp4 + chairs:/data + frames:b", ["video:a.mp4", "frames:b"]),
        ("scenes:seed=0,size=96x128", []),
        ("scenes", []),
        ("sintel-final:/data", []),
        (["video:a.mp4"], []),
        (None, []),
    ],
)
def test_a_run_names_its_frames(tmp_path, data, specs):
    assert frames_of_run(run_folder(tmp_path / "run", data)) == specs


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", "[" * 100_000, "\xff"])
def test_a_folder_without_settings_names_none(tmp_path, text):
    (tmp_path / "run.json").write_bytes(text.encode("latin-1"))
    assert frames_of_run(tmp_path) == frames_of_run("pwcnet_mobile") == frames_of_run(tmp_path / "other") == []


def images_of(source) -> set[bytes]:
    samples = [source.sample(i) for i in range(len(source))]
    return {sample[name].tobytes() for sample in samples for name in ("image1", "image2")}


@pytest.mark.parametrize("count", [17, 40, 64])
def test_no_frame_is_for_two_uses(tmp_path, count):
    spec = f"frames:{clip(tmp_path / 'clip', count)}"
    own = open_own([spec])
    learn, select, report = (images_of(source) for source in (own.learn, own.select, own.report))
    assert learn and select and report
    assert not learn & select and not learn & report and not select & report
    assert len(own.learn) >= 10 * len(own.report) > 0
    names = {source.name for source in (own.learn, own.select, own.report)}
    assert names == {f"{spec} (to learn from)", f"{spec} (to select by)", f"{spec} (to report)"}


def test_a_clip_of_a_few_frames_is_used_whole_and_selection_is_on_scenes(tmp_path):
    spec = f"frames:{clip(tmp_path / 'clip', 5)}"
    own = open_own([spec])
    assert own.select is None and len(own.learn) == len(own.report) == 4
    used = export_data(SIZE, 8, own)
    assert used.selection.name.startswith("scenes:") and used.selection.name != used.report[0].name


def test_several_clips_are_shared_out_each(tmp_path):
    own = open_own([f"frames:{clip(tmp_path / 'a', 40)}", f"frames:{clip(tmp_path / 'b', 5)}"])
    assert own.learn.name.endswith("a (to learn from) + frames:" + str(tmp_path / "b")) and len(own.report) == 2


def test_what_is_given_stands_before_the_frames_of_the_run(tmp_path):
    spec = f"frames:{clip(tmp_path / 'clip', 20)}"
    own, truth = open_own([spec]), Scenes(SIZE, 3, seed=77)
    used = export_data(SIZE, 8, own, data=[truth, spec])
    assert training_source(SIZE, own, exact=False, textures=None) is own.learn
    assert training_source(SIZE, own, exact=True, textures=None).name.startswith("scenes:")  # they have no truth
    assert used.calibration is own.learn and used.selection.name == own.select.name
    assert [source.name for source in used.report][1:] == [own.report.name, truth.name]  # the spec is there already
    other = Scenes(SIZE, 3, seed=78)
    chosen = export_data(SIZE, 8, own, calibration=other, training=truth)
    assert chosen.calibration is other and chosen.training is truth
    without = export_data(SIZE, 8, data=[truth])
    assert without.report[0].name == used.report[0].name and without.selection.name.startswith("scenes:")


def test_frames_that_are_gone_are_refused_only_where_something_learns_from_them(tmp_path, capsys, model):
    run = run_folder(tmp_path / "run", "video:gone/holiday.mp4", FlowModel("tiny"))
    arguments = ["--weights", str(run), "--size", "32x48", "--limit", "1", "--out", str(tmp_path / "out")]
    assert to_tflite.main([*arguments, "--precision", "fp32,int8-ptq"]) == 2
    err = capsys.readouterr().err
    assert "learned from video:gone/holiday.mp4, which cannot be read: name frames" in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert to_tflite.main(arguments) == 0
    assert "not reported on the frames of the run" in " ".join(capsys.readouterr().out.split())


def test_fine_tuning_from_the_command_keeps_the_best_of_the_converted(tmp_path, capsys, eagerly, monkeypatch):
    """On frames of the run; its crop is cut to what fits them, and the checkpoint follows the float flow best.

    The distance to the simulation has a limit, so that it is measured on scenes, as all that have one.
    """
    sources = []

    def seen_gap(*given):
        sources.append(given[-1])
        return simulation_gap(*given)

    monkeypatch.setattr(run_module, "simulation_gap", seen_gap)
    spec = f"frames:{clip(tmp_path / 'clip', 20)}"
    run = run_folder(tmp_path / "run", spec, FlowModel("tiny"))
    arguments = ["--weights", str(run), "--size", "32x48", "--precision", "int8-qat", "--devices", "CPU:0"]
    code = to_tflite.main([*arguments, "--steps", "2", "--limit", "2", "--out", str(tmp_path / "out")])
    printed = " ".join(capsys.readouterr().out.split())
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert code == int(bool(report["failures"]))
    kept = tmp_path / "out" / ("model.rejected.tflite" if code else "model.tflite")
    seen = [float(x) for x in re.findall(r"distance to the float flow of the converted network ([\d.]+) px", printed)]
    assert len(seen) == 3  # as calibrated, and after each of two steps
    own = open_own([spec])
    score = selection_score(Reference(load_float(run), Interface(SIZE)), load(kept), own.select)
    assert score == pytest.approx(min(seen), abs=1e-4)
    assert f"calibrating on {len(own.learn)} of the {len(own.learn)} pairs of {spec} (to learn from)" in printed
    assert f"fine-tuning on {spec} (to learn from); selecting on {spec} (to select by)" in printed
    assert [c["source"] for c in report["comparisons"]][1:] == [f"{spec} (to report)"]
    assert [source.name for source in sources] == [report["comparisons"][0]["source"]]
    assert sources[0].name.startswith("scenes:")
    assert report["int8_share_of_multiply_adds"] > 0.7 and "fake_quantized_mean_px" in report["values"]
    if not code:
        assert validate.main([str(tmp_path / "out"), "--weights", str(run), "--limit", "2"]) == 0
        assert "(to report)" in " ".join(capsys.readouterr().out.split())


def test_a_share_keeps_names_and_the_frames_around(tmp_path):
    spec = f"frames:{clip(tmp_path / 'clip', 20)}"
    own, whole = open_own([spec]), open_source(spec)
    assert own.report.record_name(0) == whole.record_name(15)
    neighbours = own.report.with_neighbours().sample(0)
    np.testing.assert_array_equal(neighbours["image0"], whole.sample(14)["image1"])
