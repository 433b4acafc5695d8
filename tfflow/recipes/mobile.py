"""How networks for phones go on after `ddflow_quick`: still without labels, taught by themselves, or on exact flow."""

from __future__ import annotations

import dataclasses

from tfflow.augmentation import Flip, PermuteChannels
from tfflow.losses import MultiscaleEPE
from tfflow.recipes.ddflow import CENSUS, DISTILLATION, LEVELS, TEACHER, VISIBLE, ddflow, ddflow_quick
from tfflow.recipes.recipe import Adam, Phase, Recipe, Teacher
from tfflow.recipes.schedules import Halving

EXACT = 1.0 * MultiscaleEPE(LEVELS)

supervised_mobile = Recipe(
    name="supervised_mobile",
    paper="loss of Dosovitskiy et al., FlowNet, ICCV 2015, with weights and schedule of ours",
    equation="L = sum_l alpha_l sum_x |w_l - w_GT,l|_2, l = full resolution and 1/8, 1/16, 1/32",
    model="pwcnet_mobile",
    phases=(Phase("exact flow", 4_500, EXACT, Halving(6e-4, every=900, warmup=75), directions=1),),
    batch=4,
    crop=(192, 256),
    augmentation=(Flip(horizontal=0.5, vertical=0.5), PermuteChannels()),
    optimizer=Adam(clip=5.0),
    levels_optional=True,
    departures=(
        "the finest level is held against the truth at full resolution, where the flow is measured",
        "sized for two cores and a network of ours",
    ),
)


def _taught(name: str, rate: float) -> Phase:
    """A student on most of the frame, after a teacher of passes at three scales over all of it."""
    return Phase(
        name,
        3_000,
        EXACT,
        Halving(rate, every=750, warmup=50),
        directions=1,
        teacher=Teacher(student=0.85, scales=(0.5, 1.0, 2.0), refined=True),
    )


self_taught_mobile = dataclasses.replace(
    supervised_mobile,
    name="self_taught_mobile",
    paper="ours: the loss of `supervised_mobile`, with flow of the network's own in the place of the truth",
    equation=(
        "L = sum_l alpha_l sum_x |w_l - w_T,l|_2 on a crop; w_T = variational(I1, I2, w(I1, I2 at 1/2, 1, 2)) of the "
        "whole frame, l = full resolution and 1/8, 1/16, 1/32"
    ),
    phases=(_taught("taught", 6e-4), _taught("taught again", 3e-4)),
    weights="given",
    departures=(
        "DDFlow's teacher makes one pass, as the student; ours three, at half to twice the frame's size, and is "
        "refined as DIS is; the student follows everywhere, not only where its crop occludes",
        "for weights that know motion already; sized for two cores",
    ),
)

ddflow_mobile = dataclasses.replace(
    ddflow_quick,
    name="ddflow_mobile",
    phases=(
        Phase("census", 3_000, CENSUS, Halving(3e-4, every=1_000, warmup=50), VISIBLE),
        Phase(
            "distillation",
            3_000,
            CENSUS + DISTILLATION,
            Halving(1.5e-4, every=1_000, warmup=50),
            VISIBLE,
            teacher=TEACHER,
        ),
    ),
    crop=(192, 256),
    weights="given",
    departures=(
        *ddflow.departures,
        "for weights of `ddflow_quick`: no photometric phase; larger crops and more steps, still of two cores",
    ),
)
