"""Training with the rounding in place: the network learns to live with eight bits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf
import tf_keras as keras

from tfflow.data.records import Source
from tfflow.exporting.graph import for_phone
from tfflow.exporting.quantize import Ranges, assign_ranges, quantized, variables
from tfflow.losses import global_mean
from tfflow.models import Network, both_directions, one_direction
from tfflow.recipes import Recipe
from tfflow.training.feed import Feed
from tfflow.training.step import Target, truth_of_batch, view_of

RATE = 2e-5
"""Of Adam at the start, falling to 0: small, since the weights are where they should be, but for the rounding."""
TOWARDS_FLOAT = 1.0
"""Weight of the mean distance, px, to the float network's flow, beside the recipe's own objective."""
FROZEN = 0.2
"""Share of the steps, at the end, in which ranges no longer follow what they see."""


class FineTuning:
    """Quantization-aware training of a network with the last phase of a recipe.

    strategy: of tf.distribute. The graph to convert is built outside of it, from `weights`.
    rate: of Adam at the first step. It falls linearly to 0, so the last steps are small.
    A student is trained on the whole crop here, and follows the flow of the float network. So does a second pass, on
    untransformed frames.
    """

    def __init__(
        self,
        network: Network,
        ranges: Ranges,
        recipe: Recipe,
        source: Source,
        strategy,
        *,
        rate: float = RATE,
        seed: int = 0,
    ):
        self.phase = recipe.phases[-1]
        self.recipe, self.strategy = dataclasses.replace(recipe, phases=(self.phase,)), strategy
        self.rate, self.feed = rate, Feed(strategy, lambda _: source, self.recipe, seed)
        with strategy.scope():
            self.float_graph = (one_direction if self.phase.directions == 1 else both_directions)(network)
            self.graph = quantized(for_phone(self.float_graph), ranges)
            self.optimizer = keras.optimizers.Adam(rate, jit_compile=False)
            self.optimizer.build(self.graph.trainable_variables)

    def run(self, steps: int, each: Callable[[int, float], None]) -> None:
        """Trains; each(step, loss) is called after every step, from 1."""
        updates = {free: self._compiled(free) for free in (True, False)}  # no branch in the graph: replicas must meet
        free_steps = round(steps * (1 - FROZEN))
        try:
            for step, batch in zip(range(1, steps + 1), self.feed(0), strict=False):
                self.optimizer.learning_rate = self.rate * (1 - (step - 1) / steps)
                loss = updates[step <= free_steps](batch)
                each(step, float(self.strategy.experimental_local_results(loss)[0]))
        finally:
            self.feed.close()

    def weights(self) -> dict[str, tf.Tensor]:
        """Weights and ranges by name, for `assign_weights_and_ranges`."""
        return {name: v.numpy() for name, v in variables(self.graph).items()}

    def _compiled(self, free: bool):
        return tf.function(lambda batch: self.strategy.run(self._on_replica, (batch, free)), autograph=False)

    def _on_replica(self, batch, free: bool):
        with tf.GradientTape() as tape:
            loss = self._loss(batch, free)
        variables = self.graph.trainable_variables
        change = tape.gradient(loss, variables, unconnected_gradients="zero")
        context = tf.distribute.get_replica_context()
        loss, change = context.all_reduce("SUM", (loss, change))
        self.optimizer.apply_gradients(zip(change, variables, strict=True), skip_gradients_aggregation=True)
        return loss

    def _loss(self, batch, free: bool):
        frames = [batch["image1"], batch["image2"]]
        goal = tf.stop_gradient(self.float_graph(frames, training=False)[0])
        flows = tuple(self.graph(frames, training=free))
        everywhere = tf.ones_like(goal[..., :1])
        towards = Target(goal, everywhere)
        view = view_of(self.phase, batch, flows, towards if self.phase.teacher else truth_of_batch(self.phase, batch))
        if self.phase.second:
            second = dataclasses.replace(view, target12=goal, target_mask=everywhere, truth=False)
            view = dataclasses.replace(view, second=second)
        terms = list(self.phase.objective(view).values())
        terms.append(TOWARDS_FLOAT * tf.reduce_mean(tf.norm(flows[0] - goal + 1e-6, axis=-1), axis=[1, 2]))
        return tf.add_n([global_mean(term, self.recipe.batch) for term in terms])


def assign_weights_and_ranges(graph: keras.Model, weights: dict, ranges: Ranges) -> None:
    """Gives `graph`, by `quantized`, the weights and ranges of a fine-tuning of the same network."""
    assign_ranges(graph, ranges)
    for name, v in variables(graph).items():
        if name in weights:
            v.assign(weights[name])
