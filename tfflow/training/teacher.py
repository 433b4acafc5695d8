"""The teacher of a phase: the network with the weights that it had when the phase began."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from tfflow.models import FlowModel
from tfflow.models.variational import pair_by_pair
from tfflow.recipes import Phase

TeacherFlow = Callable[[dict[str, tf.Tensor]], tf.Tensor]
"""Batch -> flow of its frames in the phase's directions, [b or 2b, h, w, 2], without gradient."""


def teacher_of(phase: Phase, model: FlowModel) -> TeacherFlow:
    """The teacher of a phase, which uses the weights of `model`. ValueError if the phase has none."""
    if phase.teacher is None:
        raise ValueError(f"phase {phase.name!r} has no teacher")
    rules = phase.teacher
    scaled = FlowModel(model.name, network=model.network, scales=rules.scales)
    both = phase.directions == 2
    names = (scaled.both_ways if both else scaled.one_way).input_names

    def flow(batch):
        frames = [batch[name] for name in names]
        found = (scaled.stacked if both else scaled.forward)(*frames)
        if rules.refined:
            first, second = (tf.concat([a, b], 0) if both else a for a, b in (frames[:2], frames[1::-1]))
            found = tf.numpy_function(pair_by_pair, [first, second, found], tf.float32, stateful=False)
        shape = [None, *frames[0].shape[1:3], 2]  # unknown after passes at several scales
        return tf.stop_gradient(tf.ensure_shape(found, shape))

    return flow
