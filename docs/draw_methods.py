"""`python docs/draw_methods.py [--out DIR]`: the pictures of docs/methods.md.

A built-in scene, whose flow and occlusion are known exactly, and pretrained weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import tensorflow as tf
import tf_keras as keras

import tfflow
from tfflow import ops
from tfflow.data.images import write_image
from tfflow.data.scenes import Scenes, SceneSettings
from tfflow.errors import command
from tfflow.evaluation.pictures import contact_sheet, flow_to_colour, robust_scale, to_bytes, visibility_overlay
from tfflow.losses import ForwardBackward, RangeMap
from tfflow.models import FlowModel

WEIGHTS = "pwcnet_mobile"
SIZE, SCENE = (192, 256), 16
SETTINGS = SceneSettings(pace=(1.0, 1.0), noise=0.0, faint=0.0, motion_blur=0.0, defocus=0.0)
"""Large motion, and no blur or noise over it."""
LEVEL, RADIUS = 2, 4
"""Level whose features are matched (1/4), and how far, in px of its grid."""
POINTS = ((138, 218), (60, 170), (46, 58))
"""Pixels of the first frame, (row, column), whose matches are shown: with one match, with several, occluded."""
COLOURS = ((255, 220, 0), (0, 230, 255), (255, 90, 220))


@command
def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(prog="python docs/draw_methods.py", description=__doc__)
    p.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="DIR", help="(default: %(default)s)")
    args = p.parse_args(argv)
    sample, model = Scenes(SIZE, settings=SETTINGS).sample(SCENE), tfflow.load(WEIGHTS)
    costs = matches(sample, model)
    flows = model.both(*(sample[key][None].astype(np.float32) for key in ("image1", "image2")))
    pictures = {"correlation": correlation(sample, costs, flows[0][0]), "occlusion": occlusion(sample, flows)}
    for name, picture in pictures.items():
        thrifty = np.rint(np.rint(picture / 255 * 31) * 255 / 31).astype(np.uint8)  # files a third smaller
        write_image(args.out / f"{name}.png", thrifty)
    for what, share in right_matches(sample, costs).items():
        print(f"best match right for {share:.0%} of {what} pixels")
    return 0


def correlation(sample: dict, costs: np.ndarray, flow12: np.ndarray) -> np.ndarray:
    """What a correlation layer gives for single pixels, the best match of each pixel, and a network's flow."""
    stride = 2**LEVEL
    truth = sample["flow12"]
    first, second = (to_bytes(sample[key]) for key in ("image1", "image2"))
    maps = []
    for number, ((row, column), colour) in enumerate(zip(POINTS, COLOURS, strict=True), 1):
        end = (row + truth[row, column, 1], column + truth[row, column, 0])
        _cross(first, (row, column), colour)
        _cross(second, end, colour)
        reach = stride * RADIUS
        corner = (column - reach, row - reach), (column + reach, row + reach)
        cv2.rectangle(second, *corner, colour, 1, cv2.LINE_AA)
        seen = costs[row // stride, column // stride].reshape(2 * RADIUS + 1, 2 * RADIUS + 1)
        occluded = "" if sample["visible1"][row, column] else ", occluded"
        maps.append((f"matches of {number}{occluded}", _heat(seen, truth[row, column] / stride, colour)))
    coarse = np.repeat(np.repeat(stride * best_matches(costs), stride, 0), stride, 1).astype(np.float32)
    scale = robust_scale([truth])
    flows = {
        "true flow": truth,
        f"best match of each {stride}x{stride} px": coarse,
        WEIGHTS: flow12,
    }
    shown = [(title, flow_to_colour(flow, scale)) for title, flow in flows.items()]
    return contact_sheet(
        [[("frame 1", first), ("frame 2, and the windows searched", second), shown[0]], maps + shown[1:]]
    )


def matches(sample: dict, model: FlowModel) -> np.ndarray:
    """Costs of the level without any warping before it: [h', w', (2 * RADIUS + 1)**2]."""
    frames = keras.Input((None, None, 3))
    encode = keras.Model(frames, model.network.encode(frames))
    features = encode(np.stack([sample["image1"], sample["image2"]]).astype(np.float32))[LEVEL - 1]
    normal = model.network.normalize[LEVEL](features)
    return ops.cost_volume(normal[:1], normal[1:], RADIUS)[0].numpy()


def best_matches(costs: np.ndarray) -> np.ndarray:
    """The displacement of the best score of each pixel, px of the grid of the costs: [h', w', 2], (u, v)."""
    return np.stack(np.divmod(costs.argmax(-1), 2 * RADIUS + 1)[::-1], -1) - RADIUS


def right_matches(sample: dict, costs: np.ndarray) -> dict[str, float]:
    """The shares of pixels, of motion within the window, whose best match is the nearest to their true motion."""
    best, stride = best_matches(costs), 2**LEVEL
    cells = (best.shape[0], stride, best.shape[1], stride, -1)
    motion = np.rint(sample["flow12"].reshape(cells).mean((1, 3)) / stride)
    seen = sample["visible1"].reshape(cells).mean((1, 3))[..., 0]
    right, within = (best == motion).all(-1), (np.abs(motion) <= RADIUS).all(-1)
    return {"visible": right[within & (seen == 1)].mean(), "occluded": right[within & (seen == 0)].mean()}


def occlusion(sample: dict, found: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The two ways of estimating occlusion, from exact flow and from that of a network, each with its F-score."""
    true = sample["visible1"]
    flows = {"exact flow": (sample["flow12"][None], sample["flow21"][None]), WEIGHTS: found}
    rows = [
        [
            ("frame 1", to_bytes(sample["image1"])),
            ("frame 2", to_bytes(sample["image2"])),
            ("occluded in frame 2: truth", visibility_overlay(pale(sample["image1"]), true)),
        ]
    ]
    for source, (flow12, flow21) in flows.items():
        row = []
        checks = {"forward-backward": ForwardBackward(), "range map": RangeMap(), "range map < 0.75": RangeMap(0.75)}
        for title, estimate in checks.items():
            seen = estimate(tf.constant(flow12), tf.constant(flow21)).numpy()[0]
            score = f"F {f_score(seen < 0.5, true < 0.5):.2f}"
            row.append((f"{source}: {title}, {score}", visibility_overlay(pale(sample["image1"]), seen)))
        rows.append(row)
    return contact_sheet(rows)


def pale(image: np.ndarray) -> np.ndarray:
    """The frame in four light greys, before which a mask stands out: uint8 [h, w, 3]."""
    grey = cv2.cvtColor(to_bytes(image), cv2.COLOR_RGB2GRAY)
    return np.repeat((170 + grey // 64 * 20)[..., None].astype(np.uint8), 3, axis=-1)


def f_score(found: np.ndarray, true: np.ndarray) -> float:
    """Of occluded pixels, boolean arrays of one shape."""
    return float(2 * (found & true).sum() / max(1, found.sum() + true.sum()))


def _heat(costs: np.ndarray, truth: np.ndarray, colour: tuple, size: int = 126) -> np.ndarray:
    """Costs of the displacements, bright = alike, with the true one ringed: uint8 [size, size, 3]."""
    low, high = costs.min(), costs.max()
    grey = np.uint8(255 * (costs - low) / max(high - low, 1e-6))
    cell = size // len(costs)
    picture = cv2.applyColorMap(np.kron(grey, np.ones([cell, cell], np.uint8)), cv2.COLORMAP_VIRIDIS)[..., ::-1].copy()
    centre = tuple(int(cell * (RADIUS + 0.5 + d)) for d in truth)
    cv2.circle(picture, centre, cell // 2, (255, 255, 255), 2, cv2.LINE_AA)
    return cv2.copyMakeBorder(picture, 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=colour)


def _cross(picture: np.ndarray, place: tuple, colour: tuple) -> None:
    centre = (round(float(place[1])), round(float(place[0])))
    for shade, thickness in (((0, 0, 0), 4), (colour, 2)):
        cv2.drawMarker(picture, centre, shade, cv2.MARKER_CROSS, 11, thickness, cv2.LINE_AA)


if __name__ == "__main__":
    raise SystemExit(main())
