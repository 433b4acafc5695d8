"""`python docs/photographs.py DIR`: the photographs that textured the last scenes of `spynet_mobile_v4`.

Takes eight photographs of scikit-image and 129 of four packages of Debian 12, which it downloads with `apt-get
download` (100 MB). 32 others of these packages go to DIR-held, for scenes to select by. Needs apt with Debian 12's
sources, dpkg and scikit-image. The photographs are under Creative Commons licences, the GPL, or in the public domain;
the file `copyright` of each package names their authors.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from tfflow.errors import InputError, command

SCIKIT_IMAGE = (
    "astronaut.png", "brick.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png", "hubble_deep_field.jpg",
    "rocket.jpg",
)  # fmt: skip
PACKAGES = {
    "gcompris-qt-data": "3.1-2",
    "mate-backgrounds": "1.26.0-1",
    "lomiri-wallpapers-16.04": "20.04.0-2",
    "palapeli-data": "4:22.12.3-1",
}
FILES = (
    "usr/share/backgrounds/mate/nature/*.jpg",
    "usr/share/backgrounds/*.jpg",
    "usr/share/palapeli/collection/*.jpg",
)
RESOURCES = "usr/share/gcompris-qt/rcc/*.rcc"
LEFT_OUT = re.compile(
    "babyshapes|categorization|details_(01|03|06|07|09|11|14|17)|analogpattern|free_by|greentock|Picture_0"
)
"""Drawings, paintings, and photographs of little but one colour."""
SMALLEST = 300  # px, the shorter side
EVERY = 5  # one of so many is held out


@command
def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(prog="python docs/photographs.py", description=__doc__)
    p.add_argument("out", type=Path, metavar="DIR")
    out = p.parse_args(argv).out
    held = out.with_name(out.name + "-held")
    own = importlib.util.find_spec("skimage")
    if own is None or own.origin is None:
        raise InputError("needs scikit-image: pip install scikit-image")
    with tempfile.TemporaryDirectory() as scratch:
        unpack(Path(scratch))
        for folder in (out, held):
            folder.mkdir(parents=True, exist_ok=True)
        for name in SCIKIT_IMAGE:
            (out / name).write_bytes((Path(own.origin).parent / "data" / name).read_bytes())
        for number, (name, image) in enumerate(of_packages(Path(scratch))):
            cv2.imwrite(str((held if number % EVERY == 2 else out) / name), image)
    print(f"{len(list(out.iterdir()))} photographs in {out}, {len(list(held.iterdir()))} held out in {held}")
    return 0


def unpack(folder: Path) -> None:
    """Downloads the packages and unpacks them into the folder."""
    wanted = [f"{name}={version}" for name, version in PACKAGES.items()]
    try:
        subprocess.run(["apt-get", "download", *wanted], cwd=folder, check=True)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, folder], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(f"needs apt and dpkg with the sources of Debian 12: {error}") from None


def of_packages(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The photographs of the unpacked packages, with a file name for each, in an order that is always the same."""
    for resources in sorted(folder.glob(RESOURCES)):
        for name, image in sorted(carved(resources.read_bytes(), resources.stem)):
            if not LEFT_OUT.search(name):
                yield name, image
    for pattern in FILES:
        for path in sorted(folder.glob(pattern)):
            if not LEFT_OUT.search(path.name):
                yield path.with_suffix(".png").name, cv2.imread(str(path))


def carved(data: bytes, stem: str) -> Iterator[tuple[str, np.ndarray]]:
    """The pictures without transparency, WebP and JPEG, that a file holds one after another, and their names."""
    found = 0
    at = data.find(b"RIFF")
    while at >= 0:
        size = int.from_bytes(data[at + 4 : at + 8], "little") + 8
        is_picture = data[at + 8 : at + 12] == b"WEBP"
        image = decoded(data[at : at + size]) if is_picture else None
        if image is not None:
            yield f"{stem}_{found:02d}.png", image
            found += 1
        at = data.find(b"RIFF", at + (size if is_picture else 4))
    at = data.find(b"\xff\xd8\xff")
    while at >= 0:
        image = decoded(data[at : at + 8_000_000])
        if image is not None:
            yield f"{stem}_j{found:02d}.png", image
            found += 1
        at = data.find(b"\xff\xd8\xff", at + (2003 if image is not None else 3))


def decoded(data: bytes) -> np.ndarray | None:
    """The picture, uint8 BGR; None if it is none, is small or has transparency."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < SMALLEST:
        return None
    return image


if __name__ == "__main__":
    raise SystemExit(main())
