"""Spring (Mehl et al. 2023): `<train|test>/<scene>/frame_<side>/frame_<side>_NNNN.png`; flow in training only.

`flow_FW_<side>/flow_FW_<side>_NNNN.flo5` and `flow_BW_...` have twice the frames' height and width, in pixels of the
frames. The upper left one of each 2 x 2 values is used, because a mean would mix two motions at an edge.
"""

from __future__ import annotations

from pathlib import Path

from tfflow.data.records import Record, Records
from tfflow.data.tree import files, first_with, folders

SIDES = ("left", "right")


def open_spring(path: Path, name: str, on_error: str = "stop") -> Records:
    """Consecutive frames of both cameras of `path/train`, `path/test` or `path`, with flow if it is unpacked.

    Raises InputError if no scene or no pair is found.
    """
    first_with([path], ["train", "test", "0001", *(p.name for p in folders(path) if p.name.isdecimal())], "Spring")
    root = next((path / part for part in ("train", "test") if (path / part).is_dir()), path)
    records = []
    for scene in folders(root):
        for side in SIDES:
            folder = scene / f"frame_{side}"
            at = {_number(file): file for file in files(folder, (".png",))} if folder.is_dir() else {}
            forward, backward = (scene / f"flow_{way}_{side}" for way in ("FW", "BW"))
            for number, file in at.items():
                if number + 1 in at:
                    known = forward.is_dir(), backward.is_dir()
                    records.append(
                        Record(
                            f"{scene.name}/{side}_{number:04d}",
                            file,
                            at[number + 1],
                            flow=forward / f"{forward.name}_{number:04d}.flo5" if known[0] else None,
                            flow21=backward / f"{backward.name}_{number + 1:04d}.flo5" if all(known) else None,
                            flow_step=2,
                            before=at.get(number - 1),
                            after=at.get(number + 2),
                        )
                    )
    return Records(name, records)


def _number(file: Path) -> int:
    digits = file.stem.rpartition("_")[2]
    return int(digits) if digits.isdecimal() else -2  # not a frame of the set; -2 is next to no number
