"""docs/photographs.py: what it takes of a package's files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def photographs():
    spec = importlib.util.spec_from_file_location("photographs", DOCS / "photographs.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def picture(seed, height=320, width=400, channels=3):
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, channels), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def coded(suffix, image):
    return cv2.imencode(suffix, image)[1].tobytes()


def resources(*parts):
    """Parts one after another, each with its length before it, as in Qt's files of resources."""
    return b"qres" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def test_pictures_are_found_among_other_bytes(photographs):
    first, second = picture(1), picture(2)
    small, clear = picture(3, height=200), picture(4, channels=4)
    damaged = coded(".webp", picture(5))[:200]
    data = resources(
        b"RIFF but no picture", coded(".webp", first), coded(".webp", small), coded(".webp", clear), b"\xff\xd8\xff no",
        coded(".jpg", second), damaged,
    )  # fmt: skip
    found = dict(photographs.carved(data, "animals"))
    assert list(found) == ["animals_00.png", "animals_j01.png"]
    for image, original in zip(found.values(), (first, second), strict=True):
        assert image.shape == original.shape and np.abs(image.astype(int) - original).mean() < 6


def test_packages_give_the_same_photographs_in_the_same_order(photographs, tmp_path):
    animals = tmp_path / "usr/share/gcompris-qt/rcc"
    nature = tmp_path / "usr/share/backgrounds/mate/nature"
    for folder in (animals, nature):
        folder.mkdir(parents=True)
    (animals / "animals.rcc").write_bytes(resources(coded(".webp", picture(1)), coded(".webp", picture(2))))
    (animals / "babyshapes.rcc").write_bytes(resources(coded(".webp", picture(3))))
    cv2.imwrite(str(nature / "Dune.jpg"), picture(4))
    cv2.imwrite(str(nature.parent.parent / "free_by_someone.jpg"), picture(5))
    names = [name for name, _ in photographs.of_packages(tmp_path)]
    assert names == ["animals_00.png", "animals_01.png", "Dune.png"]


def test_without_packages_one_line_says_what_is_needed_and_nothing_is_written(
    photographs, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(photographs, "PACKAGES", {"no-such-package": "1"})
    monkeypatch.setattr(
        photographs.importlib.util, "find_spec", lambda name: importlib.util.spec_from_loader(name, None, origin="x")
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert photographs.main([str(tmp_path / "out")]) == 2
    assert "needs apt and dpkg with the sources of Debian 12" in capsys.readouterr().err
    monkeypatch.setattr(photographs.importlib.util, "find_spec", lambda name: None)
    assert photographs.main([str(tmp_path / "out")]) == 2
    assert "needs scikit-image: pip install scikit-image" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
