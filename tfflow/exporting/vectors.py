"""What the app's code must compute, as Python does, for its tests on the JVM (`tfflow.commands.vectors`)."""

from __future__ import annotations

import base64
import copy
import json
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tfflow.data.scenes import Scenes
from tfflow.evaluation.pictures import flow_to_colour, legend, to_bytes
from tfflow.exporting.graph import INPUTS, Interface
from tfflow.exporting.manifest import SCHEMA, manifest, read_manifest
from tfflow.limits import parse_json
from tfflow.models.confidence import HALF, residual
from tfflow.models.tflite import resized

PLACE = Path(__file__).parents[2] / "android_demo/core/src/test/resources/vectors.json"

TOLERANCE = {
    "yuv": 0,
    "resize": 2e-6,
    "resize_uint8": 1,
    "colour": 1,
    "disc": 1,
    "confidence": 1e-5,
    "latency": 1e-9,
    "pairs": 0,
}
"""By how much the app may differ: levels of 255 where whole, else a share of the range; ms of latencies."""

_TIGHT = (",", ":")

FRAME = (180, 240)
"""Height and width of the frames that `golden` makes: no exported network takes them as they are."""


def vectors() -> dict[str, Any]:
    """All of them, the same each time; keys as in TOLERANCE."""
    random = np.random.default_rng(5)
    return {
        "tolerance": TOLERANCE,
        "yuv": [_yuv(random, *case) for case in ((6, 10, 0), (6, 10, 90), (5, 7, 180), (6, 4, 270))],
        "resize": [_resize(random, *case) for case in _RESIZES],
        "pairs": _pairs(),
        "colour": _colour(random),
        "confidence": _confidence(random),
        "disc": {"size": 33, "rgb": _numbers(legend(1.0, 33)[:33])},
        "latency": _latency(random),
        "manifests": {"good": [value for value, _ in _manifests()], "bad": list(_damaged(_manifests()[0][0]))},
    }


def placement(source: tuple[int, int], to: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a picture of `source` (h, w) lies in an input of `to`: (top, left, height, width), shape kept, centred."""
    scale = min(to[0] / source[0], to[1] / source[1])
    height, width = (min(max(int(np.floor(n * scale + 0.5)), 1), most) for n, most in zip(source, to, strict=True))
    return (to[0] - height) // 2, (to[1] - width) // 2, height, width


def letterboxed(image: np.ndarray, to: tuple[int, int]) -> np.ndarray:
    """uint8 RGB [h, w, 3] -> float32 [*to, 3] in [0, 1]: resized by the manifest's rule, black around it."""
    top, left, height, width = placement(image.shape[:2], to)
    canvas = np.zeros((*to, 3), np.float32)
    canvas[top : top + height, left : left + width] = resized(image.astype(np.float32) / 255, (height, width))
    return canvas


def yuv_to_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """uint8 [h, w] and chroma [ceil(h / 2), ceil(w / 2)] -> uint8 RGB [h, w, 3]. Source: ITU-T T.871, section 7.

    Each pixel has the chroma of its 2 x 2 block. In whole numbers, with halves rounded up, so that it is exact.
    """
    cb, cr = (np.repeat(np.repeat(c, 2, 0), 2, 1)[: y.shape[0], : y.shape[1]].astype(np.int64) - 128 for c in (u, v))
    parts = ((1402 * cr, 1000), (-202008 * cb - 419198 * cr, 587000), (1772 * cb, 1000))  # 202008 = 114 * 1772
    return np.clip(np.stack([y + (2 * n + d) // (2 * d) for n, d in parts], -1), 0, 255).astype(np.uint8)


def pair() -> list[np.ndarray]:
    """Two frames of a built-in scene, uint8 RGB [*FRAME, 3]."""
    scene = Scenes(FRAME, seed=5, count=1).sample(0)
    return [to_bytes(scene[name]) for name in ("image1", "image2")]


def golden(folder: Path) -> dict[str, Any]:
    """A pair of frames, uint8 RGB, and the flow that the export in `folder` gives of them, letterboxed: base64.

    Raises InputError where the folder holds no whole export.
    """
    described = read_manifest(folder / "model.json")
    size, frames, images = tuple(described["resize"]["to"]), pair(), {}
    for name, frame in zip(INPUTS, frames, strict=True):
        image = letterboxed(frame, size)
        images[name] = (np.rint(image * 255).astype(np.uint8) if described["inputs"][0]["type"] == "uint8" else image)[
            None
        ]
    # The operators of the runtime itself, without XNNPACK: in eight bits that rounds otherwise, by a tenth of a pixel.
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(str(folder / described["file"]), experimental_op_resolver_type=plain)
    flow = interpreter.get_signature_runner()(**images)["flow12"][0]
    return {"height": FRAME[0], "width": FRAME[1], "image1": _base64(frames[0]), "image2": _base64(frames[1]),
            "precision": described["precision"], "flow12": _base64(flow.astype("<f4"))}  # fmt: skip


_RESIZES = (
    ((12, 20), (6, 10), False, (0.0, 1.0)),  # halves
    ((13, 17), (8, 16), False, (0.0, 1.0)),  # shrinks by no whole number, bars left and right
    ((5, 7), (16, 16), False, (-1.0, 1.0)),  # grows, bars above and below, another range
    ((8, 8), (8, 8), False, (0.0, 1.0)),
    ((20, 9), (8, 16), True, (0, 255)),
    ((7, 5), (16, 24), True, (0, 255)),
)


def _yuv(random: np.random.Generator, height: int, width: int, rotation: int) -> dict[str, Any]:
    """Planes as cameras have them: rows longer than the picture, and chroma bytes apart where width is even."""
    apart = 2 - width % 2
    rows, columns = (height + 1) // 2, (width + 1) // 2
    y = random.integers(0, 256, (height, width + 3), np.uint8)
    u, v = random.integers(0, 256, (2, rows, apart * columns + 2), np.uint8)
    rgb = yuv_to_rgb(y[:, :width], u[:, : apart * columns : apart], v[:, : apart * columns : apart])
    return {"width": width, "height": height, "rotation": rotation, "y_row": y.shape[1], "chroma_row": u.shape[1],
            "chroma_pixel": apart, "y": _numbers(y), "u": _numbers(u), "v": _numbers(v),
            "rgb": _numbers(np.rot90(rgb, -rotation // 90))}  # fmt: skip


def _resize(
    random: np.random.Generator, source: tuple[int, int], to: tuple[int, int], uint8: bool, span: tuple[float, float]
) -> dict[str, Any]:
    image = random.integers(0, 256, (*source, 3), np.uint8)
    values = span[0] + (span[1] - span[0]) * letterboxed(image, to)
    expected = np.rint(values).astype(np.uint8) if uint8 else np.round(values.astype(np.float64), 7)
    return {"height": source[0], "width": source[1], "image": _numbers(image), "to": list(to), "range": list(span),
            "type": "uint8" if uint8 else "float32", "placed": list(placement(source, to)),
            "values": _numbers(expected)}  # fmt: skip


def _pairs() -> dict[str, Any]:
    """Times of frames, ns, and of each the frame before where the two make a pair, else None."""
    gap = 100
    times = [0, 100, 201, 301, 301, 302, 900, 950]
    near = [i > 0 and 0 < t - times[i - 1] <= gap for i, t in enumerate(times)]
    before = [i - 1 if pairs else None for i, pairs in enumerate(near)]
    return {"gap": gap, "nanos": times, "first": before}


def _colour(random: np.random.Generator) -> dict[str, Any]:
    flow = random.normal(0, 6, (15, 16, 2)).astype(np.float32)
    flow[0, :9] = [[0, 0], [8, 0], [-8, 0], [0, 8], [0, -8], [4, 0], [9, 0], [2 * 10**9, 0], [0, -2 * 10**9]]
    return {"scale": 8.0, "flow": [float(x) for x in flow.reshape(-1)], "rgb": _numbers(flow_to_colour(flow, 8.0))}


def _confidence(random: np.random.Generator) -> dict[str, Any]:
    """Forward and backward flow of 7 x 9 pixels, which agree more or less; some lead beyond the frame."""
    forward = random.normal(0, 2, (7, 9, 2)).astype(np.float32)
    backward = (random.normal(0, 0.7, (7, 9, 2)) - forward).astype(np.float32)
    sure = HALF / (HALF + residual(forward, backward))
    return {
        "height": 7,
        "width": 9,
        "flow12": _numbers(forward),
        "flow21": _numbers(backward),
        "values": _numbers(sure),
    }


def _latency(random: np.random.Generator) -> dict[str, Any]:
    """Times, ms, that all fit in, and statistics of the last 10."""
    millis = [round(float(x), 3) for x in random.gamma(9.0, 4.0, 23)]
    last = millis[-10:]
    return {"window": 10, "millis": millis, "median": float(np.median(last)), "p90": float(np.percentile(last, 90)),
            "per_second": 9e3 / sum(last[1:])}  # fmt: skip


def _manifests() -> list[tuple[dict[str, Any], Interface]]:
    """As the exporter writes them, of two interfaces that differ in everything that may."""
    model: Any = types.SimpleNamespace(name="pwcnet_mobile", parameters=1178362, stride=32, metadata={"steps": "3"})
    plain, full = Interface((64, 96)), Interface((128, 32), both=True, quarter=True, uint8=True)
    order = {"image1": 1, "image2": 0, "flow12": 0}, {"image1": 0, "image2": 1, "flow12": 1, "flow21": 0}
    return [
        (manifest(model, plain, "fp32", "model.tflite", b"plain", order[0], {"epe": 1.5}), plain),
        (manifest(model, full, "int8-qat", "other.tflite", b"full", order[1], {}), full),
    ]


def _damaged(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What makes `good` a manifest that the schema refuses: keys to leave out, values of another type."""
    check = jsonschema.Draft202012Validator(parse_json(SCHEMA.read_bytes()))
    changes: list[dict[str, Any]] = [
        {"path": ["format"], "value": "tfflow-model-2"},
        {"path": ["normalisation"], "value": "imagenet"},
    ]
    for path in _paths(good):
        text = isinstance(_at(good, path), str)
        changes += [{"path": path}, {"path": path, "value": None}, {"path": path, "value": "" if text else "x"}]
    for change in changes:
        bad = copy.deepcopy(good)
        parent, key = _at(bad, change["path"][:-1]), change["path"][-1]
        if "value" in change:
            parent[key] = change["value"]
        else:
            del parent[key]
        if not check.is_valid(bad):
            yield change


def _at(value: Any, path: list) -> Any:
    for key in path:
        value = value[key]
    return value


def _paths(value: Any, path: tuple = ()) -> Iterator[list]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield [*path, key]
        yield from _paths(inner, (*path, key))


def _numbers(array: np.ndarray) -> list:
    return array.reshape(-1).tolist()


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def as_lines(value: dict[str, Any]) -> str:
    """JSON, one key a line, so that a change is seen where it is."""
    parts = (f"{json.dumps(k)}: {json.dumps(v, allow_nan=False, separators=_TIGHT)}" for k, v in value.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"
