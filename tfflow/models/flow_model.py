"""A trained network: it takes images of any size and type, and gives flow in pixels."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tfflow import ops
from tfflow.data.arrays import as_batch, as_image, as_pair, at_rest
from tfflow.errors import InputError
from tfflow.models.cascade import cascade
from tfflow.models.estimate import Estimate, estimate_pair
from tfflow.models.graph import Network, any_size, both_directions, frames_of, longest_sides_of, one_direction
from tfflow.models.process import check_process
from tfflow.models.scales import ONCE, check_scales
from tfflow.models.variants import variant
from tfflow.models.weights import save_weights

__all__ = ["FlowModel", "as_image"]


class FlowModel:
    """A flow network and its weights.

        model = tfflow.load("pwcnet_mobile")
        flow = model.flow(image1, image2)                      # PIL, imageio, matplotlib: RGB
        flow = model.flow(frame1, frame2, channels="bgr")      # cv2.imread, cv2.VideoCapture

    name, stride, parameters: of the network (`tfflow.models.VARIANTS`). metadata: the origin of the weights.
    network: an existing network, whose weights are then shared; else a new one with random weights.
    scales: sizes of the passes as shares of the frame size (`cascade`). (0.5, 1) finds larger motion, in two to three
        times the time; (1, 2) is more accurate where motion is small, in five times the time; (0.5, 1, 2) is both.
        Networks of three frames have one pass.
    frames: the number of frames that the network takes, 2 or 3. The third is image0, the frame before image1. If it is
        not given, as at the beginning of a sequence, image1 replaces it (and image2 replaces image3).
    compiled: True. TensorFlow then builds a graph at the first call, which takes seconds, and each call is faster. Set
        False for a few pairs; flows differ by rounding.
    Networks whose authors use fewer levels for small frames (`Network.longest_sides`) do the same with the authors'
    weights. Frames are enlarged to multiples of the stride (`ops.resize_to_multiple`); the flow is resized back.
    """

    def __init__(
        self,
        name: str,
        metadata: dict[str, str] | None = None,
        network: Network | None = None,
        scales: Sequence[float] = ONCE,
    ):
        check_process()
        kind = variant(name)
        self.scales = check_scales(scales)
        self.name, self.stride, self.metadata = name, kind.stride, metadata or {}
        self.origin = "random"  # the argument of `load`
        self.compiled = True
        self.network = network or kind.build("float32")
        self.frames = frames_of(self.network)
        self._sides = longest_sides_of(self.network) if "imported" in self.metadata else ()
        if self.frames > 2 and self.scales != ONCE:
            raise InputError(f"{name} takes {self.frames} frames: scales are for networks of two")
        any_size = tf.TensorSpec([None, None, None, 3])  # one trace, which is as fast as one for each size
        once = functools.partial(tf.function, autograph=False)
        self._predict = once(self.forward, input_signature=[any_size] * self.frames)
        self._predict_both = once(self.stacked, input_signature=[any_size] * (2 if self.frames == 2 else 4))
        any_flow = tf.TensorSpec([None, None, None, 2])
        self._predict_from = once(self.continued, input_signature=[any_size, any_size, any_flow])

    def __repr__(self) -> str:
        return f"<FlowModel {self.name}, weights {self.origin}, {self.parameters:,} parameters>"

    @functools.cached_property
    def one_way(self) -> keras.Model:
        """The Keras model for the direction 1->2 (`models.one_direction`). It shares its weights with `both_ways`."""
        return one_direction(self.network)

    @functools.cached_property
    def both_ways(self) -> keras.Model:
        """The Keras model for both directions (`models.both_directions`)."""
        return both_directions(self.network)

    @functools.cached_property
    def keras_model(self) -> keras.Model:
        """A model of tf_keras (Keras 2) with the same weights: image1, image2 [b, h, w, 3] RGB in [0, 1], of any size
        -> flow [b, h, w, 2], px (`models.any_size`). It can be trained by `fit`, and saved and loaded by Keras."""
        return any_size(self.network, self.name)

    def save(self, path: str | os.PathLike, **metadata: str) -> Path:
        """Writes the weights to a .safetensors file, which `tfflow.load` reads. Returns its path.

        metadata: texts to store with them, such as recipe="my own loop".
        """
        return save_weights(self.one_way, path, self.name, {**self.metadata, **metadata})

    def network_at(self, size: tuple[int, int]) -> Network:
        """The network for frames of this height and width: all of it, or its first levels."""
        longest = max(-(-n // self.stride) * self.stride for n in size)
        return self._first_levels(sum(longest > side for side in self._sides)) if self._sides else self.network

    def _first_levels(self, place: int) -> Network:
        """The network for frames longer than `place` of the `longest_sides`. Above all of them: all levels."""
        return self.network if place == len(self._sides) else self.network.first_levels(place + 1)  # type: ignore[attr-defined]

    @functools.cached_property
    def parameters(self) -> int:
        """The number of weights."""
        return self.one_way.count_params()

    def flow(self, image1, image2, channels: str = "rgb", image0=None, initial_flow=None) -> np.ndarray:
        """Flow from image1 to image2: float32 [h, w, 2], (u right, v down), px.

        image1, image2: of one size. Paths; arrays [h, w], [h, w, 1], [h, w, 3] or [h, w, 4] (alpha is dropped) of
            uint8, uint16 or float in [0, 1]; or PIL images. image0: the frame before them, for networks of three
            frames.
        channels: order of the colours, "rgb" or, for arrays from OpenCV, "bgr". initial_flow: [h, w, 2], px, by which
            image2 is warped before the first pass. `tfflow.models.warm_start` computes one from the last flow.
        Identical images give a flow of 0. Raises ValueError for other shapes, types or ranges.
        """
        first, second = as_pair(image1, image2, channels)
        before = None if image0 is None else as_pair(image0, image1, channels)[0][None]
        start = None if initial_flow is None else np.asarray(initial_flow)[None]
        return self.batch(first[None], second[None], before, start)[0]

    def estimate(self, image1, image2, channels: str = "rgb", image0=None, image3=None) -> Estimate:
        """Forward and backward flow, and what follows from them: visibility, confidence, warped frame, picture.

        result = model.estimate(image1, image2); result.flow, result.visible, result.confidence, result.save("a.flo").
        Images as in `flow`; image3: the frame after image2, for networks of three frames.
        """
        first, second = as_pair(image1, image2, channels)
        neighbours = [as_pair(x, image1, channels)[0] if x is not None else None for x in (image0, image3)]
        return estimate_pair(self.both, first, second, *neighbours)

    def batch(
        self,
        images1: np.ndarray,
        images2: np.ndarray,
        images0: np.ndarray | None = None,
        initial_flow: np.ndarray | None = None,
    ) -> np.ndarray:
        """Flow of many pairs: images [b, h, w, 3], float32 RGB in [0, 1] -> [b, h, w, 2], px.

        initial_flow: [b, h, w, 2], as in `flow`. Raises InputError for other shapes or types.
        """
        check_process()
        images = as_batch(images1, images2, *self._neighbours((images0, images1)))
        if initial_flow is not None:
            flow = self._run(self._predict_from, *images[:2], self._start(initial_flow, images[0]))
        else:
            flow = self._run(self._predict, *images)
        return at_rest(flow.numpy(), images[0], images[1])

    def both(
        self,
        images1: np.ndarray,
        images2: np.ndarray,
        images0: np.ndarray | None = None,
        images3: np.ndarray | None = None,
        initial_flows: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Flow 1->2 and 2->1, each [b, h, w, 2], px. Every frame is encoded once. Images as in `batch`.

        images3: the frames after image2, for networks of three frames; the direction 2->1 needs them.
        initial_flows: initial flow of both directions, each [b, h, w, 2]; every frame is then encoded twice.
        """
        check_process()
        images = as_batch(images1, images2, *self._neighbours((images0, images1), (images3, images2)))
        if initial_flows is not None:
            first, second = np.concatenate(images[:2]), np.concatenate(images[1::-1])
            flow = self._run(self._predict_from, first, second, self._start(np.concatenate(initial_flows), first))
        else:
            flow = self._run(self._predict_both, *images)
        flow12, flow21 = np.split(flow.numpy(), 2)
        return at_rest(flow12, images[0], images[1]), at_rest(flow21, images[0], images[1])

    def _run(self, function: tf.types.experimental.PolymorphicFunction, *arrays: np.ndarray) -> tf.Tensor:
        """One of the functions of the network, as a graph or operator by operator."""
        return (function if self.compiled else function.python_function)(*map(tf.convert_to_tensor, arrays))

    def _start(self, initial_flow: np.ndarray, images: np.ndarray) -> np.ndarray:
        """The initial flow as float32. InputError if the network takes none, or it does not fit the images."""
        start = np.asarray(initial_flow, np.float32)
        if self.frames > 2:
            raise InputError(f"{self.name} takes {self.frames} frames: an initial flow is for networks of two")
        if start.shape != (*images.shape[:3], 2) or not np.isfinite(start).all():
            raise InputError(f"`initial_flow` must be finite, {(*images.shape[1:3], 2)}, got {start.shape[1:]}")
        return start

    def _neighbours(self, *given_and_nearest) -> list[np.ndarray]:
        """The frames before and after the pair that the network takes. A missing one is replaced by its neighbour."""
        if self.frames == 2:
            if any(given is not None for given, _ in given_and_nearest):
                raise InputError(f"{self.name} takes two frames: leave out those before and after them")
            return []
        return [nearest if given is None else given for given, nearest in given_and_nearest]

    def forward(self, images1: tf.Tensor, images2: tf.Tensor, *before: tf.Tensor) -> tf.Tensor:
        """`batch` inside a graph."""
        if self.scales == ONCE:
            return self._one_pass("one_way", images1, images2, *before)
        return cascade(functools.partial(self._one_pass, "one_way"), images1, images2, self.scales)

    def continued(self, images1: tf.Tensor, images2: tf.Tensor, initial_flow: tf.Tensor) -> tf.Tensor:
        """`batch` inside a graph, with an initial flow."""
        return cascade(functools.partial(self._one_pass, "one_way"), images1, images2, self.scales, initial_flow)

    def stacked(self, images1: tf.Tensor, images2: tf.Tensor, *neighbours: tf.Tensor) -> tf.Tensor:
        """`both` inside a graph: flows 1->2, then 2->1, [2 * b, h, w, 2]."""
        if self.scales == ONCE:
            return self._one_pass("both_ways", images1, images2, *neighbours)
        return tf.concat([self.forward(images1, images2), self.forward(images2, images1)], axis=0)

    def _one_pass(self, ways: str, *images):
        """Flow of `one_way` or `both_ways` on frames enlarged to multiples of the stride, with the levels for them."""
        frames = [ops.resize_to_multiple(x, self.stride) for x in images]
        own = tuple(tf.unstack(tf.shape(images[0])[1:3]))
        if not self._sides:
            return ops.resize_flow(getattr(self, ways)(frames)[0], own, antialias=False)
        build = {"one_way": one_direction, "both_ways": both_directions}[ways]
        models = [build(self._first_levels(place)) for place in range(len(self._sides))] + [getattr(self, ways)]
        longest = tf.reduce_max(tf.shape(frames[0])[1:3])
        place = tf.reduce_sum(tf.cast(longest > self._sides, tf.int32))
        runs = [lambda m=m: tf.nest.flatten(m(frames))[0] for m in models]  # a model of one level gives no list
        flow = tf.ensure_shape(tf.switch_case(place, runs), [None, None, None, 2])
        return ops.resize_flow(flow, own, antialias=False)
