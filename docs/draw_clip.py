"""`python docs/draw_clip.py [--out FILE]`: the moving picture of README.md, docs/clip.webp.

Four scenes of the preset `mixed`, each going on for some frames, beside the flow that the default weights find in one
pass.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import tfflow
from tfflow.data.scenes import Scenes, preset
from tfflow.data.scenes.render import draw, later
from tfflow.errors import command
from tfflow.evaluation.pictures import flow_to_colour, robust_scale, with_legend

SIZE, SEED = (240, 352), 5
CLIPS = {34: 12, 8: 8, 24: 12, 4: 10}
"""Of each scene, by its number, how many frames are shown."""
MILLISECONDS = 120
GAP = 6
SETTINGS = dataclasses.replace(preset("mixed"), faint=0.0)


@command
def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(prog="python docs/draw_clip.py", description=__doc__)
    default = Path(__file__).parent / "clip.webp"
    p.add_argument("--out", type=Path, default=default, metavar="FILE", help="(default: %(default)s)")
    args = p.parse_args(argv)
    scenes, model = Scenes(SIZE, settings=SETTINGS, seed=SEED), tfflow.load()
    pictures = [picture for scene, count in CLIPS.items() for picture in beside_flow(clip(scenes, scene, count), model)]
    first, *others = map(Image.fromarray, pictures)
    first.save(args.out, save_all=True, append_images=others, duration=MILLISECONDS, loop=0, quality=60, method=6)
    print(f"{len(pictures)} pictures of {first.width}x{first.height} px, {args.out.stat().st_size:,} bytes: {args.out}")
    return 0


def clip(scenes: Scenes, scene: int, count: int) -> list[np.ndarray]:
    """`count` + 1 frames of a scene that goes on as it moves between its two: uint8 [h, w, 3] each."""
    layers = scenes.layers(scene)
    return [draw(later(layers, step), 0, scenes.size).image for step in range(count + 1)]


def beside_flow(frames: list[np.ndarray], model) -> Iterator[np.ndarray]:
    """Each frame but the last beside its flow to the next, in colours of one scale, with a legend."""
    flows = [model.flow(first, second) for first, second in itertools.pairwise(frames)]
    scale = robust_scale(flows, percentile=100)
    for frame, flow in zip(frames, flows, strict=False):
        gap = np.full((len(frame), GAP, 3), 255, np.uint8)
        yield np.hstack([frame, gap, with_legend(flow_to_colour(flow, scale), scale)])


if __name__ == "__main__":
    raise SystemExit(main())
