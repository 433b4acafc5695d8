"""What a method is: phases of training, each an objective with its schedule, written as data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from tfflow.augmentation import Augmentation, Superpixels
from tfflow.data.textured import Texturing
from tfflow.losses.objective import Objective
from tfflow.losses.visibility import Everywhere, Visibility, needs_backward
from tfflow.models.scales import ONCE
from tfflow.recipes.schedules import Schedule


@dataclass(frozen=True)
class Adam:
    """Kingma and Ba 2015. clip: largest norm of all gradients together, 0 = none; weight_decay: L2 on kernels."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    clip: float = 0.0
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Muon:
    """Jordan et al. 2024, scaled as by Liu et al. 2025: the averaged gradient of a kernel is made an orthogonal matrix.

    momentum: share of the average that is kept a step. iterations: Newton-Schulz iterations a step. beta1, beta2,
    epsilon: of Adam, which updates biases and kernels of two outputs. clip, weight_decay: as of `Adam`.
    """

    momentum: float = 0.95
    iterations: int = 5
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    clip: float = 0.0
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Teacher:
    """The network as it stood when the phase began: it sees the whole crop, and its flow stands in for ground truth.

    student: share of the crop's sides that the network under training, the student, sees; 1 = all of it.
    scales: of the frames, at which the teacher makes a pass each (`models.cascade`); refined: whether OpenCV's
        variational refinement ends its flow.
    trust: where its flow counts, and how much; None = as the phase's visibility says.
    occluders: what covers parts of the student's second frame; None = nothing. One kind a recipe.
    """

    student: float
    scales: tuple[float, ...] = ONCE
    refined: bool = False
    trust: Visibility | None = None
    occluders: Superpixels | None = None


@dataclass(frozen=True)
class Transformed:
    """A second pass over transformed frames; the flow of the first pass, transformed alike, is what it follows.

    changes: of frames, flow and masks, which keep their size. trust: as of a `Teacher`.
    """

    changes: tuple[Augmentation, ...]
    trust: Visibility | None = None


@dataclass(frozen=True)
class Part:
    """The part of a network that a phase trains.

    weights: the beginning of the names of its weights; "" = all. start: (to, from) beginnings of names, whose weights
    are copied before the first step. net: of a stack of networks, the one whose flows are judged, 1 = the first;
    0 = the last, as in use.
    """

    weights: str = ""
    start: tuple[tuple[str, str], ...] = ()
    net: int = 0


@dataclass(frozen=True)
class Phase:
    """One stretch of training under one objective; the optimizer starts anew with it.

    steps: updates. learning_rate: function of the step within the phase.
    visibility: how pixels that both frames see are separated from occluded ones.
    directions: 2 = 1->2 and 2->1 in one pass, their losses summed; 1 = 1->2 alone.
    teacher, second: whose flow some terms follow; at most one of them. part: what is trained and judged.
    crop, batch: (height, width) px and pairs a step of this phase; None = the recipe's.
    """

    name: str
    steps: int
    objective: Objective
    learning_rate: Schedule
    visibility: Visibility = Everywhere()
    directions: int = 2
    teacher: Teacher | None = None
    second: Transformed | None = None
    part: Part = Part()
    crop: tuple[int, int] | None = None
    batch: int | None = None

    def __post_init__(self) -> None:
        if self.second and (self.teacher or self.directions != 2):
            raise ValueError(f"phase {self.name!r} makes a second pass: it needs directions=2 and takes no teacher")
        if self.second and not self.objective.needs("second"):
            raise ValueError(f"phase {self.name!r} makes a second pass that no term judges: leave `second` out")
        if not self.second and self.objective.needs("second"):
            raise ValueError(f"phase {self.name!r} judges a second pass: it needs `second`, a Transformed")
        if not self.teacher and self.objective.needs("teacher"):
            raise ValueError(f"phase {self.name!r} has a term that follows a teacher: it needs `teacher`, a Teacher")
        masks = (self.visibility, self.teacher.trust if self.teacher else None)
        if self.directions != 2 and (self.objective.needs("backward") or any(map(needs_backward, masks))):
            raise ValueError(f"phase {self.name!r} compares the flows of both directions: it needs directions=2")

    @property
    def needs_truth(self) -> bool:
        """Whether a term compares with ground truth."""
        return not self.teacher and self.objective.needs("truth")


@dataclass(frozen=True)
class Recipe:
    """A method. `repr(recipe)` says all that it does; `departures` say where it is not the paper's.

    equation: the objective in the paper's notation. model: the network of the paper, by its name in the table.
    batch: pairs a step over all replicas. crop: (height, width) px that the network trains on.
    augmentation: applied to a frame pair in order, before the crop.
    levels_optional: whether a network that lacks a level (named by its stride, such as 1/64) is trained without the
        terms and weights of that level, of which training tells; else it is refused.
    weights: what it begins from: "random"; "pretrained": those that come with the package for the network; "given":
        trained weights that the user must name; or the name of pretrained weights, of this network or one it extends.
    scenes: settings of the built-in scenes that it trains on where no data is named, as in `scenes:SETTINGS`.
    labels: how the frames that it trains on texture scenes with exact flow; None = it trains on the frames themselves.
    """

    name: str
    paper: str
    equation: str
    model: str
    phases: tuple[Phase, ...]
    batch: int
    crop: tuple[int, int]
    augmentation: tuple[Augmentation, ...] = ()
    optimizer: Adam | Muon = Adam()
    departures: tuple[str, ...] = field(default=())
    levels_optional: bool = False
    weights: str = "random"
    scenes: str = ""
    labels: Texturing | None = None

    @property
    def steps(self) -> int:
        """Updates of all phases."""
        return sum(phase.steps for phase in self.phases)

    @property
    def needs_truth(self) -> bool:
        """Whether a phase needs ground truth of the frames that are given."""
        return self.labels is None and any(phase.needs_truth for phase in self.phases)

    def crop_of(self, phase: Phase) -> tuple[int, int]:
        """(height, width) px that the network trains on in `phase`."""
        return phase.crop or self.crop

    def batch_of(self, phase: Phase) -> int:
        """Pairs a step in `phase`, over all replicas."""
        return phase.batch or self.batch

    def phase_at(self, step: int) -> Phase:
        """The phase that update number `step` (0 = the first) belongs to; the last one beyond the end."""
        for phase in self.phases:
            if step < phase.steps:
                return phase
            step -= phase.steps
        return self.phases[-1]

    def scaled(self, steps: int) -> Recipe:
        """The same method in so many steps: phases keep their shares, schedules shrink with them."""
        ends = [round(steps * sum(p.steps for p in self.phases[: i + 1]) / self.steps) for i in range(len(self.phases))]
        lengths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
        phases = tuple(
            dataclasses.replace(p, steps=n, learning_rate=p.learning_rate.scaled(n / p.steps))
            for p, n in zip(self.phases, lengths, strict=True)
        )
        return dataclasses.replace(self, phases=phases)

    def at_rate(self, rate: float, every_phase: bool = False) -> Recipe:
        """The same method, begun at `rate`: all schedules scaled alike, or each phase to begin there."""
        rates = [(p.learning_rate if every_phase else self.phases[0].learning_rate).rate for p in self.phases]
        phases = tuple(
            dataclasses.replace(p, learning_rate=p.learning_rate.times(rate / before))
            for p, before in zip(self.phases, rates, strict=True)
        )
        return dataclasses.replace(self, phases=phases)
