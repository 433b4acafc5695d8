"""What training on frames of one's own needs besides the loop: pairs that move, labels made of them, held-out
stretches to select and to report on, and one line at the end that says what was gained."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tfflow.data.picked import LONGEST, OwnPairs, Picked, pick_moving
from tfflow.data.pipeline import EvenSubset
from tfflow.data.records import Source
from tfflow.data.rendered import Rendered, Rendering
from tfflow.data.stretches import stretches
from tfflow.data.textured import TEXTURES, Texturing, textured_scenes
from tfflow.errors import InputError
from tfflow.evaluation import baselines, scoring
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.label_free import warping_error
from tfflow.files import write_json
from tfflow.limits import parse_json
from tfflow.models import FlowModel, variant
from tfflow.models.weights import assign, model_arrays, read_arrays, save_arrays
from tfflow.training.loop import Hooks
from tfflow.training.teaching import WAYS, Kept, Teaching, Way, best_way
from tfflow.training.trainer import Trainer

PAIRS, HELD = 160, 12
"""Most pairs to learn from, and to select by and to report on each."""

SCENES = 24
"""Scenes textured with held-out frames, to select by and to report on each."""

CHECKS = 8
"""How often a run is judged, about."""

FOLDER, START, TEACHER, WAY = "own", "start.safetensors", "teacher.safetensors", "way.json"
"""In the run's folder: held-out frames, the weights of the start, teachers and their flows, how these are found."""

VERDICT = "verdict.json"

Say = Callable[[str], None]


class NothingMoves(InputError):
    """No pair of the frames shows motion."""


class Gain(NamedTuple):
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

    epe: endpoint error, px, on scenes that are textured with them, whose flow is exact. warping: mean difference of
    colours between the frames themselves, image2 warped onto image1, over the pixels that pass the forward-backward
    check of the start. kept_step: of the checkpoint that is the result, 0 = the start. pairs: held-out ones. shared:
    whether they also served to select it.
    """

    epe: Gain
    warping: Gain
    kept_step: int
    pairs: int
    shared: bool

    def save(self, folder: Path) -> None:
        """Keeps it in a run's folder."""
        write_json(folder / VERDICT, {**self._asdict(), "epe": self.epe._asdict(), "warping": self.warping._asdict()})

    @classmethod
    def read(cls, folder: Path) -> Verdict | None:
        """What `save` kept; None where there is none, or none that can be read."""
        try:
            kept = parse_json((folder / VERDICT).read_bytes())
            return cls(**{**kept, "epe": Gain(**kept["epe"]), "warping": Gain(**kept["warping"])})
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def line(self) -> str:
        """What a person needs to know, in one line."""
        frames = f"{self.pairs} held-out pairs of your frames" + ", which it was selected by, too" * self.shared
        numbers = (
            f"EPE on scenes textured with {frames}: {self.epe.text(' px')}; colours between these frames, warped, "
            f"differ by {self.warping.text('')}"
        )
        if self.kept_step == 0:
            return f"nothing was better than the weights that training began with, so they are the result; {numbers}"
        word = "better" if self.epe.percent >= 0 else "WORSE"
        doubt = "; the two disagree: compare both on ground truth" * (self.epe.percent * self.warping.percent < 0)
        return f"{word} than the weights that training began with by {abs(self.epe.percent):.1f} %: {numbers}{doubt}"


class OwnVideo:
    """The frames of a run of a recipe that makes its labels of them.

    learn, select, report: pairs for each use, of different stretches of the video. shared: whether it is too short
    for that. picked: what was found in the part to learn from.
    Raises NothingMoves where no pair to learn from moves.
    """

    def __init__(self, source: Source, labels: Rendering | Texturing, seed: int, folder: Path, say: Say):
        parts = stretches(len(source))
        self.labels, self.seed, self.say = labels, seed, say
        self.run, self.folder = folder, folder / FOLDER
        self.picked: Picked = pick_moving(source, parts.learn, PAIRS, LONGEST)
        say(f"{source.name}: {self.picked.text()}")
        if not self.picked.places:
            raise NothingMoves(
                f"{source.name}: none of {self.picked.tried} pairs measured shows motion ({self.picked.flat} have no "
                "texture), so there is nothing to learn from: keep the pretrained weights, or take frames that move"
            )
        self.learn = OwnPairs(source, self.picked.places)
        select, report = (pick_moving(source, runs, HELD, LONGEST).places for runs in (parts.select, parts.report))
        self.shared = parts.shared or not select or not report
        self.select = OwnPairs(source, select or report or self.picked.places[-HELD:])
        self.report = OwnPairs(source, report or self.select.places)
        self._rendered: Rendered | None = None

    def training(self, crop: tuple[int, int]) -> Source:
        """What the phase under way trains on."""
        if isinstance(self.labels, Texturing):
            return textured_scenes(self.learn, self.labels, crop, self.seed, self.run / TEXTURES)
        assert self._rendered is not None  # `begin` was called
        return self._rendered

    def hooks(self, hooks: Hooks, steps: int) -> Hooks:
        """The hooks of a run of so many steps, with rendering and judging."""
        every = max(1, steps // CHECKS)
        return dataclasses.replace(hooks, begin=self.begin, judge=self.judge, judge_every=every)

    def begin(self, trainer: Trainer, place: int, stopped: Callable[[], bool]) -> bool:
        """The flows of a round's teacher, the network as it stood when the round began; False where it was stopped.
        Scenes need no teacher. The weights of the start are kept, for the verdict."""
        keep(trainer, self.folder / START)
        if isinstance(self.labels, Texturing):
            return True
        folder = self.folder / f"round{place + 1}"
        keep(trainer, folder / TEACHER)
        network = kept_network(trainer.flow_model.name, folder / TEACHER)
        way = self._way(network)
        self.say(
            f"round {place + 1}: a teacher's flow for {len(self.learn)} pairs, both ways; passes at "
            f"{', '.join(f'{scale:g}' for scale in way.scales)}{', refined' * way.refined}"
        )
        teacher = Teaching(network, folder, way)
        for index in range(len(self.learn)):
            if stopped():
                return False
            teacher.of(self.learn, index)
        self._rendered = Rendered(self.learn, Kept(folder), self.labels, self.seed + place)
        return True

    def judge(self, trainer: Trainer) -> float:
        """EPE on scenes textured with the frames to select by, px."""
        return _epe(trainer.flow_model, self._held_out(self.select, "select", trainer))

    def verdict(self, trainer: Trainer, kept_step: int) -> Verdict:
        """How the weights that `trainer` holds do on the frames to report on."""
        scenes = self._held_out(self.report, "report", trainer)
        start = kept_network(trainer.flow_model.name, self.folder / START)
        predictors: list[Predictor] = [start, trainer.flow_model, baselines.dis("medium")]
        samples = [self.report.sample(i) for i in range(len(self.report))]
        epe, warping = Gain(*(_epe(p, scenes) for p in predictors)), Gain(*warping_error(start, predictors, samples))
        return Verdict(epe, warping, kept_step, len(samples), self.shared)

    def _held_out(self, pairs: OwnPairs, name: str, trainer: Trainer) -> Source:
        """A few scenes textured with the frames of `pairs`, in the size of the last crop."""
        texturing = self.labels if isinstance(self.labels, Texturing) else Texturing()
        size = trainer.recipe.crop_of(trainer.recipe.phases[-1])
        return EvenSubset(textured_scenes(pairs, texturing, size, self.seed + 1, self.folder / name), SCENES)

    def _way(self, network: FlowModel) -> Way:
        """The way of the teachers, chosen once a run."""
        path = self.folder / WAY
        if not path.is_file():
            way, _ = best_way(network, self.learn)
            write_json(path, way._asdict())
            return way
        try:
            kept = parse_json(path.read_bytes())
            return WAYS[WAYS.index(Way(tuple(kept["scales"]), kept["refined"]))]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InputError(f"{str(path)!r} is damaged: remove it; the way is then chosen again") from None


def keep(trainer: Trainer, path: Path) -> None:
    """Writes the weights that are trained now, unless some are kept there already."""
    if not path.is_file():
        save_arrays(path, model_arrays(trainer.graph(2)), {"model": trainer.flow_model.name})


def kept_network(name: str, path: Path) -> FlowModel:
    """The network called `name` with weights that `keep` wrote. Raises InputError where they are damaged or gone."""
    arrays, _ = read_arrays(path)
    network = FlowModel(name, network=variant(name).build("float32"))
    assign(network.both_ways, arrays, repr(str(path)))
    return network


def _epe(predictor: Predictor, scenes: Source) -> float:
    return float(scoring.run({"it": predictor}, scenes, batch=4)["it"].summary()["mean_over_images"]["epe"])
