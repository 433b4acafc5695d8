"""KITTI flow 2012 (Geiger et al.) and 2015 (Menze, Geiger), and their multi-view extensions with 21 frames a scene.

Layout: `<images>/NNNNNN_FF.png` in `training/` and `testing/`. Ground truth of the pair 10 -> 11, in training only, is
in `flow_occ/` (all pixels) and `flow_noc/` (visible pixels).
"""

from __future__ import annotations

import re
from pathlib import Path

from tfflow.data.records import Record, Records
from tfflow.data.tree import files, first_with

IMAGES = {"2012": ("colored_0", "image_0"), "2015": ("image_2",)}
MULTIVIEW = (range(0, 9), range(13, 21))  # without frames 9 to 12, around the benchmark's pair

_FRAME = re.compile(r"(\d{6})_(\d\d)\.png")


def open_kitti(path: Path, name: str, on_error: str = "stop", year: str = "2015") -> Records:
    """The pairs NNNNNN_10 -> NNNNNN_11 of `path`, `path/training` or `path/testing`. For 2012, colour if it is there.

    visible1 is 1 where flow_noc is valid. Raises InputError if the year's image folder is missing or has no pair.
    """
    root = first_with([path, path / "training", path / "testing"], IMAGES[year], f"KITTI {year}")
    images = next(root / folder for folder in IMAGES[year] if (root / folder).is_dir())
    occ, noc = root / "flow_occ", root / "flow_noc"
    frames = _frames(
        images
    )  # with the multi-view extension in the same folder, also the frames before and after the pair
    records = [
        Record(
            name=file.stem,
            image1=file,
            image2=images / f"{scene}_11.png",
            before=frames.get((scene, 9)),
            after=frames.get((scene, 12)),
            flow=occ / file.name if occ.is_dir() else None,
            flow_noc=noc / file.name if noc.is_dir() else None,
        )
        for (scene, frame), file in sorted(frames.items())
        if frame == 10
    ]
    return Records(name, records)


def open_multiview(path: Path, name: str, on_error: str = "stop") -> Records:
    """Consecutive pairs without ground truth, within frames 00-08 and within 13-20 of each scene.

    path: `training`, `testing`, or the folder of both, which gives training first. Raises InputError if there is no
    image folder or no pair.
    """
    kinds = IMAGES["2015"] + IMAGES["2012"]
    first_with([path, path / "training", path / "testing"], kinds, "KITTI multi-view")
    records = []
    for root, prefix in ((path, ""), (path / "training", "training/"), (path / "testing", "testing/")):
        images = next((root / folder for folder in kinds if (root / folder).is_dir()), None)
        frames = _frames(images) if images else {}
        for (scene, frame), file in sorted(frames.items()):
            run = next((run for run in MULTIVIEW if frame in run and frame + 1 in run), range(0))
            near = {n: frames.get((scene, n)) for n in range(frame - 1, frame + 3) if n in run}
            if second := near.get(frame + 1):
                before, after = near.get(frame - 1), near.get(frame + 2)
                records.append(Record(prefix + file.stem, file, second, before=before, after=after))
    return Records(name, records)


def _frames(folder: Path) -> dict[tuple[str, int], Path]:
    matches = ((_FRAME.fullmatch(file.name), file) for file in files(folder, (".png",)))
    return {(match[1], int(match[2])): file for match, file in matches if match}
