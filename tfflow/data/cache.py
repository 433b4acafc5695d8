"""The cache folder, for the frames of videos and the shot cuts of folders."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder(kind: str = "video") -> Path:
    """The cache folder of one kind of data: in $TFFLOW_CACHE if it is set, else in the user's cache."""
    chosen = os.environ.get("TFFLOW_CACHE")
    return (Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("tfflow", False))) / kind
