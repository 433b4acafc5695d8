"""A folder of frames without labels: consecutive images in natural order, or one clip a subfolder."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

from tfflow.data.images import IMAGE_SUFFIXES, image_size
from tfflow.data.records import Record, Records
from tfflow.data.tree import files, folders
from tfflow.errors import InputError


def open_frames(path: Path, name: str, on_error: str = "stop") -> Records:
    """Pairs of consecutive images of `path`; if it holds none itself, of each of its subfolders.

    With on_error="stop" the header of every image is read here, so that a frame of another size than its clip is
    refused before hours of work; with "skip" such a frame is refused when its pair is read.
    Raises InputError: nothing there, a single frame, a frame of another size.
    """
    clips = {"": files(path)}
    if not clips[""]:
        clips = {f"{folder.name}/": files(folder) for folder in folders(path)}
    count = sum(map(len, clips.values()))
    if not count:
        raise InputError(f"no images in '{path}': expected files of {', '.join(IMAGE_SUFFIXES)} in it")
    records = [record for prefix, frames in clips.items() for record in clip_records(frames, prefix, on_error)]
    if not records:
        raise InputError(f"'{path}' holds {count} frame(s) of {len(clips)} clip(s): expected two or more of one clip")
    return Records(name, records)


def clip_records(frames: list[Path], prefix: str = "", on_error: str = "stop") -> list[Record]:
    """The consecutive pairs of one clip, whose frames must be of the size that most of them have."""
    if len(frames) < 2:
        return []
    sizes = {}
    for frame in frames:
        try:
            sizes[frame] = image_size(frame)
        except InputError:
            if on_error == "stop":
                raise
    common = Counter(sizes.values()).most_common(1)[0][0] if sizes else None
    odd = [frame for frame, size in sizes.items() if size != common]
    if odd and on_error == "stop":
        (height, width), came = common or (0, 0), sizes[odd[0]]
        raise InputError(
            f"'{odd[0]}' is of another size than its neighbours: expected {width} x {height} pixels as most frames, "
            f"got {came[1]} x {came[0]}; resize or remove it"
        )
    stems = Counter(frame.stem for frame in frames)
    around = zip([None, *frames], [*frames[2:], None], strict=False)
    return [
        Record(
            prefix + (first.stem if stems[first.stem] == 1 else first.name),
            first,
            second,
            size=common,
            before=before,
            after=after,
        )
        for (first, second), (before, after) in zip(itertools.pairwise(frames), around, strict=True)
    ]
