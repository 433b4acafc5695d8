"""Learning rates as functions of the step within a phase."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Protocol


class Schedule(Protocol):
    """step (0 = first) -> learning rate. rate: what it begins with, after any warm-up."""

    @property
    def rate(self) -> float: ...

    def __call__(self, step: int) -> float: ...

    def scaled(self, factor: float) -> Schedule:
        """The same course in `factor` times the steps."""
        ...

    def times(self, factor: float) -> Schedule:
        """The same course at `factor` times the rate."""
        ...


def _rise(step: int, warmup: int) -> float:
    """The share of the rate during the warm-up: from near 0 to 1."""
    return min(1.0, (step + 1) / warmup) if warmup else 1.0


@dataclass(frozen=True)
class Halving:
    """`rate`, halved after every `every` steps; rising linearly from 0 over the first `warmup` steps."""

    rate: float
    every: int
    warmup: int = 0

    def __call__(self, step: int) -> float:
        return _rise(step, self.warmup) * self.rate * 0.5 ** (step // self.every)

    def scaled(self, factor: float) -> Halving:
        every, warmup = max(1, round(self.every * factor)), round(self.warmup * factor)
        return dataclasses.replace(self, every=every, warmup=warmup)

    def times(self, factor: float) -> Halving:
        return dataclasses.replace(self, rate=self.rate * factor)


@dataclass(frozen=True)
class Piecewise:
    """`rates[i]` until step `until[i]`; the last rate from there on."""

    rates: tuple[float, ...]
    until: tuple[int, ...] = ()

    @property
    def rate(self) -> float:
        return self.rates[0]

    def __call__(self, step: int) -> float:
        return self.rates[sum(step >= end for end in self.until)]

    def scaled(self, factor: float) -> Piecewise:
        return dataclasses.replace(self, until=tuple(round(end * factor) for end in self.until))

    def times(self, factor: float) -> Piecewise:
        return dataclasses.replace(self, rates=tuple(rate * factor for rate in self.rates))


@dataclass(frozen=True)
class Linear:
    """From `rate` to a hundredth of it in `steps` steps; rising linearly from 0 over the first `warmup` steps."""

    rate: float
    steps: int
    warmup: int = 0

    def __call__(self, step: int) -> float:
        return _rise(step, self.warmup) * self.rate * max(0.01, 1 - 0.99 * (step + 1) / self.steps)

    def scaled(self, factor: float) -> Linear:
        steps, warmup = max(1, round(self.steps * factor)), round(self.warmup * factor)
        return dataclasses.replace(self, steps=steps, warmup=warmup)

    def times(self, factor: float) -> Linear:
        return dataclasses.replace(self, rate=self.rate * factor)
