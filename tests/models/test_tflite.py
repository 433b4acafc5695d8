"""A .tflite behind the methods of a network: shared by threads, and refused in a line where it is another's."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from tfflow.errors import InputError
from tfflow.models import load, trial

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not here: pip install -e '.[export]'")

IMAGE = tf.TensorSpec([1, 16, 24, 3])


def difference(image1, image2):
    """Not symmetric, and slow enough for threads to meet in it."""
    flow = 3.0 * image1 - 2.0 * image2
    for _ in range(20):
        flow = tf.sin(flow) + flow
    return {"flow12": flow[..., :2]}


def write(path, run, specs=(IMAGE, IMAGE), **more):
    module = tf.Module()
    module.run = tf.function(run, input_signature=list(specs), autograph=False)
    signatures = {"serving_default": module.run}
    for name, function in more.items():
        setattr(module, name, tf.function(function, input_signature=list(specs), autograph=False))
        signatures[name] = getattr(module, name)
    tf.saved_model.save(module, str(path.with_suffix("")), signatures=signatures)
    path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(path.with_suffix(""))).convert())
    return path


def test_eight_threads_get_what_one_gets(tmp_path):
    model = load(write(tmp_path / "m.tflite", difference))
    frames = np.random.default_rng(0).uniform(size=[240, 2, 16, 24, 3]).astype(np.float32)
    alone = [model.flow(*pair) for pair in frames]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda pair: model.flow(*pair), frames))
    assert sum(not np.array_equal(a, b) for a, b in zip(alone, together, strict=True)) == 0
    assert len({flow.tobytes() for flow in together}) == len(frames)


def still(image1, image2):
    """3 px to the right and 3 px to the left, whatever is shown."""
    ones = tf.ones_like(image1[..., :2])
    return {"flow12": ones * [3.0, 0.0] + 0 * image2[..., :2], "flow21": ones * [-3.0, 0.0]}


WITHOUT_TENSORFLOW = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "tf_keras"):
            raise ImportError(name)

sys.meta_path.insert(0, Absent())
from tfflow.commands.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_predicting_with_an_exported_file_does_not_import_tensorflow(tmp_path):
    model = write(tmp_path / "m.tflite", still)
    for number in range(3):
        frame = np.random.default_rng(number).integers(0, 255, [16, 24, 3], np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), frame)
    frames = [str(tmp_path / f"{number}.png") for number in range(3)]
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, "predict", *frames, "--weights", str(model)]
    done = subprocess.run(
        [*command, "--formats", "npy", "--out", str(tmp_path / "flow")], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    flows = sorted((tmp_path / "flow").rglob("*.npy"))
    assert len(flows) == 2 and np.allclose(np.load(flows[0]), [3.0, 0.0])


@pytest.mark.parametrize("directions", [1, 2])
def test_identical_frames_have_no_flow_through_any_door(tmp_path, directions):
    run = still if directions == 2 else lambda image1, image2: {"flow12": still(image1, image2)["flow12"]}
    model = load(write(tmp_path / "m.tflite", run))
    frames = np.random.default_rng(0).uniform(size=[3, 20, 30, 3]).astype(np.float32)
    others = frames.copy()
    others[1] += np.float32(1 / 512)  # half a level of 8 bits
    others = np.clip(others, 0, 1)
    assert not model.flow(frames[0], frames[0].copy()).any()
    assert not model.flow(*np.zeros([2, 20, 30, 3], np.uint8)).any()
    estimate = model.estimate(frames[0], frames[0])
    assert not estimate.flow.any() and not estimate.flow21.any()
    for flow in (model.batch(frames, others), *model.both(frames, others)):
        assert not flow[0].any() and not flow[2].any() and np.abs(flow[1]).max() > 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_model_that_was_opened_before_a_fork_is_refused_and_names_spawn(tmp_path):
    """In a process that has run no TensorFlow; another thread's lock would never be given back."""
    path = write(tmp_path / "m.tflite", difference)
    done = subprocess.run([sys.executable, "-c", FORKED, path], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("InputError: this process was forked from one that had run TensorFlow, and would hang: use")
    assert 'use spawn, multiprocessing.get_context("spawn")' in first and second == "(16, 24, 2)"


ROOT = Path(__file__).parents[2]
FORKED = """
import os, sys
import numpy as np
from tfflow.models.tflite import TFLiteModel

model, frames = TFLiteModel(sys.argv[1]), np.ones([2, 16, 24, 3], np.float32)
model._lock.acquire()  # as a thread that runs it
child = os.fork()
if child == 0:
    try:
        model.flow(*frames)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    os._exit(0)
os.waitpid(child, 0)
model._lock.release()
print(model.flow(*frames).shape, flush=True)
"""


def images(*shape, dtype=tf.float32):
    return tf.TensorSpec(shape, dtype)


OTHERS = {
    "another name": (
        lambda image1, image3: {"flow12": image1[..., :2] + image3[..., :2]},
        [IMAGE] * 2,
        "not a flow net",
    ),
    "one image": (lambda image1: {"flow12": image1[..., :2]}, [IMAGE], "not a flow network"),
    "three images": (
        lambda image1, image2, image0: {"flow12": (image1 + image2 + image0)[..., :2]},
        [IMAGE] * 3,
        "not a flow network",
    ),
    "another output": (
        lambda image1, image2: {"flow12": (image1 - image2)[..., :2], "depth": image1 * image2},
        [IMAGE] * 2,
        "not a flow network",
    ),
    "two sizes": (
        lambda image1, image2: {"flow12": image1[..., :2] + tf.reduce_mean(image2)},
        [images(1, 16, 24, 3), images(1, 24, 16, 3)],
        r"expected two images \[1, h, w, 3\] of one size, .* its image2 is \[1, 24, 16, 3\], float32",
    ),
    "two types": (
        lambda image1, image2: {"flow12": image1[..., :2] + tf.cast(image2, tf.float32)[..., :2]},
        [IMAGE, images(1, 16, 24, 3, dtype=tf.uint8)],
        r"its image2 is \[1, 16, 24, 3\], uint8",
    ),
    "whole numbers": (
        lambda image1, image2: {"flow12": tf.cast(image1 - image2, tf.float32)[..., :2]},
        [images(1, 16, 24, 3, dtype=tf.int32)] * 2,
        r"its image1 is \[1, 16, 24, 3\], int32",
    ),
    "four channels": (
        lambda image1, image2: {"flow12": (image1 - image2)[..., :2]},
        [images(1, 16, 24, 4)] * 2,
        r"its image1 is \[1, 16, 24, 4\], float32",
    ),
    "any size": (
        lambda image1, image2: {"flow12": (image1 - image2)[..., :2]},
        [images(1, None, None, 3)] * 2,
        r"its image1 is \[1, -1, -1, 3\], float32",
    ),
    "flow of one channel": (
        lambda image1, image2: {"flow12": (image1 - image2)[..., :1]},
        [IMAGE] * 2,
        r"expected flow \[1, h, w, 2\], float32; its flow12 is \[1, 16, 24, 1\]",
    ),
    "flow of whole numbers": (
        lambda image1, image2: {"flow12": tf.cast(image1 - image2, tf.int32)[..., :2]},
        [IMAGE] * 2,
        r"its flow12 is \[1, 16, 24, 2\], int32",
    ),
}


@pytest.mark.parametrize("which", OTHERS)
def test_a_file_with_other_inputs_or_outputs_is_refused(tmp_path, which):
    run, specs, match = OTHERS[which]
    with pytest.raises(InputError, match=match):
        load(write(tmp_path / "m.tflite", run, specs))


def test_a_file_of_two_signatures_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a flow network"):
        load(write(tmp_path / "m.tflite", difference, again=lambda image1, image2: difference(image2, image1)))


def test_a_file_that_fails_as_it_runs_is_refused_in_a_line(tmp_path):
    def beyond(image1, image2):
        row = tf.cast(image1[0, 0, 0, 0] * 1000, tf.int32)
        return {"flow12": (image2 + tf.gather(image1, row, axis=1)[:, None])[..., :2]}

    model = load(write(tmp_path / "m.tflite", beyond))
    with pytest.raises(InputError, match=r"m.tflite' fails as it runs \(.*\); export it again") as refusal:
        model.flow(*np.ones([2, 16, 24, 3], np.float32))
    assert "\n" not in str(refusal.value)
    assert model.flow(*np.zeros([2, 16, 24, 3], np.float32)).shape == (16, 24, 2)  # and goes on with other frames


def test_a_flow_that_is_not_finite_is_refused(tmp_path):
    model = load(write(tmp_path / "m.tflite", lambda image1, image2: {"flow12": (image1 / image2)[..., :2]}))
    with pytest.raises(InputError, match="gives a flow12 that is no flow; export it again"):
        model.flow(*np.zeros([2, 16, 24, 3], np.float32))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    return write(tmp_path_factory.mktemp("whole") / "m.tflite", difference).read_bytes()


def test_a_file_that_asks_for_a_huge_tensor_is_refused_before_it_is_allocated(tmp_path, whole, monkeypatch):
    (tmp_path / "m.tflite").write_bytes(whole)
    monkeypatch.setattr(trial, "MOST_ELEMENTS", 16 * 24 * 3 - 1)
    with pytest.raises(InputError, match=r"is not a whole .tflite file \(ValueError: a tensor of 1,152 numbers\)"):
        load(tmp_path / "m.tflite")


@pytest.mark.parametrize(
    ("end", "match"),
    [
        ("while True: pass", "no end after 1 s of opening or 1 s of running it"),
        ("os.kill(os.getpid(), 11)", "the runtime crashes on it, signal 11"),
        ("np.zeros(2**40)", r"\(numpy.*MemoryError: .*\)"),
        ("raise RuntimeError('gather index out of bounds')", r"\(RuntimeError: gather index out of bounds\)"),
    ],
    ids=["hangs", "crashes", "takes all memory", "fails"],
)
def test_a_runtime_that_does_not_survive_a_file_is_a_line_and_not_the_end(tmp_path, whole, monkeypatch, end, match):
    (tmp_path / "m.tflite").write_bytes(whole)
    monkeypatch.setattr(trial, "OPENING_SECONDS", 1)
    monkeypatch.setattr(trial, "RUNNING_SECONDS", 1)
    monkeypatch.setattr(trial, "TRIAL", trial.TRIAL.replace("interpreter.invoke()", f"import os\n{end}"))
    with pytest.raises(InputError, match=f"is not a whole .tflite file .*{match}.*; export it again"):
        load(tmp_path / "m.tflite")


def test_a_file_changed_anywhere_gives_a_flow_or_a_line(tmp_path, whole):
    rng = np.random.default_rng(5)
    path = tmp_path / "m.tflite"
    frames = np.zeros([2, 16, 24, 3], np.float32)
    refused = 0
    for _ in range(25):
        data = bytearray(whole)
        for at in rng.integers(8, len(data), 4):
            data[at] = rng.integers(256)
        path.write_bytes(data)
        try:
            load(path).flow(*frames)
        except InputError as error:
            assert str(path) in str(error) and "\n" not in str(error) and len(str(error)) <= 300
            refused += 1
    assert refused > 5
