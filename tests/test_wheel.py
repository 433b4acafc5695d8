"""A wheel is whole: in a folder outside the repository it trains, predicts, exports and validates."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("setuptools")
pytest.importorskip("ai_edge_litert")

ROOT = Path(__file__).parents[1]

WAY = """
import tfflow
from tfflow.commands.main import main

first, second = map(str, tfflow.sample_pair())
small = ["--data", "scenes:size=64x64,count=2", "--steps", "2", "--batch", "1", "--crop", "64x64", "--val-limit", "1"]
assert main(["train", "--recipe", "back_to_basics", "--model", "spynet_mobile", *small, "--out", "run"]) == 0
assert main(["predict", first, second, "--weights", "run", "--out", "flow.flo"]) == 0
assert main(["predict", first, second, "--out", "pretrained.flo"]) == 0
assert main(["export", "--weights", "run", "--size", "64x64", "--limit", "1", "--out", "out"]) == 0
assert main(["validate", "out", "--weights", "run", "--limit", "1"]) == 0
print(tfflow.__file__)
"""


def python(*arguments, cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this tree, built from a copy, so that nothing is left in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "tfflow", folder / "tree" / "tfflow", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "tree" / name)
    python("-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, folder / "tree", cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


def test_a_wheel_holds_all_that_git_has_of_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("tfflow/")}
    expected = {p.relative_to(ROOT).as_posix() for p in (ROOT / "tfflow").rglob("*") if p.is_file()}
    assert held == {name for name in expected if "__pycache__" not in name}
    assert {"tfflow/py.typed", "tfflow/exporting/manifest.schema.json", "tfflow/samples/frame1.jpg"} <= held


def test_a_wheel_in_another_folder_trains_predicts_exports_and_validates(wheel, tmp_path):
    python("-m", "pip", "install", "-q", "--no-deps", "--target", tmp_path / "installed", wheel, cwd=tmp_path)
    (tmp_path / "work").mkdir()
    out = python("-c", WAY, cwd=tmp_path / "work", PYTHONPATH=str(tmp_path / "installed"), TF_CPP_MIN_LOG_LEVEL="3")
    assert out.splitlines()[-1] == str(tmp_path / "installed" / "tfflow" / "__init__.py")
    made = {p.relative_to(tmp_path / "work").as_posix() for p in (tmp_path / "work").rglob("*") if p.is_file()}
    assert {"run/weights.safetensors", "flow.flo", "pretrained.flo", "out/model.tflite", "out/model.json"} <= made
    assert (tmp_path / "work" / "flow.flo").stat().st_size == 12 + 8 * 384 * 512
