"""A run of the tests' recipe on devices; `python -m tests.training.replicas DEVICES OUT [muon]` leaves its numbers.

OUT/weights.safetensors and, of the first machine alone, OUT/gradients.npz: the first step's gradient of every phase.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np

from tests.training import runs
from tfflow.models.weights import variable_names
from tfflow.recipes import Muon
from tfflow.recipes.schedules import Halving
from tfflow.training import loop
from tfflow.training.cluster import machines_of
from tfflow.training.feed import Feed
from tfflow.training.strategy import choose_strategy
from tfflow.training.trainer import Trainer

STEPS = 2
RECIPE = dataclasses.replace(
    runs.THREE,
    batch=4,
    phases=tuple(
        dataclasses.replace(p, steps=STEPS, learning_rate=Halving(1e-3, every=99))
        for p in (runs.THREE.phases[1], runs.THREE.phases[2])
    ),
)

OF_OPTIMIZER = {"adam": RECIPE, "muon": dataclasses.replace(RECIPE, optimizer=Muon(clip=1.0))}


def main(devices: str, out: Path, optimizer: str = "adam") -> None:
    recipe = OF_OPTIMIZER[optimizer]
    strategy = choose_strategy(devices)
    machines, machine = machines_of(strategy)
    print(f"{strategy.num_replicas_in_sync} replicas, machine {machine} of {machines}", flush=True)
    trainer = Trainer("tiny", recipe, strategy)
    gradients: dict[str, np.ndarray] = {}
    compute = trainer.compute
    counted = iter(range(100))

    def noted(batch):
        values, change, norm = compute(batch)
        number = next(counted)
        if number % STEPS == 0:
            names = variable_names(trainer.graph(2))
            first = strategy.experimental_local_results(change)[0]
            gradients.update({f"{number}/{n}": g.numpy() for n, g in zip(names, first, strict=True)})
        return values, change, norm

    trainer.compute = noted
    out.mkdir(exist_ok=True)
    loop.train(
        trainer, Feed(strategy, lambda _: runs.SCENES, recipe, seed=5), out, runs.quiet(), metadata={},
        chief=machine == 0, row_steps=1,
    )  # fmt: skip
    if machine == 0:
        np.savez(out / "gradients.npz", **gradients)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
