"""An objective is a sum of weighted terms, written as the equation: 1.0 * Census() + 3.0 * Smoothness(order=2)."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfflow.losses.view import View


class Term:
    """A loss term: called with a View of n pairs, returns [n]. Subclasses are frozen dataclasses.

    needs_truth: whether it compares with `view.target12` as ground truth.
    needs_teacher: whether it follows `view.target12` as the flow of a teacher.
    needs_second: whether it judges `view.second`.
    needs_outputs: fields of the View that not every network gives, see `models.Network.outputs`.
    needs_levels: strides of the network's flows that it judges, where it is not the one at full resolution.
    """

    needs_truth = False
    needs_teacher = False
    needs_second = False

    @property
    def needs_outputs(self) -> frozenset[str]:
        return frozenset()

    @property
    def needs_levels(self) -> frozenset[int]:
        return frozenset()

    def on_levels(self, levels: frozenset[int]) -> Term | None:
        """The term on a network that has only these levels; None where nothing is left."""
        return self if self.needs_levels <= levels else None

    def __call__(self, view: View) -> tf.Tensor:
        raise TypeError(f"{type(self).__name__} must define __call__(view) -> [n]")

    def __rmul__(self, weight: float) -> Objective:
        return Objective(((float(weight), self),))


@dataclass(frozen=True)
class Objective:
    """Weighted terms. Called with a View, returns each term's weighted value under its name, and never their sum."""

    terms: tuple[tuple[float, Term], ...]

    def __add__(self, other: Objective) -> Objective:
        return Objective(self.terms + other.terms)

    def __repr__(self) -> str:
        return " + ".join(f"{weight:g} * {term!r}" for weight, term in self.terms)

    @property
    def names(self) -> tuple[str, ...]:
        """A name per term: its class, numbered where it stands more than once."""
        kinds = [type(term).__name__.lower() for _, term in self.terms]
        return tuple(k if kinds.count(k) == 1 else f"{k}{kinds[:i].count(k) + 1}" for i, k in enumerate(kinds))

    @property
    def needs_outputs(self) -> frozenset[str]:
        """The outputs that its terms need besides flows12."""
        return frozenset().union(*(term.needs_outputs for _, term in self.terms))

    @property
    def needs_levels(self) -> frozenset[int]:
        """Strides of the network's flows that its terms judge."""
        return frozenset().union(*(term.needs_levels for _, term in self.terms))

    def needs(self, what: str) -> bool:
        """Whether any of its terms needs "truth", a "teacher" or a "second" pass."""
        return any(getattr(term, f"needs_{what}") for _, term in self.terms)

    def on_levels(self, levels: frozenset[int]) -> Objective:
        """The objective on a network that has only these levels."""
        left = ((weight, term.on_levels(levels)) for weight, term in self.terms)
        return Objective(tuple((weight, term) for weight, term in left if term is not None))

    def __call__(self, view: View) -> dict[str, tf.Tensor]:
        """Weighted value of each term: name -> [n]. Ground truth reaches only terms that declare `needs_truth`."""
        return {
            name: weight * term(view if term.needs_truth else view.without_truth)
            for name, (weight, term) in zip(self.names, self.terms, strict=True)
        }


def global_mean(values: tf.Tensor, global_batch: int) -> tf.Tensor:
    """One replica's share of the loss: values [n] summed over directions and pairs, over the pairs of all replicas.

    The only place that divides by a batch: summed over replicas, gradients are those of one replica with all pairs.
    """
    return tf.reduce_sum(values) / global_batch
