"""What training on frames of one's own needs besides the loop: pairs that move, labels made of them, held-out
stretches to select and to report on, and one line at the end that says what was gained."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfflow.data.picked import OwnPairs, Picked, pick_moving
from tfflow.data.pipeline import EvenSubset
from tfflow.data.records import Source
from tfflow.data.stretches import FEWEST, stretches
from tfflow.data.textured import OWN, TEXTURES, Texturing, textured_scenes
from tfflow.errors import InputError
from tfflow.evaluation import baselines
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.label_free import warping_error
from tfflow.evaluation.paired import Gain, endpoint_errors, gain_of_typical, geometric_mean
from tfflow.files import write_json
from tfflow.limits import parse_json
from tfflow.messages import counted
from tfflow.models import FlowModel, variant
from tfflow.models.weights import assign, model_arrays
from tfflow.training.best import Arrays
from tfflow.training.loop import Hooks
from tfflow.training.trainer import Trainer

PAIRS, HELD = 160, 12
"""Most pairs to learn from, and to select by and to report on each."""

SELECT, REPORT = 32, 96
"""Scenes textured with held-out frames, to select by and to report on."""

FIT = 25.0
"""%. Where colours of warped frames differ by so much more than before, the verdict warns. In trainings that lowered
the true error by 5 %, they differed by up to 11 % more."""

LIKELY = 1.0
"""Standard errors by which a checkpoint must be better on the scenes to report on to replace the start. Twice as many
would have refused two of four gains that ground truth showed (docs/own_video_tried.md)."""

SHARE = 0.5
"""The result is so far on the way from the weights at the start to the best checkpoint. See `between`."""

CHECKS = 8
"""How often a run is judged, about."""

VERDICT = "verdict.json"

Say = Callable[[str], None]


class NothingToLearn(InputError):
    """The frames are too few, or no pair of them shows motion."""


class Compared(NamedTuple):
    """A number of the weights that training began with, of the result, and of DIS medium; lower is better."""

    start: float
    result: float
    dis: float

    @property
    def percent(self) -> float:
        """How much better the result is than the start; negative where it is worse."""
        return 100.0 * (1.0 - self.result / self.start) if self.start else 0.0

    def text(self, unit: str) -> str:
        return f"{self.start:.3g}{unit} before, {self.result:.3g} after, OpenCV DIS {self.dis:.3g}"


class Verdict(NamedTuple):
    """What training was worth on held-out frames.

    epe: geometric mean over scenes of the endpoint error, px, on scenes that are textured with them, whose flow is
    exact. gain: of the result over the start there, with its standard error. warping: mean difference of colours
    between the frames themselves, image2 warped onto image1, over the pixels that pass the forward-backward check of
    the start or of the result. Here, the result lies between the start and the best checkpoint, of best_step. The run
    ends with it only where its gain is more than `LIKELY` standard errors; kept_step is then the checkpoint's step,
    else 0: the run ends with the start.
    pairs: held-out ones. shared: whether they also served to select it.
    """

    epe: Compared
    gain: Gain
    warping: Compared
    best_step: int
    pairs: int
    shared: bool

    @property
    def kept_step(self) -> int:
        return self.best_step if self.gain.percent > LIKELY * self.gain.standard_error else 0

    def save(self, folder: Path) -> None:
        """Keeps it in a run's folder."""
        parts = {name: getattr(self, name)._asdict() for name in ("epe", "gain", "warping")}
        write_json(folder / VERDICT, {**self._asdict(), **parts})

    @classmethod
    def read(cls, folder: Path) -> Verdict | None:
        """What `save` kept; None where there is none, or none that can be read."""
        try:
            kept = parse_json((folder / VERDICT).read_bytes())
            parts = {
                "epe": Compared(**kept["epe"]),
                "gain": Gain(**kept["gain"]),
                "warping": Compared(**kept["warping"]),
            }
            return cls(**{**kept, **parts})
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def line(self) -> str:
        """What a person needs to know, in one line."""
        shared = ", which it was selected by, too" if self.shared else ""
        frames = f"{counted(self.pairs, 'held-out pair')} of your frames{shared}"
        numbers = (
            f"EPE (geometric mean) on scenes textured with {frames}: {self.epe.text(' px')}; colours between these "
            f"frames, warped, differ by {self.warping.text('')}"
        )
        if self.best_step == 0:
            return f"nothing was better than the weights that training began with, so they are the result; {numbers}"
        much = f"{self.gain.percent:+.1f} %, standard error {self.gain.standard_error:.1f}"
        if self.kept_step == 0:
            how = "WORSE" if self.gain.clear else "not better"
            return f"{how} after training ({much}), so the weights that it began with are the result; {numbers}"
        doubt = "; the colours fit much worse: compare both on ground truth" * (self.warping.percent < -FIT)
        how = "better" if self.gain.clear else "probably better"
        return f"{how} than the weights that training began with ({much}): {numbers}{doubt}"


class OwnVideo:
    """The frames of a run of a recipe that makes its labels of them.

    start: the network that training begins with, for the verdict. learn, select, report: pairs for each use, of
    different stretches of the video. shared: whether nothing moves in one that is held out. picked: what was found
    in the part to learn from.
    Raises NothingToLearn where the frames are too few to train and to judge on, or no pair to learn from moves.
    """

    def __init__(self, source: Source, labels: Texturing, seed: int, folder: Path, start: FlowModel, say: Say):
        parts = stretches(len(source)) if len(source) >= FEWEST else None
        self.labels, self.seed, self.folder, self.start = labels, seed, folder, start
        self.picked: Picked = pick_moving(source, parts.learn if parts else [range(len(source))], PAIRS)
        say(f"{source.name}: {self.picked.text()}")
        if not self.picked.places:
            raise NothingToLearn(
                f"{source.name}: the frames do not move in any of {counted(self.picked.tried, 'pair')} measured "
                f"({self.picked.flat} have no texture), so there is nothing to learn from: keep the pretrained "
                "weights, or take frames that move"
            )
        if parts is None:
            raise NothingToLearn(
                f"{source.name}: {counted(len(source), 'pair')} of frames are too few to train on some and to judge on "
                f"others, at least {FEWEST} are needed: keep the pretrained weights, or take a longer video"
            )
        self.learn = OwnPairs(source, self.picked.places)
        select, report = (pick_moving(source, runs, HELD).places for runs in (parts.select, parts.report))
        self.shared = not select or not report
        self.select = OwnPairs(source, select or report or self.picked.places[-HELD:])
        self.report = OwnPairs(source, report or self.select.places)

    def training(self, crop: tuple[int, int]) -> Source:
        """What the phase under way trains on."""
        return textured_scenes(self.learn, self.labels, crop, self.seed, self.folder / TEXTURES)

    def hooks(self, hooks: Hooks, steps: int, writes: bool) -> Hooks:
        """The hooks of a run of so many steps, with judging. writes: whether this machine writes the verdict."""
        every = max(1, steps // CHECKS)

        def settle(trainer: Trainer, best_step: int) -> tuple[int, Arrays]:
            graph, start = trainer.graph(2), model_arrays(self.start.both_ways)
            result = between(start, model_arrays(graph), SHARE)
            assign(graph, result, "between start and checkpoint")
            verdict = self.verdict(trainer, best_step)
            if writes:
                verdict.save(self.folder)
            return verdict.kept_step, result if verdict.kept_step else start

        return dataclasses.replace(hooks, judge=self.judge, judge_every=every, settle=settle)

    def judge(self, trainer: Trainer) -> float:
        """EPE on scenes textured with the frames to select by, geometric mean, px."""
        scenes = self._held_out(self.select, "select", trainer, SELECT)
        return geometric_mean(_errors(scenes, trainer.flow_model)[0])

    def verdict(self, trainer: Trainer, best_step: int) -> Verdict:
        """How the weights that `trainer` holds do on the frames to report on. best_step: of the best checkpoint."""
        scenes = self._held_out(self.report, "report", trainer, REPORT)
        predictors: list[Predictor] = [self.start, trainer.flow_model, baselines.dis("medium")]
        samples = [self.report.sample(i) for i in range(len(self.report))]
        errors = _errors(scenes, *predictors)
        epe = Compared(*map(geometric_mean, errors))
        warping = Compared(*warping_error(predictors[:2], predictors, samples))
        return Verdict(epe, gain_of_typical(*errors[:2]), warping, best_step, len(samples), self.shared)

    def _held_out(self, pairs: OwnPairs, name: str, trainer: Trainer, count: int) -> Source:
        """A few scenes textured with the frames of `pairs`, in the size of the last crop."""
        size = trainer.recipe.crop_of(trainer.recipe.phases[-1])
        return EvenSubset(textured_scenes(pairs, self.labels, size, self.seed + 1, self.folder / OWN / name), count)


def between(start: Arrays, end: Arrays, share: float) -> Arrays:
    """Weights on the straight line from `start` (share 0) to `end` (share 1).

    They keep most of what training gained on its own frames, and lose less elsewhere than its end does.
    Source: Wortsman et al., Robust fine-tuning of zero-shot models (WiSE-FT), CVPR 2022.
    """
    return {name: ((1 - share) * x + share * end[name]).astype(x.dtype) for name, x in start.items()}


def copy_of(model: FlowModel) -> FlowModel:
    """The network with the weights that it has now, which further training of `model` leaves."""
    copy = FlowModel(model.name, network=variant(model.name).build("float32"))
    assign(copy.both_ways, model_arrays(model.both_ways), model.name)
    return copy


def _errors(scenes: Source, *predictors: Predictor) -> list[np.ndarray]:
    """The endpoint error of each predictor on each scene, px."""
    return list(endpoint_errors({str(i): p for i, p in enumerate(predictors)}, scenes, batch=4).values())
