"""An objective is a sum of weighted terms, written as the equation: 1.0 * Census() + 3.0 * Smoothness(order=2)."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow.losses.view import View


class Term:
    """A loss term: called with a View of n pairs, returns [n]. Subclasses are frozen dataclasses.

    needs_truth: whether `view.target12` must be ground truth.
    needs_teacher: whether `view.target12` must be the flow of a teacher.
    needs_second: whether it uses `view.second`.
    needs_backward: whether it uses the backward flow, so that its phase needs both directions.
    needs_outputs: the fields of the View that it uses and not every network has, see `models.Network.outputs`.
    needs_levels: strides of the levels that it uses besides full resolution.
    """

    needs_truth = False
    needs_teacher = False
    needs_second = False
    needs_backward = False

    @property
    def needs_outputs(self) -> frozenset[str]:
        return frozenset()

    @property
    def needs_levels(self) -> frozenset[int]:
        return frozenset()

    def on_levels(self, levels: frozenset[int]) -> Term | None:
        """The term for a network that has only these levels; None if nothing is left."""
        return self if self.needs_levels <= levels else None

    def __call__(self, view: View) -> tf.Tensor:
        raise TypeError(f"{type(self).__name__} must define __call__(view) -> [n]")

    def __rmul__(self, weight: float) -> Objective:
        return Objective(((float(weight), self),))


@dataclass(frozen=True)
class Objective:
    """Weighted terms. Called with a View, it returns the weighted value of each term by name, not their sum."""

    terms: tuple[tuple[float, Term], ...]

    def __add__(self, other: Objective) -> Objective:
        return Objective(self.terms + other.terms)

    def __repr__(self) -> str:
        return " + ".join(f"{weight:g} * {term!r}" for weight, term in self.terms)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the terms: their classes in small letters, numbered if a class occurs more than once."""
        kinds = [type(term).__name__.lower() for _, term in self.terms]
        return tuple(k if kinds.count(k) == 1 else f"{k}{kinds[:i].count(k) + 1}" for i, k in enumerate(kinds))

    @property
    def needs_outputs(self) -> frozenset[str]:
        """The outputs that its terms need besides flows12."""
        return frozenset().union(*(term.needs_outputs for _, term in self.terms))

    @property
    def needs_levels(self) -> frozenset[int]:
        """Strides of the levels that its terms use."""
        return frozenset().union(*(term.needs_levels for _, term in self.terms))

    def needs(self, what: str) -> bool:
        """Whether any of its terms needs "truth", a "teacher" or a "second" pass."""
        return any(getattr(term, f"needs_{what}") for _, term in self.terms)

    def on_levels(self, levels: frozenset[int]) -> Objective:
        """The objective for a network that has only these levels."""
        left = ((weight, term.on_levels(levels)) for weight, term in self.terms)
        return Objective(tuple((weight, term) for weight, term in left if term is not None))

    def __call__(self, view: View) -> dict[str, tf.Tensor]:
        """Weighted value of each term: name -> [n]. Terms without `needs_truth` do not get the ground truth."""
        return {
            name: weight * term(view if term.needs_truth else view.without_truth)
            for name, (weight, term) in zip(self.names, self.terms, strict=True)
        }


@dataclass(frozen=True)
class OfObjective(Term):
    """Base class of terms that evaluate an objective on other frames of the View."""

    objective: Objective

    @property
    def needs_levels(self) -> frozenset[int]:
        return self.objective.needs_levels

    def on_levels(self, levels: frozenset[int]) -> Term | None:
        left = self.objective.on_levels(levels)
        return type(self)(left) if left.terms else None


def global_mean(values: tf.Tensor, global_batch: int) -> tf.Tensor:
    """The contribution of one replica to the mean loss: the sum of values [n], divided by `global_batch`.

    values: one number for each pair and direction. global_batch: number of pairs on all replicas.
    Summed over replicas, loss and gradients equal those of one replica with all pairs. Nothing else divides by a batch.
    """
    return tf.reduce_sum(values) / global_batch
