"""Every reader of files from outside, with a whole file of its kind: what `tests/fuzz.py` damages."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tests.data import trees
from tests.models import t7_files, torch_files
from tfflow.data.formats import read_flow
from tfflow.data.images import image_size, read_image, read_mask
from tfflow.data.pairs import open_pairs
from tfflow.data.video import read_frames
from tfflow.errors import InputError

cv2.setNumThreads(0)  # a process that is forked has no threads

Reader = tuple[str, Callable[[Path], bytes], Callable[[Path], object]]
"""Suffix, a whole file made in a folder, and what reads one."""

SMOOTH = cv2.resize(trees.picture(3, 6, 8), (48, 36), interpolation=cv2.INTER_CUBIC)
WEIGHTS = {"a.weight": np.float32([[1, 2, 3], [4, 5, 6]]), "a.bias": np.arange(4, dtype=np.float16), "epoch": 3}
SETTINGS = {"model": "spynet_mobile", "recipe": "ddflow_quick", "steps": 60, "data": "scenes", "seed": 0}


def _image(path: Path) -> None:
    for read in (image_size, read_mask, read_image):
        read(path)


def _coded(suffix: str, *parameters: int) -> Callable[[Path], bytes]:
    return lambda folder: cv2.imencode(suffix, SMOOTH, list(parameters))[1].tobytes()


def _by_pillow(kind: str, mode: str = "RGB", **options) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        out = io.BytesIO()
        Image.fromarray(SMOOTH).convert(mode).save(out, kind, **options)
        return out.getvalue()

    return make


def _turned(folder: Path) -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(SMOOTH).save(out, "PNG", exif=exif)
    return out.getvalue()


def _written(name: str, write: Callable) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        write(folder / name)
        return (folder / name).read_bytes()

    return make


def _film(name: str, codec: str, **options) -> Callable[[Path], bytes]:
    return _written(name, lambda path: trees.coded_video(path, codec, 5, **options))


def _flow(path: Path) -> None:
    flow, valid = read_flow(path)
    assert flow.shape[2] == 2 and np.isfinite(flow).all() and valid.shape == (*flow.shape[:2], 1)


def _torch(path: Path) -> None:
    from tfflow.models.importing.torch_file import read_state

    read_state(path)


def _t7(path: Path) -> None:
    from tfflow.models.importing.t7 import read_t7

    read_t7(path)


def _weights(path: Path) -> None:
    from tfflow.models.weights import read_arrays

    read_arrays(path)


def _saved(path: Path) -> None:
    from tfflow.models.weights import save_arrays

    save_arrays(path, {"a/kernel": np.ones([3, 2], np.float32), "b": np.int64(7)}, {"model": "pwcnet"})


def _checkpoint(folder: Path) -> bytes:
    """The index; the numbers lie beside it."""
    import tensorflow as tf

    tf.train.Checkpoint(a=tf.Variable([1.0, 2.0]), b=tf.Variable(3.0)).write(str(folder / "a"))
    global NUMBERS
    NUMBERS = (folder / "a.data-00000-of-00001").read_bytes()
    return (folder / "a.index").read_bytes()


NUMBERS = b""


def _read_checkpoint(path: Path) -> None:
    from tfflow.models.importing.tf1_checkpoint import read_checkpoint

    path.with_suffix(".data-00000-of-00001").write_bytes(NUMBERS)
    read_checkpoint(path)


def _tflite(folder: Path) -> bytes:
    from tests.exporting.tflite_files import tflite

    image = ((1, 8, 16, 3), "float32")
    return tflite({"image1": image, "image2": image}, {"flow12": ((1, 8, 16, 2), "float32")})


def _ends(path: Path) -> None:
    from tfflow.exporting.ends import ends

    try:
        ends(path.read_bytes(), "serving_default")
    except ValueError as error:  # who asks says of which file
        raise InputError(str(error)) from None


def _described() -> tuple[dict, bytes]:
    from tests.exporting.tflite_files import of_manifest

    vectors = Path(__file__).parents[1] / "android_demo/core/src/test/resources/vectors.json"
    value = json.loads(vectors.read_text("utf-8"))["manifests"]["good"][0]
    contents = of_manifest(value)
    return value | {"sha256": hashlib.sha256(contents).hexdigest(), "bytes": len(contents)}, contents


def _read_manifest(path: Path) -> None:
    from tfflow.exporting.manifest import read_manifest

    value, contents = _described()
    path.with_name(value["file"]).write_bytes(contents)
    read_manifest(path)


def _run(path: Path) -> None:
    """The settings of a run, in its folder."""
    from tfflow.training.checkpoint import SETTINGS as NAME
    from tfflow.training.checkpoint import check_folder

    path.replace(path.parent / NAME)
    check_folder(path.parent, SETTINGS)


def _history(path: Path) -> None:
    from tfflow.training.log import read_history

    path.replace(path.parent / "history.jsonl")
    read_history(path.parent)


def _scenes(path: Path) -> None:
    """What `tfflow synthesize` notes of its scenes."""
    from tfflow.commands.synthesize import RECORD, claim
    from tfflow.data.scenes import Scenes

    path.replace(path.parent / RECORD)
    claim(Scenes(count=3), path.parent)


def _noted_scenes(folder: Path) -> bytes:
    from tfflow.commands.synthesize import describe
    from tfflow.data.scenes import Scenes

    return json.dumps(describe(Scenes(count=3))).encode()


def _cluster(path: Path) -> None:
    from tfflow.training.cluster import read_cluster

    read_cluster(path.read_text("utf-8", "surrogateescape"))


HOSTS = {"cluster": {"chief": ["a:2222"], "worker": ["b:2222", "[::1]:3"]}, "task": {"type": "worker", "index": 1}}
ROWS = [{"step": step, "phase": "census", "rate": 0.1, "census": 2.5} for step in (3, 6, 9)]
LIST = b"# pairs\na.png b.png c.flo\n'd e.png' f.png g.flo\n"

READERS: dict[str, Reader] = {
    "png": (".png", _coded(".png"), _image),
    "png-palette": (".png", _by_pillow("PNG", "P"), _image),
    "png-turned": (".png", _turned, _image),
    "jpg": (".jpg", _coded(".jpg"), _image),
    "jpg-progressive": (".jpg", _by_pillow("JPEG", progressive=True), _image),
    "jpg-cmyk": (".jpg", _by_pillow("JPEG", "CMYK"), _image),
    "webp": (".webp", _coded(".webp"), _image),
    "webp-lossless": (".webp", _by_pillow("WEBP", lossless=True), _image),
    "bmp": (".bmp", _coded(".bmp"), _image),
    "tif": (".tif", _coded(".tif"), _image),
    "tif-deflate": (".tif", _by_pillow("TIFF", compression="tiff_deflate"), _image),
    "ppm": (".ppm", _coded(".ppm"), _image),
    "ppm-text": (".ppm", lambda folder: b"P3 4 2 255\n" + b" ".join(b"%d" % k for k in range(24)), _image),
    "flo": (".flo", _written("w.flo", lambda path: trees.put_flo(path, trees.ramp_flow())), _flow),
    "pfm": (".pfm", _written("w.pfm", lambda path: trees.put_pfm(path, trees.ramp_flow())), _flow),
    "kitti": (
        ".png",
        _written("w.png", lambda path: trees.put_kitti(path, trees.ramp_flow(), np.ones((6, 10, 1), np.float32))),
        _flow,
    ),
    "npy": (".npy", _written("w.npy", lambda path: np.save(path, trees.ramp_flow())), _flow),
    "npz": (".npz", _written("w.npz", lambda path: np.savez_compressed(path, flow=trees.ramp_flow())), _flow),
    "flo5": (".flo5", _written("w.flo5", lambda path: trees.put_flo5(path, trees.ramp_flow())), _flow),
    "pairs": (".txt", lambda folder: LIST, lambda path: open_pairs(path, "pairs")),
    "video-h264": (".mp4", _film("w.mp4", "libx264"), lambda path: list(read_frames(path, "skip"))),
    "video-mpeg2": (".mpg", _film("w.mpg", "mpeg2video"), lambda path: list(read_frames(path, "skip"))),
    "video-vp9": (".webm", _film("w.webm", "libvpx-vp9"), lambda path: list(read_frames(path, "skip"))),
    "video-mjpeg": (
        ".avi",
        _film("w.avi", "mjpeg", pixels="yuvj420p"),
        lambda path: list(read_frames(path, "skip")),
    ),
    "torch": (".pth", _written("w.pth", lambda path: torch_files.write_zip(path, WEIGHTS)), _torch),
    "torch-old": (".pth", _written("w.pth", lambda path: torch_files.write_stream(path, WEIGHTS)), _torch),
    "torch-python2": (".pth", _written("w.pth", lambda path: torch_files.write_stream_python2(path, WEIGHTS)), _torch),
    "t7": (
        ".t7",
        _written("w.t7", lambda path: t7_files.write_t7(path, {"a": t7_files.tensor(np.ones(9), 1, (2, 3)), 1: "b"})),
        _t7,
    ),
    "safetensors": (".safetensors", _written("w.safetensors", _saved), _weights),
    "checkpoint": (".index", _checkpoint, _read_checkpoint),
    "tflite": (".tflite", _tflite, _ends),
    "manifest": (".json", lambda folder: json.dumps(_described()[0]).encode(), _read_manifest),
    "run": (".json", lambda folder: json.dumps(SETTINGS).encode(), _run),
    "history": (".jsonl", lambda folder: b"".join(json.dumps(row).encode() + b"\n" for row in ROWS), _history),
    "scenes": (".json", _noted_scenes, _scenes),
    "cluster": (".json", lambda folder: json.dumps(HOSTS).encode(), _cluster),
}
