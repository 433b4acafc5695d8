"""Where things are kept that are slow to make again: the frames of videos, the shot cuts of folders."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder(kind: str = "video") -> Path:
    """The folder for one kind of thing: in the environment's TFFLOW_CACHE, else in the user's cache of this system."""
    chosen = os.environ.get("TFFLOW_CACHE")
    return (Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("tfflow", False))) / kind
