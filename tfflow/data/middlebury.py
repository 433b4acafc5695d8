"""Middlebury (Baker et al. 2011): `other-data/<scene>/frame10.png, frame11.png`, `other-gt-flow/<scene>/flow10.flo`."""

from __future__ import annotations

from pathlib import Path

from tfflow.data.records import Record, Records
from tfflow.data.tree import entries, folders
from tfflow.errors import InputError

# the folders of frames in the official archives, and the folders of their ground truth
TRUTH = {"other-data": "other-gt-flow", "other-data-gray": "other-gt-flow", "eval-data": "", "eval-data-gray": ""}


def open_middlebury(path: Path, name: str, on_error: str = "stop") -> Records:
    """The pairs 10 -> 11 of every scene. If ground truth is unpacked, only scenes that have it.

    path: a folder with `other-data` or `eval-data`, or one of these. Raises InputError if no scene is found.
    """
    entries(path)  # raises if the path is missing
    root = next((path / folder for folder in TRUTH if (path / folder).is_dir()), path)
    truth = root.parent / (TRUTH.get(root.name) or "no truth")
    scenes = [scene for scene in folders(root) if (scene / "frame10.png").is_file()]
    if not scenes:
        raise InputError(f"'{path}' is not Middlebury: expected other-data/<scene>/frame10.png and frame11.png in it")
    flows = {scene: truth / scene.name / "flow10.flo" for scene in scenes}
    labelled = [scene for scene in scenes if flows[scene].is_file()]
    records = [
        Record(scene.name, scene / "frame10.png", scene / "frame11.png", flow=flows[scene] if labelled else None)
        for scene in labelled or scenes
    ]
    return Records(name, records)
