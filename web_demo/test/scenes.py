"""`python web_demo/test/scenes.py DIR`: what the pictures of the page show: a camera's film, and two frames of it."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from tfflow.data.scenes import Scenes
from tfflow.errors import command

SIZE = (360, 640)


def film(frames: int = 60) -> list[np.ndarray]:
    """uint8 RGB [*SIZE, 3]: an ellipse and a box, each with a texture of a built-in scene, cross a third; and back."""
    height, width = SIZE
    scenes = Scenes((height + frames, width + 2 * frames), seed=11, count=2)
    ground, cover = (np.rint(255 * scenes.sample(i)["image1"]).astype(np.uint8) for i in range(2))
    y, x = np.mgrid[0:height, 0:width]
    views = []
    for k in [*range(frames // 2), *range(frames // 2, 0, -1)]:
        view = ground[k : k + height, 2 * k : 2 * k + width].copy()
        ellipse = ((x - 160 - 8 * k) / 95) ** 2 + ((y - 120 - 3 * k) / 70) ** 2 < 1
        box = (abs(x - 500 + 6 * k) < 70) & (abs(y - 260 + 2 * k) < 50)
        for inside, (dy, dx) in ((ellipse, (3 * k, 8 * k)), (box, (-2 * k, -6 * k))):
            view[inside] = np.roll(cover, (dy, dx), (0, 1))[:height, :width][inside]
        views.append(view)
    return views


def write_y4m(path: Path, views: list[np.ndarray], fps: int) -> None:
    """Raw video, which Chromium shows as a camera."""
    height, width = views[0].shape[:2]
    with path.open("wb") as f:
        f.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for view in views:
            f.write(b"FRAME\n" + cv2.cvtColor(np.ascontiguousarray(view), cv2.COLOR_RGB2YUV_I420).tobytes())


@command
def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(prog="python web_demo/test/scenes.py", description=__doc__)
    p.add_argument("out", type=Path, help="a folder")
    out = p.parse_args(argv).out
    views = film()
    out.mkdir(parents=True, exist_ok=True)
    write_y4m(out / "camera.y4m", views, 20)
    for i in (0, 1):
        cv2.imwrite(str(out / f"frame{i + 1}.png"), views[10 + i][..., ::-1])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
