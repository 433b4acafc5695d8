"""A network in training: its replicas, teacher and optimizer, and the two halves of an update."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tfflow.errors import InputError
from tfflow.models import FlowModel, variant
from tfflow.models.graph import outputs_of
from tfflow.models.weights import assign, model_arrays
from tfflow.recipes import Phase, Recipe
from tfflow.training.cluster import machines_of
from tfflow.training.fitting import fitted, trained_weights
from tfflow.training.optimizers import optimizer_of
from tfflow.training.step import Step
from tfflow.training.teacher import teacher_of

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


class Trainer:
    """Holds what changes during a run, and updates it step by step.

    An update has two halves, so that a loss or gradient that is not finite never reaches the weights.
    recipe: as it trains this network; departures: a line for each difference from the given recipe.
    precision: a Keras policy; weights, flow and losses stay float32. xla: compiles the whole step, which takes about a
    minute for each phase.
    """

    def __init__(
        self,
        model: str,
        recipe: Recipe,
        strategy: tf.distribute.Strategy,
        *,
        precision: str = "float32",
        xla: bool = False,
        seed: int = 0,
    ):
        self.strategy, self.xla = strategy, xla
        self.stride = variant(model).stride
        keras.utils.set_random_seed(seed)  # the only stateful random numbers are the initial weights
        with strategy.scope():
            self.flow_model = FlowModel(model, network=variant(model).build(precision))
            self.graph(2)
            self.teacher: FlowModel | None = None
            if any(phase.teacher for phase in recipe.phases):
                self.teacher = FlowModel(model, network=variant(model).build(precision))
                _ = self.teacher.both_ways  # builds its weights on every replica
        self.loss_scaling = precision == "mixed_float16"
        if xla and any(phase.teacher and phase.teacher.refined for phase in recipe.phases):
            raise InputError(f"a teacher of {recipe.name} uses OpenCV, which XLA does not compile: leave `xla` out")
        self.recipe, self.departures = fitted(recipe, self.flow_model)

    def graph(self, directions: int) -> keras.Model:
        """The network as a Keras model for one direction or both, with the same weights."""
        return self.flow_model.both_ways if directions == 2 else self.flow_model.one_way

    def begin(self, phase: Phase) -> None:
        """Prepares a phase: initial weights, teacher, a new optimizer, the compiled step."""
        arrays = model_arrays(self.graph(2))
        for to, origin in phase.part.start:
            arrays.update({to + k.removeprefix(origin): v for k, v in arrays.items() if k.startswith(origin)})
        assign(self.graph(2), arrays, "the start of a phase")
        if phase.teacher and self.teacher:
            assign(self.teacher.both_ways, arrays, "the teacher")
        self.resume(phase)

    def resume(self, phase: Phase) -> None:
        """Prepares a phase without changing weights: a new optimizer, the compiled step."""
        with self.strategy.scope():
            trained = trained_weights(self.recipe, phase, self.flow_model)
            optimizer = optimizer_of(self.recipe.optimizer)
            if self.loss_scaling:
                optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
            optimizer.build(trained)
        self.optimizer = optimizer
        self._compute = self._compiled_gradients(phase, trained)
        self._apply = self._compiled_update(trained)
        self._sum = self._compiled_sum()

    def compute(self, batch) -> tuple[dict[str, float], object, float]:
        """(value of each term and of the EPE, gradients, their norm) of one step. No weight changes."""
        values, change, norm = self._compute(batch)
        local = self.strategy.experimental_local_results
        return {k: float(local(v)[0]) for k, v in values.items()}, change, float(local(norm)[0])

    def apply(self, change, rate: float) -> None:
        """Updates the weights by the gradients of `compute`."""
        self.optimizer.learning_rate.assign(rate)
        self._apply(change)

    def anywhere(self, flag: bool) -> bool:
        """Whether `flag` is set on any machine. All machines call it at the same step."""
        if machines_of(self.strategy)[0] == 1:
            return flag
        total = self._sum(tf.constant(float(flag)))
        return float(self.strategy.experimental_local_results(total)[0]) > 0

    def _compiled_gradients(self, phase: Phase, trained: list[tf.Variable]):
        clip, batch_size, decay = (
            self.recipe.optimizer.clip,
            self.recipe.batch_of(phase),
            self.recipe.optimizer.weight_decay,
        )
        scale = self.optimizer.get_scaled_loss if self.loss_scaling else lambda loss: loss
        step = Step(
            phase,
            self.graph(phase.directions),
            self.stride,
            teacher_of(phase, self.teacher) if phase.teacher and self.teacher else None,
            outputs_of(self.flow_model.network),
        )

        def share(batch):
            return step.gradients(batch, trained, global_batch=batch_size, weight_decay=decay, scale=scale)

        if self.xla:
            share = tf.function(share, jit_compile=True, autograph=False)

        def on_replica(batch):
            values, change = share(batch)
            context = tf.distribute.get_replica_context()
            values, change = context.all_reduce("SUM", (values, change))
            if self.loss_scaling:
                change = self.optimizer.get_unscaled_gradients(change)
            norm = tf.linalg.global_norm(change)
            if clip:
                change = [g * tf.minimum(1.0, clip / (norm + 1e-12)) for g in change]
            return values, change, norm

        return tf.function(lambda batch: self.strategy.run(on_replica, (batch,)), autograph=False)

    def _compiled_update(self, trained: list[tf.Variable]):
        def on_replica(change):
            self.optimizer.apply_gradients(zip(change, trained, strict=True), skip_gradients_aggregation=True)

        return tf.function(lambda change: self.strategy.run(on_replica, (change,)), autograph=False)

    def _compiled_sum(self):
        def on_replica(x):
            return tf.distribute.get_replica_context().all_reduce("SUM", tf.identity(x))  # a copy on the replica

        return tf.function(lambda x: self.strategy.run(on_replica, (x,)), autograph=False)

    def state(self) -> dict[str, dict[str, np.ndarray]]:
        """The weights of network and teacher and the state of the optimizer, as named arrays."""
        groups = {"model": model_arrays(self.graph(2))}
        if self.teacher is not None:
            groups["teacher"] = model_arrays(self.teacher.both_ways)
        groups["optimizer"] = {f"{i:04d}": v.numpy() for i, v in enumerate(self._optimizer_variables())}
        return groups

    def restore(self, groups: dict[str, dict[str, np.ndarray]], phase: Phase) -> None:
        """Restores a `state` of the same phase."""
        assign(self.graph(2), groups["model"], "the saved state")
        if self.teacher is not None:
            assign(self.teacher.both_ways, groups["teacher"], "the saved state")
        self.resume(phase)
        for i, v in enumerate(self._optimizer_variables()):
            v.assign(groups["optimizer"][f"{i:04d}"])

    def _optimizer_variables(self) -> list[tf.Variable]:
        return list(self.optimizer.variables)
