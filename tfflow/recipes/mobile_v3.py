"""How the third networks for phones were trained: from the weights of the second ones, on the same scenes."""

from __future__ import annotations

import dataclasses

from tfflow.recipes.mobile import self_taught_mobile
from tfflow.recipes.mobile_v2 import EXACT, ROBUST, supervised_mobile_v2_large, supervised_spynet_v2
from tfflow.recipes.recipe import Phase, Teacher
from tfflow.recipes.schedules import Halving

STEP = "the error is that after the step of Lucas and Kanade; its gradient enters the flow before the step unchanged"

supervised_spynet_v3 = dataclasses.replace(
    supervised_spynet_v2,
    name="supervised_spynet_v3",
    model="spynet_mobile_v3",
    phases=(
        Phase("all", 1_400, ROBUST, Halving(2e-4, every=700, warmup=50), directions=1),
        Phase("last", 600, ROBUST, Halving(5e-5, every=250), directions=1),
    ),
    weights="spynet_mobile_v2",
    departures=(*supervised_mobile_v2_large.departures, STEP),
)

self_taught_mobile_v3 = dataclasses.replace(
    self_taught_mobile,
    name="self_taught_mobile_v3",
    paper="ours: as `self_taught_mobile`, where motion is large",
    equation=(
        "L = sum_l alpha_l sum_x |w_l - w_T,l|_2 on a crop; w_T = variational(I1, I2, w(I1, I2 at 1/2, 1, 2)) of the "
        "whole frame, l = full resolution and 1/8 ... 1/64"
    ),
    model="pwcnet_mobile_v3",
    phases=(
        Phase(
            "taught",
            300,
            EXACT,
            Halving(1e-4, every=100, warmup=20),
            directions=1,
            teacher=Teacher(student=0.85, scales=(0.5, 1.0, 2.0), refined=True),
        ),
    ),
    batch=2,
    crop=(256, 320),
    weights="pwcnet_mobile_unsupervised",
    scenes="preset=motion,pace=1x3,photos=0.3",
)
