"""Whether training on unlabelled frames of a domain pays, measured on other pairs of it whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tf_keras as keras

from tfflow.api.markdown import table
from tfflow.api.run import UNSEEN
from tfflow.api.train import train
from tfflow.data.sources import open_source
from tfflow.defaults import DOMAINS, WEIGHTS
from tfflow.errors import InputError, unknown_name
from tfflow.evaluation import baselines
from tfflow.evaluation.paired import Gain, endpoint_errors, gain_of_mean, gain_of_typical
from tfflow.files import write_json
from tfflow.models import load
from tfflow.training.best import kept_step

MEASURED = 256
"""Pairs of each domain to measure on."""
REPORTED = 64
"""Of them those of a run's own report."""
RESULTS = "proof.json"


@dataclass(frozen=True)
class Trial:
    """One training: endpoint errors on other pairs of the domain before and after it, [pairs] px, the step of the
    checkpoint that was kept, and minutes of training steps."""

    before: np.ndarray
    after: np.ndarray
    kept_step: int
    minutes: float


@dataclass(frozen=True)
class Proof:
    """Trials and the mean endpoint error of DIS medium, px, by domain."""

    trials: dict[str, list[Trial]]
    dis: dict[str, float]

    def gains(self, domain: str) -> tuple[Gain, Gain]:
        """Of the mean over pairs, and of a typical pair (geometric mean)."""
        before, after = (np.array([getattr(t, when) for t in self.trials[domain]]) for when in ("before", "after"))
        return gain_of_mean(before, after), gain_of_typical(before, after)

    def table(self) -> str:
        """A row a domain in Markdown: means over its pairs and trainings, gains with their standard errors."""
        heads = ["EPE, px", "before", "after", "gain", "gain of a typical pair", "DIS medium", "minutes", "trainings"]
        rows = []
        for domain, trials in self.trials.items():
            means = [float(np.mean([getattr(t, when) for t in trials])) for when in ("before", "after")]
            gains = [gain.text() for gain in self.gains(domain)]
            minutes = f"{np.mean([t.minutes for t in trials]):.1f}"
            rows.append([domain, *means, *gains, self.dis[domain], minutes, len(trials)])
        return table(heads, rows, digits=3)

    def save(self, folder: Path) -> None:
        """Writes proof.json: the errors of every pair."""
        trials = {
            domain: [vars(t) | {"before": t.before.tolist(), "after": t.after.tolist()} for t in of_domain]
            for domain, of_domain in self.trials.items()
        }
        write_json(folder / RESULTS, {"dis": self.dis, "trials": trials})


def prove(
    domains: Sequence[str] = DOMAINS,
    *,
    seeds: int = 3,
    steps: int = 600,
    size: tuple[int, int] = (192, 256),
    crop: tuple[int, int] = (192, 256),
    pairs: int = 200,
    recipe: str = "textured_tune",
    weights: str = WEIGHTS,
    out: Path = Path("runs/proof"),
    progress: bool = False,
) -> Proof:
    """Trains on so many unlabelled pairs of each domain, once a seed, and measures on 256 others before and after.

    size: of the scenes; crop: trained on; weights: to begin with. Each training is a run of `tfflow.train` in a folder
    of `out`: the same call continues where it stopped. Raises InputError for arguments out of range.
    """
    for name, value in (("seeds", seeds), ("pairs", pairs)):
        if value < 1:
            raise InputError(f"`{name}` must be at least 1, got {value}")
    for domain in domains:
        if domain not in DOMAINS:
            raise unknown_name("domain", domain, DOMAINS)
    found = Proof({}, {})
    shape = f"{size[0]}x{size[1]}"
    for domain in domains:
        others = f"scenes:preset={domain},size={shape},seed={UNSEEN}"
        measured = open_source(f"{others},count={MEASURED}")
        found.dis[domain] = float(endpoint_errors({"dis": baselines.dis("medium")}, measured)["dis"].mean())
        found.trials[domain] = []
        for seed in range(seeds):
            folder = out / f"{domain}-{seed}"
            data = f"scenes:preset={domain},size={shape},seed={seed},count={pairs}"
            options = {"recipe": recipe, "weights": weights, "steps": steps, "crop": crop, "seed": seed}
            val = f"{others},count={REPORTED}"
            run = train(data, val=val, val_limit=REPORTED, out=folder, progress=progress, **options)  # type: ignore[arg-type]
            errors = endpoint_errors({"before": load(weights), "after": run.model}, measured)
            found.trials[domain].append(Trial(**errors, kept_step=kept_step(folder), minutes=run.seconds / 60))
            keras.backend.clear_session()  # graphs of the last training are not needed any more
        found.save(out)
    return found
