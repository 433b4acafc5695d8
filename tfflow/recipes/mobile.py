"""How networks for phones go on after `ddflow_quick`: on exact flow of the built-in scenes, or still without labels."""

from __future__ import annotations

import dataclasses

from tfflow.augmentation import Flip, PermuteChannels
from tfflow.losses import MultiscaleEPE
from tfflow.recipes.ddflow import CENSUS, DISTILLATION, HIDDEN, ddflow, ddflow_quick
from tfflow.recipes.recipe import Adam, Phase, Recipe
from tfflow.recipes.schedules import Halving

EXACT = 1.0 * MultiscaleEPE(((1, 0.0003), (8, 0.01), (16, 0.02), (32, 0.08)))

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
    departures=(
        "the finest level is held against the truth at full resolution, where the flow is measured",
        "sized for two cores and a network of ours",
    ),
)

ddflow_mobile = dataclasses.replace(
    ddflow_quick,
    name="ddflow_mobile",
    phases=(
        Phase("census", 3_000, CENSUS, Halving(3e-4, every=1_000, warmup=50), HIDDEN),
        Phase(
            "distillation", 3_000, CENSUS + DISTILLATION, Halving(1.5e-4, every=1_000, warmup=50), HIDDEN, student=0.7
        ),
    ),
    crop=(192, 256),
    departures=(
        *ddflow.departures,
        "for weights of `ddflow_quick`: no photometric phase; larger crops and more steps, still of two cores",
    ),
)
