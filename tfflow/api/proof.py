"""Whether training on unlabelled frames of a domain pays, measured on other pairs of it whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import tf_keras as keras

from tfflow.api.markdown import table
from tfflow.api.run import UNSEEN
from tfflow.api.train import train
from tfflow.data.sources import open_source
from tfflow.defaults import WEIGHTS
from tfflow.errors import InputError, unknown_name
from tfflow.evaluation import baselines, scoring
from tfflow.files import write_json
from tfflow.training.best import kept_step
from tfflow.training.checkpoint import read_state

DOMAINS = ("night", "pan", "fog")
"""Presets of the built-in scenes that the pretrained weights have not seen."""

MEASURED = 64
RESULTS = "proof.json"


@dataclass(frozen=True)
class Trial:
    """One training: EPE on the domain's other pairs before and after it, the step of the checkpoint that was kept, and
    minutes of training steps."""

    before: float
    after: float
    kept_step: int
    minutes: float


@dataclass(frozen=True)
class Proof:
    """Trials and the EPE of DIS medium, by domain."""

    trials: dict[str, list[Trial]]
    dis: dict[str, float]

    def table(self) -> str:
        """A row a domain in Markdown, means over its trials."""
        heads = ["EPE, px", "before", "after", "gain", "DIS medium", "minutes of steps", "trainings"]
        rows = []
        for domain, trials in self.trials.items():
            before, after = mean(t.before for t in trials), mean(t.after for t in trials)
            minutes = mean(t.minutes for t in trials)
            gain = f"{100 * (1 - after / before):+.1f} %"
            rows.append([domain, before, after, gain, self.dis[domain], f"{minutes:.1f}", len(trials)])
        return table(heads, rows, digits=3)


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
    """Trains on so many unlabelled pairs of each domain, once a seed, and measures on 64 others before and after.

    size: of the scenes; crop: trained on; weights: to begin with. Each training is a run of `tfflow.train` in a folder
    of `out`: the same call continues where it stopped. Raises InputError for arguments out of range.
    """
    for name, value in (("seeds", seeds), ("pairs", pairs)):
        if value < 1:
            raise InputError(f"`{name}` must be at least 1, got {value}")
    for domain in domains:
        if domain not in DOMAINS:
            raise unknown_name("domain", domain, DOMAINS)
    trials: dict[str, list[Trial]] = {}
    dis: dict[str, float] = {}
    shape = f"{size[0]}x{size[1]}"
    for domain in domains:
        test = f"scenes:preset={domain},size={shape},seed={UNSEEN},count={MEASURED}"
        result = scoring.run({"dis": baselines.dis("medium")}, open_source(test))["dis"]
        dis[domain] = result.summary()["mean_over_images"]["epe"]
        trials[domain] = []
        for seed in range(seeds):
            folder = out / f"{domain}-{seed}"
            data = f"scenes:preset={domain},size={shape},seed={seed},count={pairs}"
            options = {"recipe": recipe, "weights": weights, "steps": steps, "crop": crop, "seed": seed}
            train(data, val=test, val_limit=MEASURED, out=folder, progress=progress, **options)  # type: ignore[arg-type]
            trials[domain].append(_trial(folder))
            keras.backend.clear_session()  # graphs of the last training are not needed any more
        write_json(out / RESULTS, {"dis": dis, "trials": {k: [vars(t) for t in v] for k, v in trials.items()}})
    return Proof(trials, dis)


def _trial(folder: Path) -> Trial:
    state = read_state(folder)
    assert state is not None  # it ended
    scores = state[1].scores
    return Trial(scores[0]["epe"], scores[-1]["epe"], kept_step(folder), state[1].seconds / 60)
