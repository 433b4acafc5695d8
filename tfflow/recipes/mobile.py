"""How the weights in the box were trained on the built-in scenes, in an hour or so of two cores each."""

from __future__ import annotations

import dataclasses

from tfflow.augmentation import Flip, PermuteChannels
from tfflow.losses import MultiscaleEPE
from tfflow.recipes.ddflow import CENSUS, DISTILLATION, HIDDEN, ddflow_quick
from tfflow.recipes.recipe import Adam, Phase, Recipe
from tfflow.recipes.schedules import Halving

EXACT = 1.0 * MultiscaleEPE(((1, 0.0003), (8, 0.01), (16, 0.02), (32, 0.08)))

supervised_mobile = Recipe(
    name="supervised_mobile",
    paper="loss of Dosovitskiy et al., FlowNet, ICCV 2015, with weights and schedule of ours",
    equation="L = sum_l alpha_l sum_x |w_l - w_GT,l|_2, l = full resolution and 1/8, 1/16, 1/32",
    model="pwcnet_mobile",
    phases=(Phase("exact flow", 6_000, EXACT, Halving(6e-4, every=1_200, warmup=100), directions=1),),
    batch=4,
    crop=(192, 256),
    augmentation=(Flip(horizontal=0.5, vertical=0.5), PermuteChannels()),
    optimizer=Adam(clip=5.0),
    departures=(
        "the finest level is held against the truth at full resolution, where the flow is measured",
        "sized for two cores and a network of ours",
    ),
)

unsupervised_mobile = dataclasses.replace(
    ddflow_quick,
    name="unsupervised_mobile",
    phases=(
        Phase("census", 3_000, CENSUS, Halving(4e-4, every=1_000, warmup=100), HIDDEN),
        Phase("distillation", 2_000, CENSUS + DISTILLATION, Halving(2e-4, every=700, warmup=50), HIDDEN, student=0.7),
    ),
    crop=(128, 192),
    departures=(
        *ddflow_quick.departures,
        "no photometric phase: it goes on from weights of ddflow_quick",
    ),
)
