"""The house has one direction: no import runs back, no module is a drawer for everything, no file grows too long."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "tfflow"

# What stands on a later line may import what stands on an earlier one, and its own line. Modules that lie in tfflow/
# itself are the bottom, where named here, or else doors of commands, which are on top, as is every __main__.
ORDER = [
    {"defaults", "errors", "files", "interrupt", "limits", "memory", "messages", "registry", "terminal"},
    {"ops"},
    {"data"},
    {"augmentation"},
    {"layers"},
    {"models"},
    {"losses"},
    {"recipes"},
    {"training"},
    {"evaluation"},
    {"exporting"},
    {"api"},
    {"commands"},
]
FLOOR = {place: floor for floor, places in enumerate(ORDER) for place in places}
TOP = len(ORDER)
PUBLIC = {"", "InputError", "load", "__version__"}  # what `from tfflow import ...` gives besides modules
FILES = sorted(ROOT.rglob("*.py"))


def place_of(module: str) -> str:
    """ "tfflow.ops.warp" -> "ops"; "tfflow" -> ""; "tfflow.recipes.__main__" -> "__main__", the door of a command."""
    if module.endswith(".__main__"):
        return "__main__"
    return module.split(".")[1] if "." in module else ""


def module_of(file: Path) -> str:
    parts = [ROOT.name, *file.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, module: str, is_package: bool) -> list[str]:
    """Every tfflow module that is imported anywhere in the file, inside functions too."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = module.split(".") if is_package else module.split(".")[:-1]
                base = ".".join([*here[: len(here) - node.level + 1], *([base] if base else [])])
            # `from tfflow import ops` imports a module, `from tfflow.ops import splat` a name of one.
            found += [f"{base}.{name.name}" for name in node.names] if base == ROOT.name else [base]
    return [name for name in found if name.split(".")[0] == ROOT.name]


def arrows_back(source: str, module: str, is_package: bool = False) -> list[str]:
    floor = FLOOR.get(place_of(module), TOP)
    return [
        f"{module} imports {imported}"
        for imported in imports(ast.parse(source), module, is_package)
        if place_of(imported) not in PUBLIC and FLOOR.get(place_of(imported), TOP) > floor
    ]


@pytest.mark.parametrize("file", [f for f in FILES if f != ROOT / "__init__.py"], ids=module_of)
def test_no_import_runs_back(file):
    assert not arrows_back(file.read_text("utf-8"), module_of(file), file.stem == "__init__")


def test_the_package_itself_imports_only_the_bottom_unless_inside_a_function():
    tree = ast.parse((ROOT / "__init__.py").read_text("utf-8"))
    body = [n for n in tree.body if not (isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")]
    at_import = ast.Module([node for node in body if not isinstance(node, ast.FunctionDef)], [])
    assert {place_of(name) for name in imports(at_import, "tfflow", True)} <= ORDER[0]


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import tfflow.models", "tfflow.ops.warp"),
        ("from tfflow.models import load", "tfflow.ops.warp"),
        ("from tfflow import models", "tfflow.layers.values"),
        ("def f():\n    from tfflow.training.loop import run", "tfflow.recipes.ddflow"),
        ("from ..losses import terms", "tfflow.models.pwcnet"),
        ("from tfflow import train", "tfflow.evaluation.metrics"),
    ],
)
def test_an_arrow_that_runs_back_is_seen(source, module):
    assert len(arrows_back(source, module)) == 1


def test_arrows_that_run_on_are_free():
    source = "from tfflow import ops\nfrom tfflow.errors import InputError\nfrom . import blocks\nimport tensorflow"
    assert not arrows_back(source, "tfflow.models.pwcnet")
    assert not arrows_back("from tfflow.training import loop\nfrom tfflow import __version__", "tfflow.train")


@pytest.mark.parametrize("file", [f for f in FILES if "commands" not in f.parts], ids=module_of)
def test_the_library_reads_no_command_line(file):
    text = file.read_text("utf-8").replace('"argparse.Namespace"', "")  # a name that files of PyTorch may hold
    assert "argparse" not in text and not re.search(r"sys\.argv(\[.*\])? = ", text)


def test_every_folder_has_its_place_in_the_order():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert folders <= set(FLOOR)
    assert all((ROOT / folder / "__init__.py").is_file() for folder in folders)  # else no wheel holds it


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_no_file_is_a_drawer_or_too_long(file):
    assert "util" not in file.stem and "helper" not in file.stem and file.stem not in ("common", "misc")
    assert len(file.read_text("utf-8").splitlines()) <= 400
