"""The three commands, as a person calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from tests.data import trees
from tests.exporting import needs  # noqa: F401 (before what needs it)
from tests.exporting.conftest import SIZE
from tests.training import tiny  # noqa: F401 (registers its networks)
from tfflow.commands import benchmark_export, to_tflite, validate
from tfflow.data.scenes import Scenes
from tfflow.errors import InputError
from tfflow.exporting import facts as facts_module
from tfflow.exporting import limits
from tfflow.exporting.limits import LIMITS, Limit
from tfflow.exporting.manifest import SCHEMA, read_manifest
from tfflow.exporting.precisions import PRECISIONS
from tfflow.exporting.report import Report
from tfflow.exporting.validation import Comparison, failures
from tfflow.models import FlowModel, load, load_float
from tfflow.models.weights import model_arrays, save_arrays

ROOT = Path(__file__).parents[2]
UNTRAINED_INT8 = ["--model", "small_pwc", "--size", "32x48", "--precision", "int8-qat"]


COMMANDS = {"to_tflite": to_tflite, "validate": validate, "benchmark": benchmark_export}


def command(name: str):
    return COMMANDS[name].main


@pytest.fixture(scope="module")
def weights(model, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_arrays(path, model_arrays(model.one_way), {"model": "small_pwc", **model.metadata})
    return path


@pytest.fixture(scope="module")
def out(weights, tmp_path_factory) -> Path:
    """An export of two rungs."""
    folder = tmp_path_factory.mktemp("export")
    size = f"{SIZE[0]}x{SIZE[1]}"
    arguments = ["--weights", str(weights), "--size", size, "--precision", "fp32,int8-weights", "--limit", "3"]
    code = command("to_tflite")([*arguments, "--out", str(folder)])
    assert (folder / "fp32" / "model.tflite").is_file()
    assert code == int(not (folder / "int8-weights" / "model.tflite").is_file())  # 1 where a limit was not kept
    return folder / "fp32"


def test_several_rungs_make_a_ladder(out):
    head, _, *rows = (out.parent / "ladder.md").read_text().splitlines()
    assert "EPE scenes (3)" in head and "ms, 2 threads" in head
    assert [row.split(" | ")[0] for row in rows] == ["| fp32", "| int8-weights"]
    cells = [row.strip("| ").split(" | ") for row in rows]
    assert float(cells[1][1]) < float(cells[0][1])  # MB
    report = json.loads((out / "report.json").read_text())
    assert cells[0][2].startswith(f"{report['comparisons'][0]['mean_over_images']['exported']['epe']:.3f} (")
    assert all(float(x) > 0 for row in cells for x in row[5:7])


def test_the_manifest_says_what_the_file_is(out, weights):
    described = read_manifest(out / "model.json")
    assert described["network"] == "small_pwc" and described["precision"] == "fp32"
    assert [i["name"] for i in described["inputs"]] == ["image1", "image2"]
    assert [o["shape"] for o in described["outputs"]] == [[1, *SIZE, 2]]
    assert described["weights"]["recipe"] == "ddflow_quick" and described["weights"]["steps"] == 3
    exported = load(out / "model.tflite")
    assert {i["name"]: i["index"] for i in described["inputs"] + described["outputs"]} == exported.order
    assert described["numbers"]["largest_px"] < 1e-2


def test_the_report_holds_numbers_and_a_picture(out):
    report = json.loads((out / "report.json").read_text())
    assert report["failures"] == [] and report["operators"]["BATCH_MATMUL float32"] == 3
    comparison = report["comparisons"][0]
    assert comparison["pairs"] == 3 and abs(comparison["epe_change"]) < 1e-3
    assert set(comparison["mean_over_images"]) == {"float", "exported"}
    picture = cv2.imread(str(out / "report.png"))
    assert picture.shape[0] > 2 * SIZE[0] and picture.shape[1] > 5 * SIZE[1] and picture.std() > 10


def test_an_exported_network_predicts_like_the_float_one_at_any_size(out, weights):
    sample = Scenes((45, 60), seed=7).sample(0)
    frames = [np.rint(255 * sample[k]).astype(np.uint8) for k in ("image1", "image2")]
    flow = load(out / "model.tflite").flow(*frames)
    assert flow.shape == (45, 60, 2) and flow.dtype == np.float32
    small = [cv2.resize(f, SIZE[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255 for f in frames]
    expected = cv2.resize(load_float(weights).flow(*small), (60, 45)) * np.float32([60 / SIZE[1], 45 / SIZE[0]])
    np.testing.assert_allclose(flow, expected, rtol=0.02, atol=0.05)


def test_validation_alone_finds_the_same(out, weights, tmp_path, capsys):
    assert command("validate")([str(out), "--weights", str(weights), "--limit", "3", "--out", str(tmp_path)]) == 0
    again, first = (json.loads((f / "report.json").read_text()) for f in (tmp_path, out))
    assert again["comparisons"] == first["comparisons"]
    assert "kept" in capsys.readouterr().out


def test_the_benchmark_prints_medians_and_adb_lines(out, tmp_path, capsys):
    other = next((out.parent / "int8-weights").glob("model*.tflite"))
    arguments = [str(out), str(other), "--threads", "1,2", "--runs", "3", "--json", str(tmp_path / "b.json")]
    assert command("benchmark")(arguments) == 0
    printed = capsys.readouterr().out
    assert "adb push" in printed and "benchmark_model" in printed and "desktop" in printed
    result = json.loads((tmp_path / "b.json").read_text())
    times = result["ms"]
    assert len(times) == 3 and all(0 < median <= p90 for row in times.values() for median, p90 in row)
    first, second, dis = times.values()
    files = result["files"]
    assert files[0]["to_first"] == [1, 1]
    assert files[1]["to_first"] == [pytest.approx(second[i][0] / first[i][0]) for i in (0, 1)]
    assert files[1]["to_dis"] == [pytest.approx(second[i][0] / dis[i][0]) for i in (0, 1)]
    found = [facts_module.facts(path.read_bytes()) for path in (out / "model.tflite", other)]
    assert [(f["operators"], f["xnnpack_pieces"]) for f in files] == [(len(f.operators), f.partitions) for f in found]
    row = next(line for line in printed.splitlines() if line.startswith(f"| {other} "))
    assert f" {len(found[1].operators)} | {found[1].partitions} " in row and f" {files[1]['to_dis'][0]:.2f} |" in row


def test_over_a_limit_the_file_does_not_get_its_name(weights, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(limits.LIMITS, "fp32", (Limit("largest_px", 0.0),))
    size = f"{SIZE[0]}x{SIZE[1]}"
    assert (
        command("to_tflite")(["--weights", str(weights), "--size", size, "--out", str(tmp_path), "--limit", "1"]) == 1
    )
    assert not (tmp_path / "model.tflite").exists() and not (tmp_path / "model.json").exists()
    assert (tmp_path / "model.rejected.tflite").is_file()
    assert "largest_px" in capsys.readouterr().out


ENDS = {"image1": (1, 4, 6, 3), "image2": (1, 4, 6, 3)}, {"flow12": (1, 4, 6, 2)}


def test_numbers_are_held_against_their_limits():
    found = facts_module.Facts((), 0, 0, 0, *ENDS)
    good = {"epe_change": 0.01, "fake_quantized_mean_px": 0.01, "int8_share": 0.99, "size_to_fp32": 0.3}
    assert failures("int8-qat", good, found) == []
    beyond = {"epe_change": 0.05, "int8_share": 0.9, "size_to_fp32": 0.4, "fake_quantized_mean_px": 0.11}
    for name, bad in [*beyond.items(), ("epe_change", float("nan"))]:
        assert len(failures("int8-qat", {**good, name: bad}, found)) == 1
    assert failures("int16x8", {}, found) == []


def test_a_small_file_may_be_large_beside_fp32_if_its_weights_are_small():
    found = facts_module.Facts((), 0, 0, 0, *ENDS)
    good = {"epe_change": 0.01, "fake_quantized_mean_px": 0.01, "int8_share": 0.99, "size_to_fp32": 0.4}
    assert failures("int8-qat", {**good, "bytes_a_weight": 1.2}, found) == []
    assert len(failures("int8-qat", {**good, "bytes_a_weight": 1.3}, found)) == 1


def test_a_small_rise_in_px_passes_in_eight_bits_alone():
    found = facts_module.Facts((), 0, 0, 0, *ENDS)
    assert failures("int8-qat", {"epe_change": 0.06, "epe_rise_px": 0.04}, found) == []
    assert len(failures("int8-weights", {"epe_change": 0.06, "epe_rise_px": 0.04}, found)) == 1
    assert len(failures("int8-qat", {"epe_change": float("nan"), "epe_rise_px": float("nan")}, found)) == 1
    (line,) = failures("int8-qat", {"epe_change": 0.06, "epe_rise_px": 0.07}, found)
    assert line == "epe_change is 0.06, must be at most 0.04, or epe_rise_px at most 0.05"


def test_a_change_is_relative_to_the_float_error():
    comparison = Comparison("s", 1, {"float": {"epe": 2.0}, "exported": {"epe": 2.1}}, {"mean": 0.1})
    assert comparison.epe_change == pytest.approx(0.05) and comparison.epe_rise == pytest.approx(0.1)
    assert np.isnan(Comparison("video", 1, {}, {"mean": 0.1}).epe_change)
    assert Report("fp16", facts_module.Facts((), 1, 2, 3, *ENDS), [], {"drift_mean_px": 0.5}).failures


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--weights", "{weights}", "--size", "33x54"], "multiples of 8"),
        (["--weights", "{weights}", "--size", "big"], "HEIGHTxWIDTH"),
        (["--weights", "{weights}", "--size", "32x48", "--precision", "int9"], "unknown precision 'int9'"),
        (["--size", "32x48"], "give either --weights W or"),
        (["--weights", "{weights}", "--size", "32x48", "--precision", ","], "--precision is empty"),
        (["--weights", "{weights}", "--size", "32x48", "--precision", "int8-qat", "--steps", "0"], "at least 1, got 0"),
        (["--weights", "{weights}", "--size", "32x48", "--seeds", "0"], "--seeds must be at least 1, got 0"),
        (UNTRAINED_INT8, "choose with --recipe"),
        (
            [*UNTRAINED_INT8, "--recipe", "supervised", "--train", "{frames}"],
            "recipe supervised learns from ground truth, and",
        ),
        (["--weights", "nowhere/x.safetensors", "--size", "32x48"], "no such file or folder of weights"),
        (["--weights", "{weights}", "--size", "32x48", "--calibration", "frames:nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(arguments, line, weights, tmp_path, capsys):
    trees.frames(tmp_path / "frames", 2)
    arguments = [a.format(weights=weights, frames=tmp_path / "frames") for a in arguments]
    assert command("to_tflite")([*arguments, "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert line in err and err.startswith("tfflow: ") and err.count("\n") == 1


def test_an_earlier_export_is_kept_unless_it_may_be_replaced(out, weights, capsys):
    size = f"{SIZE[0]}x{SIZE[1]}"
    before = (out / "model.tflite").read_bytes()
    assert command("to_tflite")(["--weights", str(weights), "--size", size, "--out", str(out)]) == 2
    assert "holds an export already" in capsys.readouterr().err
    assert (out / "model.tflite").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["{out}", "--threads", "two"], "argument --threads: expected whole numbers above 0"),
        (["{out}", "--runs", "0"], "--runs must be at least 1, got 0"),
        (["nowhere"], "no exported network at 'nowhere'"),
    ],
)
def test_the_benchmark_says_in_a_line_what_it_cannot_do(arguments, line, out, capsys):
    assert command("benchmark")([a.format(out=out) for a in arguments]) == 2
    assert line in capsys.readouterr().err


def test_validation_refuses_weights_of_another_network(out, tmp_path, capsys):
    other = FlowModel("tiny")
    save_arrays(tmp_path / "tiny.safetensors", model_arrays(other.one_way), {"model": "tiny"})
    assert command("validate")([str(out), "--weights", str(tmp_path / "tiny.safetensors")]) == 2
    assert "holds a small_pwc, and" in capsys.readouterr().err


def test_an_exported_network_is_no_start_of_training(out):
    with pytest.raises(InputError, match="is an exported network; give the weights that it was exported from"):
        load_float(out / "model.tflite")


def test_an_exported_network_has_one_size(out):
    with pytest.raises(InputError, match="is exported for one frame size: it takes no `scales`"):
        load(out / "model.tflite", scales=(1, 2))


def test_another_tflite_is_refused(tmp_path):
    module = tf.Module()
    module.run = tf.function(lambda x: {"y": x + 1.0}, input_signature=[tf.TensorSpec([1, 4])], autograph=False)
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures={"serving_default": module.run})
    (tmp_path / "m.tflite").write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved")).convert())
    with pytest.raises(InputError, match=r"not a flow network of export/to_tflite\.py"):
        load(tmp_path / "m.tflite")


def test_without_the_runtime_the_refusal_says_what_to_install(out, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(InputError, match=r"needs ai-edge-litert: pip install 'tfflow\[export\]'"):
        load(out / "model.tflite")


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda m: m.update(format="tfflow-model-9"), "has format 'tfflow-model-9'"),
        (lambda m: m.update(sha256="0" * 64), "not that file"),
        (lambda m: m["inputs"][0].pop("shape"), "inputs/0: 'shape' is a required property"),
        (lambda m: m.update(file="../x.tflite"), "does not match"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(out, tmp_path, damage, line):
    described = json.loads((out / "model.json").read_text())
    damage(described)
    (tmp_path / "model.json").write_text(json.dumps(described))
    (tmp_path / "model.tflite").write_bytes((out / "model.tflite").read_bytes())
    with pytest.raises(InputError, match=line):
        read_manifest(tmp_path / "model.json")


def test_a_damaged_file_is_refused(out, tmp_path):
    (tmp_path / "m.tflite").write_bytes((out / "model.tflite").read_bytes()[:2000])
    with pytest.raises(InputError, match=r"not a whole \.tflite file"):
        load(tmp_path / "m.tflite")


def test_the_scripts_run_the_commands_without_an_optional_library():
    """`--help` needs none of the extra; each script is one import."""
    missing = "import sys; sys.modules.update(dict.fromkeys(('tensorflow', 'jsonschema', 'ai_edge_litert'))); "
    for script in ("to_tflite", "validate", "benchmark"):
        run_it = f"import runpy; sys.argv = ['x', '--help']; runpy.run_path({str(ROOT / 'export' / script)!r} + '.py', "
        done = subprocess.run(
            [sys.executable, "-c", f"{missing}{run_it}run_name='__main__')"], capture_output=True, text=True, cwd=ROOT
        )
        assert done.returncode == 0 and f"python export/{script}.py" in done.stdout, done.stderr


def missing(library: str, monkeypatch) -> None:
    for loaded in [library, *(name for name in sys.modules if name.split(".")[0] == library)]:
        monkeypatch.setitem(sys.modules, loaded, None)


@pytest.mark.parametrize(
    ("library", "precision"),
    [
        ("jsonschema", "fp32"),
        ("ai_edge_litert", "fp16"),
        ("litert_quantizer", "fp32,int8-weights"),
        ("tensorflow_model_optimization", "int8-ptq"),
    ],
)
def test_a_missing_library_is_named_before_any_work(library, precision, monkeypatch, tmp_path, capsys):
    missing(library, monkeypatch)
    arguments = ["--model", "small_pwc", "--size", "32x48", "--precision", precision]
    assert command("to_tflite")([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"tfflow: this export needs {library}: pip install 'tfflow[export]'\n"
    assert not (tmp_path / "out").exists()


def test_no_quantizer_is_imported_before_a_precision_needs_it():
    blocked = "import sys; sys.modules.update(litert_quantizer=None, tensorflow_model_optimization=None); "
    done = subprocess.run(
        [sys.executable, "-c", blocked + "import tfflow.exporting.run"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_every_precision_has_limits_and_its_place_in_the_schema():
    schema = json.loads(SCHEMA.read_text("utf-8"))
    assert tuple(LIMITS) == PRECISIONS == tuple(schema["properties"]["precision"]["enum"])
