"""Loss terms. Their weighted sum is an objective, written as the equation.

An objective on a batch of four pairs gives each term for each pair:

    import tensorflow as tf
    from tfflow.losses import Census, ForwardBackward, Smoothness, View

    objective = 1.0 * Census(radius=3) + 3.0 * Smoothness(order=2, edge=100.0)
    image1, image2 = tf.random.uniform([2, 4, 64, 96, 3])
    flow12, flow21 = tf.zeros([2, 4, 64, 96, 2])
    visible1 = ForwardBackward()(flow12, flow21)  # [4, 64, 96, 1]
    terms = objective(View(image1, image2, (flow12,), visible1))
    terms["census"]  # [4]
"""

from tfflow.losses.agreement import Consistency, OcclusionPenalty, OutOfFrame
from tfflow.losses.census import Census
from tfflow.losses.distillation import Distillation, PyramidDistillation, SecondPass, SelfSupervision, TargetFlow
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
    "PyramidDistillation",
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
