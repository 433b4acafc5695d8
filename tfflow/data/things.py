"""FlyingThings3D (Mayer et al. 2016), in the layout of its archives.

Frames in `frames_<pass>/<TRAIN|TEST>/<A|B|C>/<scene>/<left|right>/NNNN.png`; flow in
`optical_flow/<TRAIN|TEST>/<A|B|C>/<scene>/<into_future|into_past>/<side>/OpticalFlowInto<Future|Past>_NNNN_<L|R>.pfm`.
"""

from __future__ import annotations

from pathlib import Path

from tfflow.data.records import Record, Records
from tfflow.data.tree import files, first_with, folders


def open_things(
    path: Path, name: str, on_error: str = "stop", rendering: str = "clean", part: str = "TRAIN"
) -> Records:
    """Consecutive frames of both cameras, with flow in both directions if it is unpacked.

    The backward flow is the second frame's flow into the past. Raises InputError if the pass is missing or has no pair.
    """
    frames = f"frames_{rendering}pass"
    root = first_with([path], [frames], "FlyingThings3D")
    flow = root / "optical_flow" / part
    records = []
    for letter in folders(root / frames / part):
        for scene in folders(letter):
            for side in folders(scene):
                at = {int(file.stem): file for file in files(side, (".png", ".webp")) if file.stem.isdecimal()}
                truth = flow / letter.name / scene.name
                for number, file in at.items():
                    if number + 1 in at:
                        known = (truth / "into_future").is_dir(), (truth / "into_past").is_dir()
                        records.append(
                            Record(
                                f"{letter.name}/{scene.name}/{side.name}/{file.stem}",
                                file,
                                at[number + 1],
                                flow=_flow(truth, "Future", side.name, file) if known[0] else None,
                                flow21=_flow(truth, "Past", side.name, at[number + 1]) if all(known) else None,
                                before=at.get(number - 1),
                                after=at.get(number + 2),
                            )
                        )
    return Records(name, records)


def _flow(truth: Path, into: str, side: str, frame: Path) -> Path:
    letter = side[:1].upper()
    return truth / f"into_{into.lower()}" / side / f"OpticalFlowInto{into}_{frame.stem}_{letter}.pfm"
