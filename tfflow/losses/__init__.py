"""Small terms that add up to an objective: `0.5 * Census() + 0.25 * Distillation()`."""

from tfflow.losses.agreement import Consistency, OcclusionPenalty, OutOfFrame
from tfflow.losses.census import Census
from tfflow.losses.distillation import Distillation, SecondPass, SelfSupervision, TargetFlow
from tfflow.losses.level import AtLevel
from tfflow.losses.multiframe import ConstantVelocity, MultiFramePhotometric, Past, ShareSmoothness, TwoShares
from tfflow.losses.objective import Objective, Term, global_mean
from tfflow.losses.penalties import AbsRobust, Charbonnier
from tfflow.losses.photometric import GradientConstancy, Photometric
from tfflow.losses.smoothness import Smoothness
from tfflow.losses.ssim import SSIM
from tfflow.losses.supervised import EndpointError, LevelEPE, MultiscaleEPE
from tfflow.losses.view import View
from tfflow.losses.visibility import Both, Confidence, Everywhere, ForwardBackward, Inside, RangeMap

__all__ = [
    "SSIM",
    "AbsRobust",
    "AtLevel",
    "Both",
    "Census",
    "Charbonnier",
    "Confidence",
    "Consistency",
    "ConstantVelocity",
    "Distillation",
    "EndpointError",
    "Everywhere",
    "ForwardBackward",
    "GradientConstancy",
    "Inside",
    "LevelEPE",
    "MultiFramePhotometric",
    "MultiscaleEPE",
    "Objective",
    "OcclusionPenalty",
    "OutOfFrame",
    "Past",
    "Photometric",
    "RangeMap",
    "SecondPass",
    "SelfSupervision",
    "ShareSmoothness",
    "Smoothness",
    "TargetFlow",
    "Term",
    "TwoShares",
    "View",
    "global_mean",
]
