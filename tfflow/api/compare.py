"""`tfflow.compare`: methods trained alike, with several seeds each.

Every method gets the same frames, steps, batch and crop, and is measured on the same unseen pairs. Each training is a
run of `tfflow.train` in a folder of `out`, so that the same call continues where it stopped.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import tf_keras as keras
from rich.table import Table

from tfflow.api.plan import RANDOM
from tfflow.api.run import UNSEEN
from tfflow.api.train import TrainResult, train
from tfflow.data.sources import open_any
from tfflow.errors import InputError
from tfflow.files import write_json
from tfflow.recipes import Recipe, get_recipe
from tfflow.terminal import as_text

COLUMNS = {"epe": "EPE", "epe_noc": "EPE noc", "epe_occ": "EPE occ", "occ_f": "occlusion F"}
RESULTS = "comparison.json"
OWN = "own"


@dataclass(frozen=True)
class CompareResult:
    """rows: of each method a row for each seed: its network, its scores, steps_per_second."""

    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __rich__(self) -> Table:
        return comparison_table(self.rows)

    def table(self) -> str:
        """As text: a row for each method, mean over its trainings and the standard deviation among them."""
        return as_text(self)

    def save(self, folder: str | os.PathLike) -> Path:
        """Writes comparison.json; returns its path."""
        path = Path(folder) / RESULTS
        write_json(path, {"settings": dict(self.settings), "results": {k: list(v) for k, v in self.rows.items()}})
        return path


def compare(
    recipes: Sequence[str | os.PathLike | Recipe],
    *,
    seeds: int = 3,
    model: str = "pwcnet_mobile",
    steps: int = 1_800,
    learning_rate: float | None = None,
    batch: int = 4,
    crop: tuple[int, int] = (96, 128),
    data: Any = None,
    val: Any = None,
    out: str | os.PathLike = "runs/comparison",
    xla: bool = False,
    progress: bool = False,
) -> CompareResult:
    """Trains methods alike, with several seeds each, and compares their endpoint error on the same unseen pairs.

        print(tfflow.compare(["unflow", "ddflow"], steps=500, seeds=1).table())

    recipes: as of `tfflow.train`. seeds: trainings of each method.
    model: the network of all, or "own": each method trains the network of its paper.
    learning_rate: at the begin of every phase of every method. Papers' rates are for more steps.
    data: what to train on. Default: built-in scenes of the crop's size.
    val: what to measure on, 64 pairs with ground truth. Default: other scenes of that size.
    out: the folder. Each training is a run in it, so the same call continues where it stopped.
    steps, batch, crop, xla, progress: as of `tfflow.train`.
    Raises InputError where an argument does not fit, or `val` has no ground truth.
    """
    if seeds < 1:
        raise InputError(f"`seeds` must be at least 1, got {seeds}")
    methods = [get_recipe(recipe) for recipe in recipes]
    names = [method.name for method in methods]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{repeated[0]} is named twice")
    if val is not None and "flow12" not in (source := open_any(val)).truth:
        raise InputError(f"methods are compared by their endpoint error, and {source.name} has no ground truth")
    settings = {
        "recipes": names, "seeds": seeds, "model": model, "steps": steps, "learning_rate": learning_rate,
        "batch": batch, "crop": "x".join(map(str, crop)), "data": data, "val": val, "out": out, "xla": xla,
    }  # fmt: skip
    settings = {key: str(value) for key, value in settings.items()}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    size = f"{crop[0]}x{crop[1]}"
    for seed in range(seeds):  # all methods of a seed first: half a comparison is one of fewer seeds
        for method in methods:
            result = train(
                f"scenes:size={size},seed={seed}" if data is None else data,
                recipe=method,
                model=method.model if model == OWN else model,
                weights=RANDOM,
                val=f"scenes:size={size},seed={UNSEEN},count=64" if val is None else val,
                val_limit=64,
                out=Path(out) / f"{method.name}-{seed}",
                steps=steps,
                batch=batch,
                crop=crop,
                phase_learning_rate=learning_rate,
                seed=seed,
                xla=xla,
                progress=progress,
            )
            rows[method.name].append({"network": result.network, **_scores(result)})
            keras.backend.clear_session()  # graphs of the last training are not needed any more
        CompareResult(rows, settings).save(out)
    return CompareResult(rows, settings)


def _scores(result: TrainResult) -> dict[str, Any]:
    """The scores at the end of a training, and its pace."""
    last = result.scores[-1]
    return {**{key: last[key] for key in COLUMNS if key in last}, "steps_per_second": result.steps / result.seconds}


def comparison_table(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """A row for each method: mean over its trainings ± standard deviation.

    The network is a column, or stands in the title where all methods have one.
    """
    shown = {k: head for k, head in COLUMNS.items() if all(k in scores for runs in rows.values() for scores in runs)}
    networks = {name: runs[0]["network"] for name, runs in rows.items()}
    several = len({*networks.values()}) > 1
    title = None if several else f"{networks[next(iter(networks))]} by each method"
    columns = ["method", *["network"] * several, *shown.values(), "steps/s", "trainings"]
    result = Table(*columns, title=title, title_justify="left")
    for name, runs in rows.items():
        cells = [_spread([scores[key] for scores in runs]) for key in shown]
        rate = mean(scores["steps_per_second"] for scores in runs)
        names = [name, *[networks[name]] * several]
        result.add_row(*names, *cells, f"{rate:.2f}", str(len(runs)))
    return result


def _spread(values: list[float]) -> str:
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")
