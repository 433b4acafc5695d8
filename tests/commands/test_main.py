"""The command `tfflow`: its help is quick, its subcommands are those of old, and a shell can complete it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tfflow
from tfflow.commands.main import COMMANDS, main, module_of

ROOT = Path(__file__).parents[2]


def python(code: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)


HELP = """
import sys
from tfflow.commands.main import COMMANDS, main, module_of
try:
    main(["--help"])
except SystemExit as end:
    assert not end.code
slow = {"tensorflow", "cv2", "matplotlib"} & set(sys.modules)
assert not slow, slow
for name in set(COMMANDS) - {"benchmark", "synthesize", "import-weights"}:
    assert module_of(name).parser().format_help()
assert "tensorflow" not in sys.modules
"""


def test_help_lists_all_subcommands_and_imports_no_tensorflow():
    done = python(HELP)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and all(f"\n  {name} " in done.stdout for name in COMMANDS)


def test_the_version_is_the_package_s(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0 and capsys.readouterr().out == f"tfflow {tfflow.__version__}\n"


def test_an_unknown_subcommand_is_refused_in_one_line(capsys):
    assert main(["trane"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("tfflow: argument COMMAND: invalid choice: 'trane' (choose from ") and err.count("\n") == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_has_its_own_help(name):
    text = module_of(name).parser().format_help()
    assert text.startswith(f"usage: tfflow {name}") and "--help" in text


def test_what_parsers_offer_without_tensorflow_is_what_the_library_has():
    from tfflow.commands import evaluate, options, predict, train
    from tfflow.data.damage import ON_ERROR
    from tfflow.evaluation import flow_video, refinement, submission, writer
    from tfflow.training.trainer import PRECISIONS

    assert options.ON_ERROR == ON_ERROR and tuple(refinement.REFINEMENTS) == options.REFINEMENTS
    assert sorted(submission.LAYOUTS) == list(evaluate.SUBMISSIONS) and train.PRECISIONS == PRECISIONS
    assert predict.FORMATS == writer.FORMATS and predict.LAYOUTS == flow_video.LAYOUTS


def test_every_kind_of_data_is_in_one_list_to_which_each_help_points(capsys):
    from tfflow.data.sources import DESCRIPTIONS, KINDS, SCENES, register_data

    assert sorted(", ".join(DESCRIPTIONS).split(", ")) == sorted([*KINDS, SCENES])
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "docs" / "data.md").read_text("utf-8"), re.MULTILINE)
    assert [row.replace("`", "") for row in rows] == list(DESCRIPTIONS)
    register_data("toy", lambda path: None)
    assert main(["data"]) == 0
    shown = capsys.readouterr().out
    assert all(kind in shown for kind in [*KINDS, SCENES, "toy"])
    for name in COMMANDS:
        text = module_of(name).parser().format_help()
        assert text.endswith("`tfflow data` lists the kinds of KIND:PATH.\n") == ("KIND:PATH" in text), name
        assert ("--data" in text) <= ("KIND:PATH" in text) or name == "data"


@pytest.mark.parametrize(
    ("name", "former", "present"),
    [
        ("phone", "--network", "--weights"),
        ("predict", "--max-flow", "--full"),
        ("release", "--box", "--pretrained"),
    ],
)
def test_former_names_of_options_are_taken_and_not_shown(name, former, present):
    parser, dest = module_of(name).parser(), present[2:]
    assert former not in parser.format_help() and present in parser.format_help()
    for option in (former, present):
        assert str(getattr(parser.parse_args(["clip", option, "7"]), dest)) in ("7", "7.0")
    assert str(getattr(parser.parse_args(["clip"]), dest)) in ("None", "pwcnet_mobile_v4")
    assert parser.options()[dest] == present


MODULES = {
    "recipes": "recipes", "train": "train", "predict": "predict", "evaluate": "evaluate", "benchmark": "benchmark",
    "web": "web", "compare": "compare", "synthesize": "synthesize", "import_weights": "import-weights",
    "release": "release",
}  # fmt: skip


def test_python_m_and_the_scripts_of_export_are_the_same_commands():
    for module, name in MODULES.items():
        file = ROOT / "tfflow" / f"{module}.py"
        text = (file if file.is_file() else ROOT / "tfflow" / module / "__main__.py").read_text()
        assert f'main = command_of("{name}")' in text
    for script, name in {"to_tflite": "export", "validate": "validate", "benchmark": "benchmark-export"}.items():
        assert f'main = command_of("{name}")' in (ROOT / "export" / f"{script}.py").read_text()
    done = subprocess.run(
        [sys.executable, "export/to_tflite.py", "--size", "big"], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "tfflow: argument --size: expected HEIGHTxWIDTH such as 192x256, got 'big'; see --help\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [("tfflow tr", {"train"}), ("tfflow train --lear", {"--learning-rate"}), ("tfflow export --quart", {"--quarter"})],
)
def test_a_shell_completes_subcommands_and_options(line, expected, tmp_path):
    answer = tmp_path / "answer"
    python(
        "from tfflow.commands.main import main; main([])",
        COMP_LINE=line, COMP_POINT=str(len(line)), _ARGCOMPLETE="1", _ARGCOMPLETE_STDOUT_FILENAME=str(answer),
    )  # fmt: skip
    assert {word.strip() for word in answer.read_text().split("\v")} == expected


NOISY = """
import logging, os, sys
from tfflow.commands.quiet import without_noise
logging.getLogger("tensorflow").addHandler(logging.StreamHandler())
with without_noise():
    os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n")
    os.write(2, b"I0000 00:00:17.5 30 port.cc:153] oneDNN custom operations are on.\\n")
    os.write(2, b"E0000 00:00:17.5 30 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error\\n")
    os.write(2, b"W0000 00:00:17.5 30 x.cc:1] remapper failed: Mutation::Apply error\\nE0000 00:00:17.5 30 x.cc:2] a")
    os.write(2, b" true error\\nIt is no message of the machine\\n")
    print("tfflow: a line of Python's own", file=sys.stderr)
    logging.getLogger("tensorflow").warning("5 out of the last 8 calls to %s triggered tf.function retracing.", "f")
    logging.getLogger("tensorflow").warning("a warning of TensorFlow's own")
    sys.stderr.flush()
    exec(sys.argv[1])
    print("the end", file=sys.stderr)
print("after", file=sys.stderr)
"""


@pytest.mark.parametrize("end", ["pass", "os._exit(3)", "os.abort()", "raise ValueError('broken')"])
def test_messages_about_the_machine_are_left_out_of_stderr_and_errors_pass(end):
    done = python(NOISY, end, **{"PYTHONFAULTHANDLER": ""})
    lines = set(done.stderr.splitlines())
    kept = {
        "E0000 00:00:17.5 30 x.cc:2] a true error",
        "It is no message of the machine",
        "a warning of TensorFlow's own",
    }
    assert kept | {"tfflow: a line of Python's own"} <= lines
    assert not any(word in done.stderr for word in ("oneDNN", "cuInit", "remapper", "InitializeLog", "retracing"))
    if end == "pass":
        assert lines == kept | {"tfflow: a line of Python's own", "the end", "after"} and done.returncode == 0
    if "raise" in end:
        assert "ValueError: broken" in lines


def test_who_sets_tensorflow_s_own_variable_sees_its_messages():
    done = python(NOISY, "pass", TF_CPP_MIN_LOG_LEVEL="0")
    assert "oneDNN" in done.stderr and "the end" in done.stderr
