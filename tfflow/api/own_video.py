"""What training on frames of one's own needs besides the loop: pairs that move, labels rendered from them, held-out
stretches to select and to report on, and one line at the end that says what it was worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tfflow.data.picked import LONGEST, OwnPairs, Picked, pick_moving
from tfflow.data.records import Source
from tfflow.data.rendered import Rendered, Rendering
from tfflow.data.stretches import stretches
from tfflow.errors import InputError
from tfflow.evaluation import baselines
from tfflow.evaluation.baselines import Predictor
from tfflow.evaluation.label_free import CHOSEN, JudgedPair, judged_pair, mean_measures
from tfflow.files import write_json
from tfflow.limits import parse_json
from tfflow.models import FlowModel, variant
from tfflow.models.weights import assign, model_arrays, read_arrays, save_arrays
from tfflow.training.loop import Hooks
from tfflow.training.teaching import WAYS, Kept, Teaching, Way, best_way
from tfflow.training.trainer import Trainer

PAIRS, HELD = 160, 12
"""Most pairs to render from, and to select by and to report on each."""

CHECKS = 12
"""How often a run is judged, about."""

FOLDER, WAY = "rendered", "way.json"
"""In the run's folder: teachers, and their flows; how these are found."""

VERDICT = "verdict.json"

Say = Callable[[str], None]


class NothingMoves(InputError):
    """No pair of the frames shows motion."""


class Verdict(NamedTuple):
    """The chosen measure on the pairs to report on, lower is better: of the start, the result, and DIS medium."""

    start: float
    result: float
    dis: float
    kept_step: int
    pairs: int
    shared: bool

    def save(self, folder: Path) -> None:
        """Keeps it in a run's folder."""
        write_json(folder / VERDICT, self._asdict())

    @classmethod
    def read(cls, folder: Path) -> Verdict | None:
        """What `save` kept; None where there is none, or none that can be read."""
        try:
            return cls(**parse_json((folder / VERDICT).read_bytes()))
        except (OSError, ValueError, TypeError, RecursionError):
            return None

    @property
    def gain(self) -> float:
        """How much better the result is than the start, %; negative where it is worse."""
        return 100.0 * (1.0 - self.result / self.start) if self.start else 0.0

    def line(self) -> str:
        """What a person needs to know, in one line."""
        where = f"{self.pairs} held-out pairs of your frames" + ", which it was selected by, too" * self.shared
        dis = f"OpenCV DIS has {self.dis:.3f}"
        if self.kept_step == 0:
            return (
                f"nothing was better than the weights that training began with, so they are the result; on {where} "
                f"they have {self.start:.3f} and {dis} ({CHOSEN}, lower is better; it can mislead)"
            )
        word = "better" if self.gain >= 0 else "WORSE"
        return (
            f"{word} than the weights that training began with by {abs(self.gain):.1f} % on {where}: {self.start:.3f} "
            f"before, {self.result:.3f} after, {dis} ({CHOSEN}, lower is better; it can mislead)"
        )


class OwnVideo:
    """The frames of a run of a recipe that renders its labels.

    learn, select, report: pairs for each use, of different stretches of the video. shared: whether it is too short
    for that. picked: what was found in the part to learn from.
    Raises NothingMoves where no pair to learn from moves.
    """

    def __init__(self, source: Source, rendering: Rendering, seed: int, folder: Path, say: Say):
        parts = stretches(len(source))
        self.rendering, self.seed, self.folder, self.say = rendering, seed, folder / FOLDER, say
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
        self._source: Rendered | None = None
        self._judged: list[JudgedPair] | None = None

    def training(self, crop: tuple[int, int]) -> Source:
        """What the phase under way trains on."""
        assert self._source is not None  # `begin` was called
        return self._source

    def hooks(self, hooks: Hooks, steps: int) -> Hooks:
        """The hooks of a run of so many steps, with rendering and judging."""
        every = max(1, steps // CHECKS)
        return dataclasses.replace(hooks, begin=self.begin, judge=self.judge, judge_every=every)

    def begin(self, trainer: Trainer, place: int, stopped: Callable[[], bool]) -> bool:
        """The flows of a round's teacher, the network as it stood when the round began; False where it was stopped."""
        folder = self.folder / f"round{place + 1}"
        network = self._network(trainer, folder / "teacher.safetensors")
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
        self._source = Rendered(self.learn, Kept(folder), self.rendering, self.seed + place)
        return True

    def judge(self, trainer: Trainer) -> float:
        """The chosen measure on the pairs to select by; the teacher there is that of the start."""
        if self._judged is None:
            self._judged = self._judged_pairs(trainer, self.select, "select")
        return mean_measures(trainer.flow_model, self._judged)[CHOSEN]

    def verdict(self, trainer: Trainer, kept_step: int) -> Verdict:
        """How the weights that `trainer` holds do on the pairs to report on."""
        pairs = self._judged_pairs(trainer, self.report, "report")
        start = self._network(trainer, self.folder / "start.safetensors")
        predictors: list[Predictor] = [start, trainer.flow_model, baselines.dis("medium")]
        before, after, dis = (mean_measures(predictor, pairs)[CHOSEN] for predictor in predictors)
        return Verdict(before, after, dis, kept_step, len(pairs), self.shared)

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

    def _judged_pairs(self, trainer: Trainer, pairs: OwnPairs, name: str) -> list[JudgedPair]:
        network = self._network(trainer, self.folder / "start.safetensors")
        teacher = Teaching(network, self.folder / name, self._way(network))
        return [judged_pair(pairs.sample(i), teacher.of(pairs, i), i, self.rendering) for i in range(len(pairs))]

    def _network(self, trainer: Trainer, path: Path) -> FlowModel:
        """A network with the weights kept at `path`; where there are none yet, those that are trained now are kept."""
        name = trainer.flow_model.name
        if path.is_file():
            arrays, _ = read_arrays(path)
        else:
            arrays = model_arrays(trainer.graph(2))
            save_arrays(path, arrays, {"model": name})
        network = FlowModel(name, network=variant(name).build("float32"))
        assign(network.both_ways, arrays, repr(str(path)))
        return network
