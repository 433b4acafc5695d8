"""Flow of a teacher for every pair of a person's frames, computed once and kept in the run's folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import tensorflow as tf

from tfflow.data.records import Sample, Source
from tfflow.data.rendered import PairFlow, outside_frame
from tfflow.data.surfaces import sampled
from tfflow.errors import InputError
from tfflow.losses.visibility import ForwardBackward
from tfflow.messages import warn
from tfflow.models import FlowModel
from tfflow.models.variational import pair_by_pair
from tfflow.models.weights import checksum, model_arrays, read_arrays, save_arrays


class Way(NamedTuple):
    """How a teacher finds its flow: passes at these shares of the frames' size, then variational refinement or not."""

    scales: tuple[float, ...]
    refined: bool


SEVERAL = Way((0.5, 1.0, 2.0), refined=True)
WAYS = (SEVERAL, Way((1.0, 2.0), refined=True), Way((1.0,), refined=False))
"""Ways to choose from: several passes are more exact, but not where frames are noisy."""

CAP, LEAST = 0.1, 0.001  # most and least difference of colours that counts, images span 0..1
VISIBLE = ForwardBackward()


class Teaching:
    """The teacher of a round: a network with passes at several scales and refinement (`Way`), both ways.

    network: its weights as they are now are the teacher's; later changes of the network do not reach it.
    folder: where flows are kept, a file a pair with a checksum. A file of other weights or frames, or a damaged one, is
    made anew.
    """

    def __init__(self, network: FlowModel, folder: Path | None, way: Way = SEVERAL):
        self._model = FlowModel(network.name, network=network.network, scales=way.scales)
        self._refined = way.refined
        self._folder = folder
        self._weights = checksum(model_arrays(network.one_way), {"way": repr(way)})

    def compute(self, image1: np.ndarray, image2: np.ndarray) -> PairFlow:
        """Both flows of a pair of frames [h, w, 3], and where the forward-backward check holds."""
        both = np.concatenate(self._model.both(image1[None], image2[None]))
        if self._refined:
            both = pair_by_pair(np.stack([image1, image2]), np.stack([image2, image1]), both)
        forward, backward = tf.constant(both[:1]), tf.constant(both[1:])
        masks = VISIBLE(forward, backward)[0].numpy(), VISIBLE(backward, forward)[0].numpy()
        return PairFlow(both[0], both[1], *masks)

    def of(self, source: Source, index: int) -> PairFlow:
        """The flow of a pair of a source: from the folder, or computed and kept there."""
        pair = source.sample(index)
        frames = hashlib.sha256(pair["image1"].tobytes() + pair["image2"].tobytes()).hexdigest()
        path = self._folder / f"{index:06d}.safetensors" if self._folder else None
        found = self._read(path, frames) if path else None
        if found is None:
            found = self.compute(pair["image1"], pair["image2"])
            if path:
                halves = {name: values.astype(np.float16) for name, values in found._asdict().items()}
                save_arrays(path, halves, {"teacher": self._weights, "frames": frames})
        return PairFlow(*(values.astype(np.float16).astype(np.float32) for values in found))  # the same when read again

    def _read(self, path: Path, frames: str) -> PairFlow | None:
        if not path.is_file():
            return None
        try:
            arrays, metadata = read_arrays(path)
        except InputError as error:
            warn(f"a teacher's flow is computed again: {error}")
            return None
        same = (metadata.get("teacher"), metadata.get("frames")) == (self._weights, frames)
        return PairFlow(**arrays) if same and set(arrays) == set(PairFlow._fields) else None


def best_way(network: FlowModel, source: Source, pairs: int = 8) -> tuple[Way, dict[Way, float]]:
    """The way whose flow warps the second frames of a source onto the first ones best; and the errors of all.

    The error is the mean difference of colours, at most `CAP`, over the pixels that any way's check trusts, as a
    multiple of the pair's median over the ways. Rendered pairs do not serve here: what is drawn by a way's flow is
    easy for that way.
    """
    teachers = {way: Teaching(network, None, way) for way in WAYS}
    errors: dict[Way, list[float]] = {way: [] for way in WAYS}
    for k in range(count := min(pairs, len(source))):
        pair = source.sample(k * len(source) // count)
        flows = {way: teacher.compute(pair["image1"], pair["image2"]) for way, teacher in teachers.items()}
        trusted = np.any([flow.visible1[..., 0] > 0 for flow in flows.values()], axis=0)
        if not trusted.any():
            continue
        off = {way: _warping_error(pair, flow.flow12)[trusted].mean() for way, flow in flows.items()}
        typical = float(np.median(list(off.values()))) + LEAST
        for way, error in off.items():
            errors[way].append(float(error) / typical)
    means = {way: float(np.mean(error)) if error else 1.0 for way, error in errors.items()}
    return min(WAYS, key=means.__getitem__), means


def _warping_error(pair: Sample, flow: np.ndarray) -> np.ndarray:
    """How far each pixel of image1 is from where the flow leads in image2, [h, w], at most `CAP`."""
    off = np.abs(pair["image1"] - sampled(pair["image2"], flow, cv2.INTER_LINEAR)).mean(-1)
    return np.where(outside_frame(flow), CAP, np.minimum(off, CAP))


class Kept:
    """Flows by number of the pair, read from a folder that `Teaching.of` has filled; for the threads of a pipeline."""

    def __init__(self, folder: Path):
        self._folder = folder

    def __call__(self, index: int) -> PairFlow:
        arrays, _ = read_arrays(self._folder / f"{index:06d}.safetensors")
        return PairFlow(**{name: values.astype(np.float32) for name, values in arrays.items()})
