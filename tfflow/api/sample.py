"""`tfflow.sample_pair`: two frames that come with the package, to try it on."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "samples"


def sample_pair() -> tuple[Path, Path]:
    """Paths of two frames of a built-in scene, 384x512 px: `tfflow.load().flow(*tfflow.sample_pair())`.

    They are sample 3 of "scenes:preset=mixed,size=384x512,seed=5", whose exact flow `tfflow.evaluate` measures on.
    """
    return FOLDER / "frame1.jpg", FOLDER / "frame2.jpg"
