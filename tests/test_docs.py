"""What README and docs say: their code runs, their commands are taken, their links lead somewhere, they are short."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import unquote

import pytest

from tfflow.commands.main import COMMANDS, module_of

ROOT = Path(__file__).parents[1]
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
PAGES = [README, CONTRIBUTING, *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*_demo/README.md"))]
MOST_WORDS, MOST_TERMS = 1_500, 20
PRIVATE = re.compile(
    r"\b(the box|looks? (once|twice|several times)|there and back|hidden pixels?|not told|is told)\b", re.IGNORECASE
)


def code(page: Path) -> list[str]:
    """The blocks of Python of a page."""
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def commands(page: Path) -> list[str]:
    """The command lines of a page that call `tfflow`."""
    lines = re.findall(r"^ {4}(?:.* && )?(tfflow [^#\n]*)", page.read_text("utf-8"), re.MULTILINE)
    return [line.strip() for line in lines if "[" not in line and "..." not in line and " RUN " not in line]


def test_the_page_about_keras_runs_from_its_first_line_to_its_last(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    got: dict = {}
    for block in code(ROOT / "docs" / "keras.md"):
        exec(block, got)
    assert got["flow"].shape == (90, 120, 2) and got["own_flow"].shape == (1, 64, 96, 2)
    assert got["costs"].shape == (1, 32, 40, 81) and float(got["loss"]) > 0
    assert repr(got["mine"]).startswith("<FlowModel spynet_mobile, weights mine.safetensors")


def test_the_page_about_predicting_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    got: dict = {}
    for block in code(ROOT / "docs" / "predicting.md"):
        exec(block, got)
    assert (tmp_path / "flow.flo").stat().st_size > 8 * 384 * 512 and got["tracks"].points.shape == (2, 2, 2)
    assert "(384, 512, 2)" in capsys.readouterr().out


def test_the_first_lines_of_python_in_the_readme_give_what_they_say(capsys):
    exec(code(README)[0], {})
    assert capsys.readouterr().out == "(384, 512, 2) float32\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_line_is_taken_by_its_parser(page):
    for line in commands(page):
        name, *rest = shlex.split(line.replace("$(python -c", "").replace(")", ""))[1:]
        assert name in COMMANDS, line
        parser = module_of(name).parser()
        assert parser.parse_known_args(rest)[1] == [], line


def test_command_lines_are_found():
    assert len(commands(README)) >= 10 and any("benchmark-export" in line for line in commands(README))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_to_one(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert "://" in target or (page.parent / unquote(target)).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_private_words(page):
    assert not PRIVATE.findall(page.read_text("utf-8"))


def test_the_readme_is_short_and_begins_with_the_two_lines_of_set_up():
    text = README.read_text("utf-8")
    assert len(text.split()) <= MOST_WORDS
    assert "pip install -e . && python -m tfflow.train" in text and "pip install -e '.[test]' && pytest" in text


def test_the_glossary_has_few_terms_and_each_once():
    terms = re.findall(r"^\| (.+?) \|", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)[2:]
    assert 10 <= len(terms) == len(set(terms)) <= MOST_TERMS


def test_the_moving_picture_is_small():
    assert 0 < (ROOT / "docs" / "clip.webp").stat().st_size < 1_500_000
