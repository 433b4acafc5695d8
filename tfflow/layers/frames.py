"""Frames of any size for networks with strides, and stacking of frames on the batch axis."""

from __future__ import annotations

import tensorflow as tf

from tfflow import ops
from tfflow.layers.plain import FlowLayer, without_autograph


class StackFrames(FlowLayer):
    """Stacks n frames of one shape on the batch axis: n times [b, ...] -> [n * b, ...]."""

    @without_autograph
    def call(self, frames):
        return tf.concat(frames, axis=0)


class Frame(FlowLayer):
    """Takes frame `index` of `count` from the batch axis: [count * b, ...] -> [b, ...]. It undoes StackFrames."""

    def __init__(self, index: int, count: int, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= index < count:
            raise ValueError(f"`index` must be in [0, {count}), got {index}")
        self.index, self.count = index, count

    @without_autograph
    def call(self, stacked):
        b = (stacked.shape[0] or tf.shape(stacked)[0]) // self.count
        return stacked[self.index * b : (self.index + 1) * b]

    def get_config(self):
        return {**super().get_config(), "index": self.index, "count": self.count}


class SwapFrames(FlowLayer):
    """Swaps the halves of the batch axis, which gives the other frame of each pair: [2 * b, ...] -> same."""

    @without_autograph
    def call(self, stacked):
        first, second = tf.split(stacked, 2, axis=0)
        return tf.concat([second, first], axis=0)


class ResizeToMultiple(FlowLayer):
    """Enlarges frames until height and width are multiples, see `ops.resize_to_multiple`."""

    def __init__(self, multiple: int, **kwargs):
        super().__init__(**kwargs)
        self.multiple = multiple

    @without_autograph
    def call(self, images):
        return ops.resize_to_multiple(images, self.multiple)

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple}


class HalveFrames(FlowLayer):
    """Frames of half the height and width, each then enlarged to a multiple, see `ops.halve`."""

    def __init__(self, multiple: int, **kwargs):
        super().__init__(**kwargs)
        self.multiple = multiple

    @without_autograph
    def call(self, images):
        return ops.halve(images, self.multiple)

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple}


class ResizeFlowLike(FlowLayer):
    """[flow [b, h', w', 2], like [b, h, w, c]] -> [b, h, w, 2], px of the new grid: flow of frames before
    `ResizeToMultiple`.

    The flow stays float32 under every policy.
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "autocast": False})

    @without_autograph
    def call(self, inputs):
        flow, like = inputs
        shape = tf.shape(like)
        return ops.resize_flow(flow, (like.shape[1] or shape[1], like.shape[2] or shape[2]), antialias=False)
