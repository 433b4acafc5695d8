"""HD1K (Kondermann et al. 2016): `hd1k_input/image_2/SSSSSS_NNNN.png`, flow in `hd1k_flow_gt/flow_occ/`, as KITTI."""

from __future__ import annotations

import re
from pathlib import Path

from tfflow.data.records import Record, Records
from tfflow.data.tree import files, first_with

_FRAME = re.compile(r"(\d{6})_(\d{4})\.png")


def open_hd1k(path: Path, name: str, on_error: str = "stop") -> Records:
    """Consecutive frames of each sequence. If any pair has flow, only pairs with flow.

    Raises InputError if the folder of frames is not there or holds no pair.
    """
    root = first_with([path], ["hd1k_input"], "HD1K")
    truth = root / "hd1k_flow_gt" / "flow_occ"
    frames = _numbered(root / "hd1k_input" / "image_2")
    flows = _numbered(truth) if truth.is_dir() else {}
    records = [
        Record(
            file.stem,
            file,
            frames[sequence, number + 1],
            flow=flows.get((sequence, number)),
            before=frames.get((sequence, number - 1)),
            after=frames.get((sequence, number + 2)),
        )
        for (sequence, number), file in sorted(frames.items())
        if (sequence, number + 1) in frames and (not flows or (sequence, number) in flows)
    ]
    return Records(name, records)


def _numbered(folder: Path) -> dict[tuple[str, int], Path]:
    matches = ((_FRAME.fullmatch(file.name), file) for file in files(folder, (".png",)))
    return {(match[1], int(match[2])): file for match, file in matches if match}
