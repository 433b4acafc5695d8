"""MPI-Sintel (Butler et al. 2012): `training/<pass>/<scene>/frame_NNNN.png`, 436 x 1024, passes clean and final.

Ground truth: `flow/`, and if unpacked `occlusions/` (white = occluded) and `invalid/` (white = no ground truth).
"""

from __future__ import annotations

from pathlib import Path

from tfflow.data.records import Record, Records
from tfflow.data.tree import files, first_with, folders
from tfflow.errors import InputError


def open_sintel(path: Path, name: str, on_error: str = "stop", rendering: str = "clean") -> Records:
    """Pairs of consecutive frames of `path`, `path/training` or `path/test`. The test set has no flow.

    Raises InputError if the pass is missing or holds no two consecutive frames.
    """
    root = first_with([path, path / "training", path / "test"], [rendering], "MPI-Sintel")
    labelled = (root / "flow").is_dir()
    records = []
    for scene in folders(root / rendering):
        frames = {_number(file): file for file in files(scene, (".png",))}
        occluded, invalid = (_names(root / truth / scene.name) for truth in ("occlusions", "invalid"))
        for number, file in sorted(frames.items()):
            if number + 1 not in frames:
                continue
            record = Record(
                name=f"{scene.name}/{file.stem}",
                image1=file,
                image2=frames[number + 1],
                flow=root / "flow" / scene.name / f"{file.stem}.flo" if labelled else None,
                occluded=root / "occlusions" / scene.name / file.name if file.name in occluded else None,
                invalid=root / "invalid" / scene.name / file.name if labelled and file.name in invalid else None,
                before=frames.get(number - 1),
                after=frames.get(number + 2),
            )
            records.append(record)
    return Records(name, records)


def _names(folder: Path) -> set[str]:
    return {file.name for file in files(folder, (".png",))} if folder.is_dir() else set()


def _number(file: Path) -> int:
    digits = file.stem.rpartition("_")[2]
    if not digits.isdecimal():
        raise InputError(f"'{file}' is no Sintel frame: expected a name like frame_0001.png")
    return int(digits)
