"""`python web_demo/test/vectors.py DIR`: what the page's tests hold it against.

Small networks, frames, and what the desktop makes of them; made anew for each run of the tests, so that none is stale.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import tensorflow as tf
import tf_keras as keras
from scenes import write_y4m

from tfflow.api.predict import predict, predict_files
from tfflow.data.scenes import Scenes
from tfflow.errors import command
from tfflow.evaluation.flow_video import picture
from tfflow.exporting import convert
from tfflow.exporting.exporter import Exporter
from tfflow.exporting.graph import Interface
from tfflow.exporting.manifest import manifest, write_manifest
from tfflow.models import FlowModel, register_network
from tfflow.models.pwcnet_mobile import PWCNetMobile
from tfflow.models.tflite import TFLiteModel

SIZE = (32, 48)
FRAMES = {"large": (100, 150), "small": (20, 30), "equal": SIZE, "wide": (60, 49)}
"""Height and width of a pair that shrinks, one that grows, and one that does neither; the last shrinks unevenly."""
CAMERA = (240, 320)
SOUGHT = (5, 14)
"""Frames of the flow video that the test seeks."""
FULL = 8.0
"""px, the length of full colour in it."""
PLAIN = (128, 192)
"""Of the network without levels: large enough that a tensor which is not let go is seen."""


class SmallPWC(PWCNetMobile):
    """Two levels of everything that `pwcnet_mobile` has: every operator of it, in a file of some kilobytes."""

    stride = 8
    channels = (4, 6, 8)
    decoders: ClassVar = {3: (8, 6), 2: (8,)}


def small_network() -> FlowModel:
    """With weights that give flow of some pixels, other ones for u and v."""
    register_network("small_pwc", SmallPWC, paper="of the tests")
    keras.utils.set_random_seed(3)
    model = FlowModel("small_pwc", {"recipe": "none: random weights", "data": "none", "steps": "0"})
    random = np.random.default_rng(3)
    for v in model.one_way.weights:
        if v.name.startswith("decoder") and "_flow/" in v.name:
            v.assign(v + (0.02 if "kernel" in v.name else random.normal(0.5, 0.3, v.shape)))
    return model


class Plain(tf.Module):
    """Three convolutions of both images: what WebGPU takes as a whole, to test the page on it."""

    def __init__(self):
        super().__init__()
        random = np.random.default_rng(4)
        shapes = (3, 3, 6, 8), (3, 3, 8, 8), (3, 3, 8, 2)
        self.kernels = [tf.Variable(random.normal(0, 0.5, shape).astype(np.float32)) for shape in shapes]

    def __call__(self, images, training=False):
        x = tf.concat(images, -1)
        for kernel in self.kernels[:-1]:
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME"))
        return tf.nn.conv2d(x, self.kernels[-1], 1, "SAME")


def write_model(folder: Path, contents: bytes, model: FlowModel, interface: Interface, precision: str) -> TFLiteModel:
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(contents)
    exported = TFLiteModel(folder / "model.tflite")
    value = manifest(model, interface, precision, "model.tflite", contents, exported.order, {})
    write_manifest(folder / "model.json", value)
    return exported


def write_models(out: Path) -> dict[str, TFLiteModel]:
    network = small_network()
    usual, bytes_too, plain = Interface(SIZE), Interface(SIZE, uint8=True), Interface(PLAIN)
    exporter = Exporter(network, usual, Scenes(SIZE, seed=1, count=2))
    files = {
        "fp32": (exporter.make("fp32").contents, usual, "fp32"),
        "int8-ptq": (exporter.make("int8-ptq").contents, usual, "int8-ptq"),
        "uint8": (convert.fp32(exporter.graph, bytes_too), bytes_too, "fp32"),
        "plain": (convert.fp32(Plain(), plain), plain, "fp32"),
    }
    return {k: write_model(out / k, contents, network, i, p) for k, (contents, i, p) in files.items()}


def write_pairs(out: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Frames as PNG, and as they were, uint8."""
    pairs = {}
    for i, (name, size) in enumerate(FRAMES.items()):
        sample = Scenes(size, seed=5, count=9).sample(i)
        frames = [np.rint(255 * sample[k]).astype(np.uint8) for k in ("image1", "image2")]
        for k, frame in enumerate(frames, 1):
            cv2.imwrite(str(out / f"{name}{k}.png"), frame[..., ::-1])
        pairs[name] = (frames[0], frames[1])
    return pairs


def write_videos(out: Path, frames: int = 40) -> None:
    """A texture that moves by (3, 1) px a frame and returns: for the fake camera, and as a video file."""
    height, width = CAMERA
    sample = Scenes((height + frames, width + 3 * frames), seed=6, count=1).sample(0)
    texture = np.rint(255 * sample["image1"]).astype(np.uint8)
    places = [*range(frames // 2), *range(frames // 2, 0, -1)]
    views = [texture[i : i + height, 3 * i : 3 * i + width] for i in places]
    write_y4m(out / "camera.y4m", views, 50)
    writer = cv2.VideoWriter(str(out / "video.webm"), cv2.VideoWriter_fourcc(*"VP80"), 50.0, (width, height))
    if not writer.isOpened():
        raise RuntimeError("this OpenCV cannot write VP8, which the tests of the page need")
    for view in views:
        writer.write(np.ascontiguousarray(view[..., ::-1]))
    writer.release()


def write_flow_videos(out: Path) -> None:
    """What `tfflow predict video.webm --out flow.mp4` (and flow.webm) writes, and two of its frames as they went in."""
    weights, source = out / "fp32" / "model.tflite", out / "video.webm"
    for kind in ("mp4", "webm"):
        predict_files([str(source)], out / f"flow.{kind}", str(weights), full=FULL)
    for n, estimate in enumerate(predict(str(source), str(weights))):
        if n in SOUGHT:
            picture(estimate.image1, estimate.flow, FULL).tofile(out / f"flow-{n}.rgb")


@command
def main(argv: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(prog="python web_demo/test/vectors.py", description=__doc__)
    p.add_argument("out", type=Path, help="an empty folder")
    out = p.parse_args(argv).out
    models = write_models(out)
    pairs = write_pairs(out)
    write_videos(out)
    write_flow_videos(out)
    for name, pair in pairs.items():
        for key, model in models.items():
            model.flow(*pair).tofile(out / f"{key}-{name}.f32")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
