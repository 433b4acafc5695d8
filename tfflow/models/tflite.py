"""An exported network: a .tflite file with the methods of `FlowModel`."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np

from tfflow.data.arrays import as_batch, as_pair, at_rest
from tfflow.errors import InputError
from tfflow.models.estimate import Estimate, estimate_pair
from tfflow.models.process import check_process
from tfflow.models.trial import check_runs

SUFFIX = ".tflite"


class TFLiteModel:
    """Runs an exported .tflite file on the CPU, with the methods of `FlowModel`.

        flow = tfflow.load("out/pwcnet_mobile-256x448-int8-qat.tflite").flow(image1, image2)

    threads: of the interpreter. size: (height, width) of the file's inputs. Frames of another size are resized to it,
    and the flow is resized to the frames, in px of the frames. order: index of each input and output in the file.
    Threads that call it wait for each other.
    Raises InputError if the file is damaged or not exported by tfflow.
    """

    def __init__(self, path: str | os.PathLike, threads: int = 2):
        self.path = Path(path)
        self.name = self.path.stem
        self.metadata: dict[str, str] = {}
        interpreter = open_interpreter(self.path, threads)
        try:
            self._describe(interpreter)
        except InputError:
            raise
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise InputError(f"{str(self.path)!r} is not a whole .tflite file ({error}); export it again") from None
        self._lock, self._process = threading.Lock(), os.getpid()

    def __repr__(self) -> str:
        return f"<TFLiteModel {self.path}, {self.size[0]}x{self.size[1]} px>"

    def _describe(self, interpreter) -> None:
        signatures = list(interpreter.get_signature_list().values())
        inputs, outputs = (sorted({n for s in signatures for n in s[end]}) for end in ("inputs", "outputs"))
        if len(signatures) != 1 or inputs != ["image1", "image2"] or outputs not in (["flow12"], ["flow12", "flow21"]):
            raise InputError(
                f"{str(self.path)!r} takes {inputs} and gives {outputs}: not a flow network of export/to_tflite.py, "
                "which takes image1, image2 and gives flow12"
            )
        self._run = interpreter.get_signature_runner()
        of_inputs, of_outputs = self._run.get_input_details(), self._run.get_output_details()
        for name, details in (of_inputs | of_outputs).items():
            _check_end(repr(str(self.path)), name, details, like=of_inputs["image1"])
        places = [interpreter.get_input_details(), interpreter.get_output_details()]
        by_tensor = {tensor["index"]: place for tensors in places for place, tensor in enumerate(tensors)}
        self.order = {name: by_tensor[d["index"]] for name, d in (of_inputs | of_outputs).items()}
        details = of_inputs["image1"]
        _, height, width, _ = (int(n) for n in details["shape"])
        self.size = (height, width)
        self._dtype = details["dtype"]
        self._shapes = {name: tuple(map(int, d["shape"])) for name, d in of_outputs.items()}
        self._directions = len(outputs)

    def flow(self, image1, image2, channels: str = "rgb") -> np.ndarray:
        """Motion from image1 to image2: float32 [h, w, 2], (u, v), px. Takes what `FlowModel.flow` takes."""
        first, second = as_pair(image1, image2, channels)
        return self.batch(first[None], second[None])[0]

    def estimate(self, image1, image2, channels: str = "rgb") -> Estimate:
        """Forward and backward flow, and what follows from them, as `FlowModel.estimate`."""
        return estimate_pair(self.both, *as_pair(image1, image2, channels))

    def batch(self, images1: np.ndarray, images2: np.ndarray) -> np.ndarray:
        """Flow of many pairs, one after the other: images [b, h, w, 3], float32 RGB in [0, 1] -> [b, h, w, 2], px."""
        first, second = as_batch(images1, images2)
        flows = np.stack([self._flows(a, b)["flow12"] for a, b in zip(first, second, strict=True)])
        return at_rest(flows, first, second)

    def both(self, images1: np.ndarray, images2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Flow 1->2 and 2->1, each [b, h, w, 2], px. A file with one direction runs twice."""
        if self._directions == 1:
            return self.batch(images1, images2), self.batch(images2, images1)
        first, second = as_batch(images1, images2)
        flows = [self._flows(a, b) for a, b in zip(first, second, strict=True)]
        flow12, flow21 = (at_rest(np.stack([f[key] for f in flows]), first, second) for key in ("flow12", "flow21"))
        return flow12, flow21

    def raw(self, image1: np.ndarray, image2: np.ndarray) -> dict[str, np.ndarray]:
        """The file's outputs, on its own grid, for one pair [h, w, 3], float32 RGB in [0, 1].

        Raises InputError if the file fails or an output is no flow, and after a fork.
        """
        check_process(self._process)
        inputs = {name: self._input(x)[None] for name, x in (("image1", image1), ("image2", image2))}
        try:
            with self._lock:  # the threads share one set of tensors
                flows = {name: np.array(flow) for name, flow in self._run(**inputs).items()}
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{str(self.path)!r} fails as it runs ({error}); export it again") from None
        for name, flow in flows.items():
            if flow.shape != self._shapes[name] or not np.isfinite(flow).all():
                raise InputError(f"{str(self.path)!r} gives a {name} that is no flow; export it again")
        return {name: flow[0] for name, flow in flows.items()}

    def _flows(self, image1: np.ndarray, image2: np.ndarray) -> dict[str, np.ndarray]:
        """One pair [h, w, 3] -> its flows [h, w, 2]."""
        return {k: flow_resized(flow, self.size, image1.shape[:2]) for k, flow in self.raw(image1, image2).items()}

    def _input(self, image: np.ndarray) -> np.ndarray:
        image = resized(np.asarray(image, np.float32), self.size)
        return np.rint(image * 255).astype(np.uint8) if self._dtype == np.uint8 else image


def _check_end(where: str, name: str, details: dict, like: dict) -> None:
    """Raises InputError unless an input is an image with the shape and type of `like`, or an output is flow."""
    shape, kind = tuple(map(int, details["shape_signature"])), np.dtype(details["dtype"]).name
    image = name.startswith("image")
    alike = not image or (shape == tuple(map(int, like["shape"])) and details["dtype"] == like["dtype"])
    fits = len(shape) == 4 and shape[0] == 1 and min(shape) > 0 and shape[3] == (3 if image else 2)
    if not (fits and alike and kind in (("float32", "uint8") if image else ("float32",))):
        wanted = "two images [1, h, w, 3] of one size, float32 or uint8" if image else "flow [1, h, w, 2], float32"
        raise InputError(f"{where}: expected {wanted}; its {name} is {list(shape)}, {kind}: export the network again")


def flow_resized(flow: np.ndarray, of: tuple[int, ...], to: tuple[int, ...]) -> np.ndarray:
    """Flow [h, w, 2] in px of images of size `of` -> [*to, 2] in px of images of size `to`."""
    return resized(flow, to) * np.array([to[1] / of[1], to[0] / of[0]], np.float32)


def resized(x: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Resizes [h, w, c] to [*size, c], bilinear with half-pixel centres and antialiasing."""
    import cv2

    if x.shape[:2] == tuple(size):
        return x
    shrinks = size[0] * size[1] < x.shape[0] * x.shape[1]
    return cv2.resize(x, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def open_interpreter(path: Path, threads: int):
    """An interpreter with allocated memory. InputError if the runtime is missing or refuses the file."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise InputError("running a .tflite needs ai-edge-litert: pip install 'tfflow[export]'") from None
    if not path.is_file():
        raise InputError(f"no such file: {str(path)!r}")
    check_runs(path)
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError, TypeError) as error:
        raise InputError(f"{str(path)!r} is not a whole .tflite file ({error}); export it again") from None
    return interpreter
