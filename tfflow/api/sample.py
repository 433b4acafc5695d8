"""`tfflow.sample_pair`: two frames that come with the package, to try it on."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "samples"


def sample_pair() -> tuple[Path, Path]:
    """Paths of two frames of 384x512 px that come with the package.

        first, second = tfflow.sample_pair()
        flow = tfflow.load().flow(first, second)          # [384, 512, 2]

    They are sample 3 of the built-in scenes "scenes:preset=mixed,size=384x512,seed=5", so their exact flow is known.
    """
    return FOLDER / "frame1.jpg", FOLDER / "frame2.jpg"
