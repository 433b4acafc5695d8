"""How `pwcnet_mobile_v2` was trained: exact flow of rendered scenes, from small frames to large ones."""

from __future__ import annotations

import dataclasses

from tfflow.losses import MultiscaleEPE
from tfflow.recipes.mobile import supervised_mobile
from tfflow.recipes.recipe import Phase
from tfflow.recipes.schedules import Halving

EXACT = 1.0 * MultiscaleEPE(((1, 0.0003), (8, 0.01), (16, 0.02), (32, 0.08), (64, 0.32)))

far_mobile = dataclasses.replace(
    supervised_mobile,
    name="far_mobile",
    equation="L = sum_l alpha_l sum_x |w_l - w_GT,l|_2, l = full resolution and 1/8, 1/16, 1/32, 1/64",
    model="pwcnet_mobile_v2",
    phases=(
        Phase("small frames", 4_000, EXACT, Halving(4e-4, every=4_000, warmup=100), directions=1),
        Phase("large frames", 4_000, EXACT, Halving(3e-4, every=2_000, warmup=100), directions=1, crop=(384, 512), batch=2),
        Phase("last", 2_000, EXACT, Halving(1e-4, every=500), directions=1, crop=(384, 512), batch=2),
    ),
    scenes="preset=mixed",
    departures=("sized for two cores and a network of ours; goes on from weights of `pwcnet_mobile`",),
)
