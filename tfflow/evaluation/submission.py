"""Flow files in the layout of the benchmark servers of MPI-Sintel and KITTI."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tfflow.data.formats import write_flo, write_kitti_png
from tfflow.errors import InputError

LAYOUTS = {"sintel": ("sintel-clean", "sintel-final"), "kitti": ("kitti2012", "kitti2015")}


def submission_path(layout: str, source: str, record: str) -> Path:
    """The path of the flow of one record, below the submission's folder.

    layout: "sintel" or "kitti". source: its name, "sintel-final:/data/sintel". record: "alley_1/frame_0001".
    sintel: `<clean|final>/<scene>/frame%04d.flo`, counted from 1; unlike images, without an underscore.
    kitti: `kitti2012/000000_10.png`, `kitti2015/flow/000000_10.png`; zip the content of `kitti2012` or `kitti2015`.
    Raises InputError if the source is of another data set or the record has no frame number.
    """
    kind = source.partition(":")[0]
    if kind not in LAYOUTS[layout]:
        expected = " or ".join(f"{k}:PATH" for k in LAYOUTS[layout])
        raise InputError(f"a {layout} submission is made of {expected}, got {source}; leave it out or run it apart")
    number = re.search(r"(\d+)(?:_10)?$", record)
    if number is None:
        raise InputError(f"a {layout} submission counts frames, but '{record}' of {source} ends in no number")
    if layout == "sintel":
        scene = record.split("/")[-2] if "/" in record else ""
        return Path(kind.removeprefix("sintel-"), scene, f"frame{int(number[1]):04d}.flo")
    return Path(kind, *["flow"] * (kind == "kitti2015"), f"{int(number[1]):06d}_10.png")


def write_submission(folder: str | Path, layout: str, source: str, record: str, flow: np.ndarray) -> Path:
    """Writes one flow [h, w, 2], px at full resolution, to `submission_path`. Returns the path.

    KITTI's PNG stores flow in [-512, 512) px, rounded to 1/64 px, with every pixel valid. The file is complete or
    absent.
    """
    path = Path(folder) / submission_path(layout, source, record)
    (write_flo if layout == "sintel" else write_kitti_png)(path, flow)
    return path
