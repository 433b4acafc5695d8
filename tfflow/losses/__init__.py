"""Small terms that add up to an objective: `0.5 * Census() + 0.25 * Distillation()`."""

from tfflow.losses.census import Census
from tfflow.losses.distillation import Distillation
from tfflow.losses.objective import Objective, Term, global_mean
from tfflow.losses.penalties import AbsRobust, Charbonnier
from tfflow.losses.photometric import Photometric
from tfflow.losses.smoothness import Smoothness
from tfflow.losses.supervised import EndpointError, LevelEPE, MultiscaleEPE
from tfflow.losses.view import View
from tfflow.losses.visibility import Everywhere, ForwardBackward, Inside, RangeMap

__all__ = [
    "AbsRobust",
    "Census",
    "Charbonnier",
    "Distillation",
    "EndpointError",
    "Everywhere",
    "ForwardBackward",
    "Inside",
    "LevelEPE",
    "MultiscaleEPE",
    "Objective",
    "Photometric",
    "RangeMap",
    "Smoothness",
    "Term",
    "View",
    "global_mean",
]
