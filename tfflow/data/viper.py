"""VIPER (Richter et al. 2017), in the layout of its archives: `<train|val|test>/img/SSS/SSS_NNNNN.jpg`, or .png.

Flow to the next frame is in `flow/SSS/SSS_NNNNN.npz`, flow to the frame before in `flowbw/`: arrays u and v of 16-bit
floats. Values without ground truth are not finite.
"""

from __future__ import annotations

import re
from pathlib import Path

from tfflow.data.records import Record, Records
from tfflow.data.tree import files, first_with, folders

IMAGES = (".jpg", ".png")

_FRAME = re.compile(r"(\d{3}_)(\d{5})\.\w+")


def open_viper(path: Path, name: str, on_error: str = "stop", part: str = "train") -> Records:
    """Consecutive frames of each sequence of `path/part` or `path`. If any pair has flow, only pairs with flow.

    Raises InputError if there is no folder of frames or no pair.
    """
    root = first_with([path, path / part], ["img"], f"VIPER, or its half {part}")
    frames = _numbered(root / "img", IMAGES)
    flows, back = (_numbered(root / folder, (".npz",)) for folder in ("flow", "flowbw"))
    records = [
        Record(
            f"{sequence}{number:05d}",
            file,
            frames[sequence, number + 1],
            flow=flows.get((sequence, number)),
            flow21=back.get((sequence, number + 1)),
            before=frames.get((sequence, number - 1)),
            after=frames.get((sequence, number + 2)),
        )
        for (sequence, number), file in sorted(frames.items())
        if (sequence, number + 1) in frames and (not flows or (sequence, number) in flows)
    ]
    return Records(name, records)


def _numbered(root: Path, suffixes: tuple[str, ...]) -> dict[tuple[str, int], Path]:
    """The files of all sequences, by sequence and number. Empty if there is no such folder."""
    found = [file for folder in (folders(root) if root.is_dir() else ()) for file in files(folder, suffixes)]
    matches = ((_FRAME.fullmatch(file.name), file) for file in found)
    return {(match[1], int(match[2])): file for match, file in matches if match}
