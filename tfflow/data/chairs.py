"""Flying Chairs (Dosovitskiy et al. 2015): 22,872 pairs of 384 x 512, `data/NNNNN_img1.ppm, _img2.ppm, _flow.flo`.

Sets in the same layout may also have `_flow21.flo`, `_occ1.png` and `_occ2.png` (white = occluded), as those of
`tfflow synthesize` do.
"""

from __future__ import annotations

from pathlib import Path

from tfflow.data.images import read_bytes
from tfflow.data.records import Record, Records
from tfflow.data.tree import files
from tfflow.errors import InputError

SPLIT_FILES = ("FlyingChairs_train_val.txt", "chairs_split.txt")  # line k: 1 = pair k trains, 2 = it validates
_FIRST = "_img1.ppm"


def open_chairs(path: Path, name: str, on_error: str = "stop", split: str | None = None) -> Records:
    """The pairs in `path` or `path/data`. split: "train" or "val" selects pairs by the official split file.

    Raises InputError if there is no pair, or if a split is selected and there is no usable split file.
    """
    folder = path / "data" if (path / "data").is_dir() else path
    names = {file.name for file in files(folder, (".ppm", ".flo", ".png"))}
    stems = sorted(file[: -len(_FIRST)] for file in names if file.endswith(_FIRST))
    if not stems:
        raise InputError(f"'{path}' is not Flying Chairs: expected files like 00001{_FIRST} in it or in data/")
    if split:
        part = {"train": "1", "val": "2"}[split]
        parts = _read_split(path, folder)
        stems = [stem for stem in stems if _part_of(stem, parts, path) == part]
    labelled = any(file.endswith("_flow.flo") for file in names)

    def record(stem: str) -> Record:
        def extra(ending: str) -> Path | None:
            return folder / f"{stem}{ending}" if f"{stem}{ending}" in names else None

        return Record(
            name=stem,
            image1=folder / f"{stem}{_FIRST}",
            image2=folder / f"{stem}_img2.ppm",
            flow=folder / f"{stem}_flow.flo" if labelled else None,
            occluded=extra("_occ1.png"),
            flow21=extra("_flow21.flo"),
            occluded2=extra("_occ2.png"),
        )

    return Records(name, [record(stem) for stem in stems])


def _read_split(path: Path, folder: Path) -> list[str]:
    for place in (path, folder, folder.parent):
        for name in SPLIT_FILES:
            if (place / name).is_file():
                parts = read_bytes(place / name).decode("ascii", "replace").split()
                if set(parts) - {"1", "2"}:
                    raise InputError(f"'{place / name}' is damaged: expected a 1 (train) or 2 (val) a line")
                return parts
    raise InputError(f"'{path}' has no split file: put {' or '.join(SPLIT_FILES)} into it, or use the kind chairs")


def _part_of(stem: str, parts: list[str], path: Path) -> str:
    number = int(stem) if stem.isdecimal() else 0
    if not 1 <= number <= len(parts):
        raise InputError(f"the split file of '{path}' has {len(parts)} lines: expected one for pair {stem!r}")
    return parts[number - 1]
