"""The steps from a batch to the loss on one replica. Each arrow is a function.

    batch --with_target--> student's crop, target flow --view--> View --second_pass--> View with the second pass
          --objective--> each term [n] --gradients--> this replica's part of the mean loss and of its gradient

A batch has b pairs. If a phase trains both directions, all tensors of a View have n = 2 b: all pairs 1->2, then the
same pairs 2->1 (`stack`), in the order of the network's flows. Else n = b.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tf_keras as keras

from tfflow import augmentation, ops
from tfflow.augmentation.occluders import COVERED
from tfflow.augmentation.sample import IMAGES, INPUTS
from tfflow.losses import View, global_mean
from tfflow.recipes import Phase
from tfflow.training.teacher import TeacherFlow

Batch = dict[str, tf.Tensor]
"""image1, image2 (image0, image3) [b, h, w, 3]; input1, ...: the network's input if it differs; flow12, valid1, flow21,
valid2 if there is ground truth; chance [b, 2]: random numbers in [0, 1)."""

INPUT_OF = dict(zip(IMAGES, INPUTS, strict=True))


@dataclass(frozen=True)
class Target:
    """The target of the student: flow [n, h, w, 2], its mask [n, h, w, 1], and whether it is ground truth."""

    flow: tf.Tensor
    mask: tf.Tensor
    truth: bool = False


@dataclass(frozen=True)
class Step:
    """A training step of a phase.

    student: the network's graph for the phase's directions. stride: of the network. teacher: see `teacher_of`; None if
    the phase has none. outputs: of the student, see `models.Network`.
    """

    phase: Phase
    student: keras.Model
    stride: int
    teacher: TeacherFlow | None = None
    outputs: Sequence[str] = ("flows12",)

    def losses(self, batch: Batch) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """(terms, extras) of one replica's batch: each weighted term [n]; the EPE [b] if there is ground truth."""
        batch, target = self.with_target(batch)
        view = self.view(batch, target)
        if self.phase.second:
            view = dataclasses.replace(view, second=self.second_pass(batch, view))
        extras = {"epe": _epe(view.flow12, batch)} if "flow12" in batch else {}
        return self.phase.objective(view), extras

    def with_target(self, batch: Batch) -> tuple[Batch, Target | None]:
        """The student's batch and its target: a teacher's flow, the ground truth, or None.

        The teacher gets the whole crop. Then the frames, its flow and its mask are cropped for the student.
        """
        if not self.teacher or not self.phase.teacher:
            return batch, truth_of_batch(self.phase, batch)
        rules, both = self.phase.teacher, self.phase.directions == 2
        height, width = batch["image1"].shape[1:3]
        size = student_size((height, width), rules.student, self.stride)
        flow = self.teacher(batch)
        counts = (rules.trust or self.phase.visibility)(flow, reversed_direction(flow) if both else None)
        room = tf.constant([height - size[0] + 1, width - size[1] + 1], tf.float32)
        top, left = tf.unstack(tf.cast(batch["chance"] * room, tf.int32), axis=1)
        frames = {key: ops.crop_each(x, top, left, size) for key, x in batch.items() if x.shape.rank == 4}
        if rules.occluders:
            frames["image2"] = frames["input2"] = frames[COVERED]
        top, left = (stack(n, n) if both else n for n in (top, left))
        return frames, Target(ops.crop_each(flow, top, left, size), ops.crop_each(counts, top, left, size))

    def view(self, batch: Batch, target: Target | None) -> View:
        """The frames and the network's outputs."""
        maps = self.student([network_input(batch, name) for name in self.student.input_names], training=True)
        count = len(maps) // len(self.outputs)
        flows, *others = (maps[place * count : (place + 1) * count] for place in range(len(self.outputs)))
        view = view_of(self.phase, batch, floats(flows_of(self.phase.part.net, flows)), target)
        more: dict[str, Any] = {field: floats(x) for field, x in zip(self.outputs[1:], others, strict=True)}
        return dataclasses.replace(view, **more)

    def second_pass(self, batch: Batch, first: View) -> View:
        """The View of the second pass: the network on transformed frames, with the first pass's flow as target."""
        assert self.phase.second is not None
        flow, where = tf.stop_gradient(first.flow12), first.visible1
        if trust := self.phase.second.trust:
            where = trust(flow, tf.stop_gradient(first.flow21))
        known = {name: batch[name] for name in self.student.input_names}
        known |= zip(("flow12", "flow21"), tf.split(flow, 2), strict=True)
        known |= zip(("valid1", "valid2"), tf.split(where, 2), strict=True)
        changes = self.phase.second.changes
        changed = tf.map_fn(
            lambda one: augmentation.apply(changes, *one),
            (known, tf.cast(batch["chance"] * 2.0**31, tf.int32)),  # a seed for each pair, [b, 2]
            fn_output_signature={key: tf.TensorSpec(x.shape[1:], tf.float32) for key, x in known.items()},
        )
        changed = {key: tf.stop_gradient(x) for key, x in changed.items()}
        target = Target(stack(changed["flow12"], changed["flow21"]), stack(changed["valid1"], changed["valid2"]))
        return self.view({name: changed[name] for name in self.student.input_names}, target)

    def gradients(
        self,
        batch: Batch,
        variables: list[tf.Variable],
        *,
        global_batch: int,
        weight_decay: float = 0.0,
        scale: Callable[[tf.Tensor], tf.Tensor] = lambda loss: loss,
    ) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
        """This replica's part of the mean of each term and the EPE, and of the gradient. The sum over replicas is the
        whole. scale: applied to the loss before differentiation (loss scaling of half precision)."""
        with tf.GradientTape() as tape:
            terms, extras = self.losses(batch)
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


def stack(of_12: tf.Tensor, of_21: tf.Tensor) -> tf.Tensor:
    """Stacks both directions on the batch axis: [b, ...] twice -> [2 b, ...]."""
    return tf.concat([of_12, of_21], 0)


def reversed_direction(stacked: tf.Tensor) -> tf.Tensor:
    """The same pairs in the opposite direction: [2 b, ...] with its halves swapped."""
    return tf.concat(tf.split(stacked, 2)[::-1], 0)


def network_input(batch: Batch, name: str) -> tf.Tensor:
    """The network's input for the frame `name`. With colour augmentation it differs from what the losses get."""
    return batch.get(INPUT_OF[name], batch[name])


def floats(maps: Sequence[tf.Tensor]) -> tuple[tf.Tensor, ...]:
    """Casts to float32, since losses are float32 under every policy."""
    return tuple(tf.cast(x, tf.float32) for x in maps)


def truth_of_batch(phase: Phase, batch: Batch) -> Target | None:
    """The ground truth for the phase's directions if a term needs it, else None."""
    if not phase.needs_truth:
        return None
    if phase.directions == 1:
        return Target(batch["flow12"], batch["valid1"], truth=True)
    return Target(stack(batch["flow12"], batch["flow21"]), stack(batch["valid1"], batch["valid2"]), truth=True)


def view_of(phase: Phase, batch: Batch, flows12: tuple[tf.Tensor, ...], target: Target | None = None) -> View:
    """The View that the terms get. Its frames are stacked as the flows are."""
    both = phase.directions == 2
    image1, image2, image0 = batch["image1"], batch["image2"], batch.get("image0")
    flows21 = tuple(map(reversed_direction, flows12)) if both else None
    if both:
        image1, image2 = stack(image1, image2), stack(image2, image1)
        image0 = None if image0 is None else stack(image0, batch["image3"])  # 2->1: image3 comes before image2
    return View(
        image1=image1,
        image2=image2,
        flows12=flows12,
        flows21=flows21,
        visible1=phase.visibility(flows12[0], flows21[0] if flows21 else None),
        image0=image0,
        target12=target.flow if target else None,
        target_mask=target.mask if target else None,
        truth=bool(target and target.truth),
    )


def flows_of(net: int, flows: Sequence) -> Sequence:
    """The flows of one network of a stack: net 1 = the first network, 0 = the last.

    flows: of all networks, the last one first; those of each begin at full resolution.
    Raises ValueError if there are fewer networks.
    """
    begins = [i for i, flow in enumerate(flows) if flow.shape[1] == flows[0].shape[1]]
    if not 0 <= net <= len(begins):
        raise ValueError(f"this phase uses network {net} of a stack, and the model has {len(begins)}")
    place = len(begins) - net if net else 0
    return flows[begins[place] : [*begins, len(flows)][place + 1]]


def student_size(crop: tuple[int, int], share: float, stride: int) -> tuple[int, int]:
    """The student's crop: `share` of each side, rounded to a multiple of `stride`, and smaller than the crop.

    A share of 1 gives the whole crop. Raises ValueError if the crop has fewer than two strides a side.
    """
    if share == 1:
        return crop
    if min(crop) < 2 * stride:
        raise ValueError(f"a student's crop needs a crop of at least {2 * stride} px a side, got {crop[0]}x{crop[1]}")
    height, width = (min(max(1, round(share * n / stride)), n // stride - 1) * stride for n in crop)
    return height, width


def _epe(flow12: tf.Tensor, batch: Batch) -> tf.Tensor:
    """Mean endpoint error 1->2 of each pair, [b], over pixels with ground truth."""
    error = tf.norm(flow12[: tf.shape(batch["flow12"])[0]] - batch["flow12"], axis=-1, keepdims=True)
    known = batch["valid1"]
    return tf.reduce_sum(error * known, [1, 2, 3]) / (tf.reduce_sum(known, [1, 2, 3]) + 1e-6)
