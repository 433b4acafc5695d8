"""A folder of frames without labels: consecutive images in natural order, or one clip in each subfolder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tfflow.data.cuts import cuts_of_files, log_cuts
from tfflow.data.images import IMAGE_SUFFIXES, image_size
from tfflow.data.records import Record, Records
from tfflow.data.tree import files, folders
from tfflow.errors import InputError
from tfflow.messages import counted


def open_frames(path: Path, name: str, on_error: str = "stop", cuts: bool = True) -> Records:
    """The pairs of consecutive images in `path`, or in its subfolders if it holds no images.

    on_error: "stop" reads the header of every image now and raises InputError for a frame of another size. With "skip"
        such a frame raises it when its pair is read.
    cuts: excludes pairs across shot cuts. This reads all images once; the cache keeps the cuts.
    Raises InputError for an empty folder, a single frame, or a frame of another size.
    """
    clips = {"": files(path)}
    if not clips[""]:
        clips = {f"{folder.name}/": files(folder) for folder in folders(path)}
    count = sum(map(len, clips.values()))
    if not count:
        raise InputError(f"no images in '{path}': expected files of {', '.join(IMAGE_SUFFIXES)} in it")
    records: list[Record] = []
    after: list[str] = []
    for prefix, frames in clips.items():
        of_clip, cut = clip_records(frames, prefix, on_error, cuts)
        records += of_clip
        after += cut
    if not records and after:
        raise InputError(
            f"no two of the {count} frames of '{path}' show one scene; as frames-nocuts:{path} they are pairs"
        )
    if not records:
        raise InputError(
            f"'{path}' holds {counted(count, 'frame')} of {counted(len(clips), 'clip')}: expected two "
            "or more of one clip"
        )
    log_cuts(name, after)
    return Records(name, records, cuts=after)


def clip_records(
    frames: list[Path], prefix: str = "", on_error: str = "stop", cuts: bool = True
) -> tuple[list[Record], list[str]]:
    """The consecutive pairs of one clip, and the names of the pairs that shot cuts exclude.

    The size of most frames is that of the clip. Frames of another size raise InputError. cuts: as in `open_frames`.
    """
    if len(frames) < 2:
        return [], []
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
    names = [prefix + (frame.stem if stems[frame.stem] == 1 else frame.name) for frame in frames]
    new = set(cuts_of_files(frames)) if cuts else set()  # indices of frames that begin a shot
    records = [
        Record(
            names[k],
            frames[k],
            frames[k + 1],
            size=common,
            before=frames[k - 1] if k and k not in new else None,
            after=frames[k + 2] if k + 2 < len(frames) and k + 2 not in new else None,
        )
        for k in range(len(frames) - 1)
        if k + 1 not in new
    ]
    return records, [names[k - 1] for k in sorted(new)]
