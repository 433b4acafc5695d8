"""UFlow: Jonschkowski et al., What Matters in Unsupervised Optical Flow, ECCV 2020."""

from __future__ import annotations

import dataclasses

from tfflow.augmentation import ColourJitter, Flip, PermuteChannels
from tfflow.losses import (
    AbsRobust,
    AtLevel,
    Both,
    Census,
    Charbonnier,
    Confidence,
    ForwardBackward,
    Inside,
    Objective,
    RangeMap,
    SelfSupervision,
    Smoothness,
)
from tfflow.losses.visibility import Visibility
from tfflow.recipes.recipe import Adam, Phase, Recipe, Teacher
from tfflow.recipes.schedules import Piecewise

ROBUST = Charbonnier(alpha=0.5, epsilon=0.001)
# UFlow averages over both directions, which are summed here, and smoothness over u and v too, likewise.
CENSUS = 0.5 * Census(radius=3, penalty=AbsRobust(epsilon=0.01, q=0.4))
SMOOTH = 1.0 * Smoothness(order=1, penalty=Charbonnier(alpha=0.5), edge=150.0, finest=True)
SMOOTH_KITTI = 0.5 * Smoothness(order=2, penalty=Charbonnier(alpha=0.5), edge=150.0, finest=True)
FOLLOW = AtLevel(4, 1.0 * SelfSupervision(Confidence(0.03), Charbonnier(alpha=0.5)))
CLAIMED = Both(RangeMap(), Inside())
AGREED = Both(ForwardBackward(alpha1=0.01, alpha2=0.5), Inside())


def _phases(alone: Objective, visibility: Visibility) -> tuple[Phase, ...]:
    rate, teacher = Piecewise((1e-4,)), Teacher(student=0.7, trust=Confidence(0.003))
    return (
        Phase("census", 500_000, alone, rate, visibility),
        Phase("ramp", 100_000, alone + 0.15 * FOLLOW, rate, visibility, teacher=teacher),
        Phase("self-supervision", 400_000, alone + 0.3 * FOLLOW, rate, visibility, teacher=teacher),
    )


uflow = Recipe(
    name="uflow",
    paper="Jonschkowski et al., What Matters in Unsupervised Optical Flow, ECCV 2020 (UFlow)",
    equation=(
        "L = L_census (O, range map) + 4 sum |grad w| exp(-150 |grad I1|) at 1/4 "
        "+ 0.6 sum m_t (1 - m_s) |w_t - w_s| at 1/4; m = exp(-|w_f + w_b|^2 / (sigma^2 (h^2 + w^2)))"
    ),
    model="pwcnet_uflow",
    phases=_phases(CENSUS + SMOOTH, CLAIMED),
    batch=1,
    crop=(384, 512),
    augmentation=(
        Flip(horizontal=0.0, vertical=0.5),
        PermuteChannels(inputs_only=True),
        ColourJitter(hue=0.5, inputs_only=True),
    ),
    optimizer=Adam(epsilon=1e-8),
    levels_optional=True,
    departures=(
        "the ramp of the self-supervision over 100,000 steps is a phase at half of its weight",
        "the teacher is the network as it stood when its phase began; theirs is that of the same step",
        "the student sees 0.7 of the crop's sides, to the nearest multiple of the stride, at its own size, and census "
        "and smoothness are taken there too; theirs is cut by 64 px on each side, resized, and only follows",
        "one crop for all data: theirs is 448x1024 for Sintel, 384x512 for Chairs; Adam's constants [from memory]",
    ),
)

uflow_kitti = dataclasses.replace(
    uflow,
    name="uflow_kitti",
    phases=_phases(CENSUS + SMOOTH_KITTI, AGREED),
    equation=uflow.equation.replace(
        "range map) + 4 sum |grad w|", "forward-backward check) + 2 sum |second differences of w|"
    ),
    crop=(320, 640),
    augmentation=uflow.augmentation[1:],
    departures=(*uflow.departures, "frames keep their shape, where theirs are resized to 640x640; no mirror images"),
)
