"""What a method is: phases of training, each an objective with its schedule, written as data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from tfflow.augmentation import Augmentation, Superpixels
from tfflow.losses.objective import Objective
from tfflow.losses.visibility import Everywhere, Visibility
from tfflow.models.cascade import ONCE
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
class Phase:
    """One stretch of training under one objective; the optimizer starts anew with it.

    steps: updates. learning_rate: function of the step within the phase.
    visibility: how pixels that both frames see are told from those that only one does.
    directions: 2 = 1->2 and 2->1 in one pass, their losses summed; 1 = 1->2 alone.
    student: 0 = no teacher; else the share of the crop's sides that the student sees, while a teacher, the network as
        it stood when the phase began, sees the whole crop and gives the flow to follow, in the place of ground truth.
    looks: scales at which the teacher looks, one after the other (`models.cascade`); refined: whether OpenCV's
        variational refinement ends its flow.
    trust: where the teacher's flow counts, and how much; None = as visibility says.
    net: of a stack of networks, the one whose flows are judged, 1 = the first; 0 = the last, as in use.
    occluders: what covers parts of the student's second frame; None = nothing. One kind a recipe.
    train: only weights whose name begins so; "" = all.
    start: (to, from) beginnings of weight names, copied before the first step.
    second: changes of frames, flow and masks that keep their size, under which the network looks a second time; the
        flow of the first look, changed alike, is there to be followed where visibility (or trust) says.
    crop, batch: (height, width) px and pairs a step of this phase; None = the recipe's.
    """

    name: str
    steps: int
    objective: Objective
    learning_rate: Schedule
    visibility: Visibility = Everywhere()
    directions: int = 2
    student: float = 0.0
    looks: tuple[float, ...] = ONCE
    refined: bool = False
    train: str = ""
    start: tuple[tuple[str, str], ...] = ()
    trust: Visibility | None = None
    net: int = 0
    occluders: Superpixels | None = None
    second: tuple[Augmentation, ...] = ()
    crop: tuple[int, int] | None = None
    batch: int | None = None

    def __post_init__(self) -> None:
        if self.second and (self.student or self.directions != 2):
            raise ValueError(f"phase {self.name!r} looks twice: it needs directions=2 and takes no student")
        if not self.student and (self.looks != ONCE or self.refined):
            raise ValueError(f"phase {self.name!r} says how a teacher looks: it needs a student")

    @property
    def needs_truth(self) -> bool:
        """Whether a term compares with ground truth."""
        return not self.student and any(term.needs_truth for _, term in self.objective.terms)


@dataclass(frozen=True)
class Recipe:
    """A method. `repr(recipe)` says all that it does; `departures` say where it is not the paper's.

    equation: the objective in the paper's notation. model: the network of the paper, by its name in the table.
    batch: pairs a step over all replicas. crop: (height, width) px that the network trains on.
    augmentation: applied to a frame pair in order, before the crop.
    scenes: settings of the built-in scenes that it trains on where no data is named, as in `scenes:SETTINGS`.
    """

    name: str
    paper: str
    equation: str
    model: str
    phases: tuple[Phase, ...]
    batch: int
    crop: tuple[int, int]
    augmentation: tuple[Augmentation, ...] = ()
    optimizer: Adam = Adam()
    departures: tuple[str, ...] = field(default=())
    scenes: str = ""

    @property
    def steps(self) -> int:
        """Updates of all phases."""
        return sum(phase.steps for phase in self.phases)

    @property
    def needs_truth(self) -> bool:
        """Whether a phase needs ground truth."""
        return any(phase.needs_truth for phase in self.phases)

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
