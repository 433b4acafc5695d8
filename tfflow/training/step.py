"""One replica's step of a phase: see the batch, weigh it, and say how the weights should change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import tf_keras as keras

from tfflow import augmentation, ops
from tfflow.augmentation.occluders import COVERED
from tfflow.losses import View, global_mean
from tfflow.recipes import Phase
from tfflow.training.teacher import Teacher

Batch = dict[str, tf.Tensor]


def losses(
    phase: Phase,
    batch: Batch,
    student: keras.Model,
    teacher: Teacher | None,
    stride: int,
    outputs: Sequence[str] = ("flows12",),
) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """(terms, extras) of one replica's batch: each weighted term [n], and the epe of every pair with truth [b].

    student: the graph of the phase's directions; teacher: see `teacher_of`. outputs: what
    the graph's maps are, see `models.Network`.
    """
    if teacher:
        batch = {**batch, **_taught(phase, batch, teacher, stride)}
    maps = student(
        [batch.get(name.replace("image", "input"), batch[name]) for name in student.input_names], training=True
    )
    count = len(maps) // len(outputs)
    flows = tuple(tf.cast(f, tf.float32) for f in flows_of(phase.net, maps[:count]))
    view = view_of(phase, batch, flows)
    for place, field in enumerate(outputs[1:], 1):
        view[field] = tuple(tf.cast(x, tf.float32) for x in maps[place * count : (place + 1) * count])
    if phase.second:
        view["second"] = _second_look(phase, batch, student, view)
    extras = {}
    if "flow12" in batch:
        error = tf.norm(flows[0][: tf.shape(batch["flow12"])[0]] - batch["flow12"], axis=-1, keepdims=True)
        known = batch["valid1"]
        extras["epe"] = tf.reduce_sum(error * known, [1, 2, 3]) / (tf.reduce_sum(known, [1, 2, 3]) + 1e-6)
    return phase.objective(View(**view)), extras


def flows_of(net: int, flows: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    """Of a stack's flows, which list its last network's first, those of one: 1 = the first network, 0 = the last.

    Each network's flows begin at full resolution. Raises ValueError where there are fewer networks.
    """
    begins = [i for i, flow in enumerate(flows) if flow.shape[1] == flows[0].shape[1]]
    if not 0 <= net <= len(begins):
        raise ValueError(f"this phase judges network {net} of a stack, and the model has {len(begins)}")
    place = len(begins) - net if net else 0
    return flows[begins[place] : [*begins, len(flows)][place + 1]]


def view_of(phase: Phase, batch: Batch, flows: tuple[tf.Tensor, ...]) -> dict[str, Any]:
    """The fields of a `View`: the frames of the phase's directions, stacked as the flows are."""
    if phase.directions == 1:
        view = {"image1": batch["image1"], "image2": batch["image2"], "flows12": flows}
        view["visible1"] = phase.visibility(flows[0], None)
        view["image0"] = batch.get("image0")
        if "teacher" in batch:
            view.update(target12=batch["teacher"], used1=batch["teacher_visible"])
        elif phase.needs_truth:
            view.update(target12=batch["flow12"], used1=batch["valid1"], truth=True)
        return view
    flows21 = tuple(tf.concat(tf.split(flow, 2)[::-1], 0) for flow in flows)
    view = {
        "image1": tf.concat([batch["image1"], batch["image2"]], 0),
        "image2": tf.concat([batch["image2"], batch["image1"]], 0),
        "flows12": flows,
        "flows21": flows21,
        "visible1": phase.visibility(flows[0], flows21[0]),
        "image0": tf.concat([batch["image0"], batch["image3"]], 0) if "image0" in batch else None,
    }
    if "teacher" in batch:
        view.update(target12=batch["teacher"], used1=batch["teacher_visible"])
    elif phase.needs_truth:
        view["target12"] = tf.concat([batch["flow12"], batch["flow21"]], 0)
        view["used1"] = tf.concat([batch["valid1"], batch["valid2"]], 0)
        view["truth"] = True
    return view


def _taught(phase: Phase, batch: Batch, teacher: Teacher, stride: int) -> Batch:
    """The student's crop of the batch, and the flow of a teacher that saw the whole."""
    height, width = batch["image1"].shape[1:3]
    size = student_size((height, width), phase.student, stride)
    flow, both = teacher(batch), phase.directions == 2
    trusted = phase.trust or phase.visibility
    visible = trusted(flow, tf.concat(tf.split(flow, 2)[::-1], 0) if both else None)
    room = tf.constant([height - size[0] + 1, width - size[1] + 1], tf.float32)
    top, left = tf.unstack(tf.cast(batch["chance"] * room, tf.int32), axis=1)
    top2, left2 = (tf.concat([n, n], 0) if both else n for n in (top, left))
    frames = {k: ops.cut(x, top, left, size) for k, x in batch.items() if x.shape.rank == 4}
    if phase.occluders:
        frames["image2"] = frames["input2"] = frames[COVERED]
    return {
        **frames,
        "teacher": ops.cut(flow, top2, left2, size),
        "teacher_visible": ops.cut(visible, top2, left2, size),
    }


def _second_look(phase: Phase, batch: Batch, student: keras.Model, first: dict[str, Any]) -> View:
    """The changed frames of the batch as the network sees them, and the flow of its first look to follow there."""
    flow, visible = tf.stop_gradient(first["flows12"][0]), first["visible1"]
    if phase.trust:
        visible = phase.trust(flow, tf.stop_gradient(first["flows21"][0]))
    known = {name: batch[name] for name in student.input_names}
    known |= zip(("flow12", "flow21"), tf.split(flow, 2), strict=True)
    known |= zip(("valid1", "valid2"), tf.split(visible, 2), strict=True)
    seeds = tf.cast(batch["chance"] * 2.0**31, tf.int32)  # [b, 2]
    changed = tf.map_fn(
        lambda one: augmentation.apply(phase.second, *one),
        (known, seeds),
        fn_output_signature={key: tf.TensorSpec(x.shape[1:], tf.float32) for key, x in known.items()},
    )
    changed = {key: tf.stop_gradient(x) for key, x in changed.items()}
    frames = {name: changed[name] for name in student.input_names}
    flows = student(list(frames.values()), training=True)
    flows = tuple(tf.cast(f, tf.float32) for f in flows_of(phase.net, flows))
    view = view_of(phase, frames, flows)
    view["target12"] = tf.concat([changed["flow12"], changed["flow21"]], 0)
    view["used1"] = tf.concat([changed["valid1"], changed["valid2"]], 0)
    return View(**view)


def student_size(crop: tuple[int, int], share: float, stride: int) -> tuple[int, int]:
    """The student's crop: `share` of each side, to the nearest multiple of `stride`, but smaller than the crop.

    A share of 1 is the whole crop. Raises ValueError where there is none smaller, with the crop a single stride wide.
    """
    if share == 1:
        return crop
    if min(crop) < 2 * stride:
        raise ValueError(f"a student's crop needs a crop of at least {2 * stride} px a side, got {crop[0]}x{crop[1]}")
    height, width = (min(max(1, round(share * n / stride)), n // stride - 1) * stride for n in crop)
    return height, width


def gradients(
    phase: Phase,
    batch: Batch,
    student: keras.Model,
    teacher: Teacher | None,
    stride: int,
    variables: list[tf.Variable],
    global_batch: int,
    weight_decay: float = 0.0,
    scale: Callable[[tf.Tensor], tf.Tensor] = lambda loss: loss,
    outputs: Sequence[str] = ("flows12",),
) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
    """One replica's shares: of the mean of each term (and the epe), and of the gradient. Sums over replicas are whole.

    scale: applied to the loss before differentiation (loss scaling of half precision).
    """
    with tf.GradientTape() as tape:
        terms, extras = losses(phase, batch, student, teacher, stride, outputs)
        shares = {name: global_mean(value, global_batch) for name, value in terms.items()}
        loss = scale(tf.add_n(list(shares.values())))
    change = tape.gradient(loss, variables, unconnected_gradients="zero")
    if weight_decay:
        replicas = tf.cast(tf.distribute.get_replica_context().num_replicas_in_sync, tf.float32)
        change = [
            g + scale(weight_decay / replicas * v) if "kernel" in v.name else g
            for g, v in zip(change, variables, strict=True)
        ]
    shares.update({name: global_mean(value, global_batch) for name, value in extras.items()})
    return shares, change
