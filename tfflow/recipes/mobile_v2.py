"""How the second networks for phones were trained: exact flow of rendered scenes, large motion last."""

from __future__ import annotations

import dataclasses

from tfflow.augmentation import Flip, PermuteChannels, Still
from tfflow.losses import MultiscaleEPE
from tfflow.recipes.mobile import supervised_mobile
from tfflow.recipes.recipe import Phase
from tfflow.recipes.schedules import Halving

WEIGHTS = ((1, 0.0003), (8, 0.01), (16, 0.02), (32, 0.08), (64, 0.32))
EXACT = 1.0 * MultiscaleEPE(WEIGHTS)
ROBUST = 1.0 * MultiscaleEPE(WEIGHTS, power=0.7)
LARGE = (384, 512)

supervised_mobile_v2 = dataclasses.replace(
    supervised_mobile,
    name="supervised_mobile_v2",
    equation="L = sum_l alpha_l sum_x |w_l - w_GT,l|_2^q, l = full resolution and 1/8 ... 1/64, q = 1, then 0.7",
    model="pwcnet_mobile_v2",
    phases=(
        Phase("small frames", 3_000, EXACT, Halving(3e-4, every=1_500, warmup=100), directions=1),
        Phase("large frames", 3_000, ROBUST, Halving(2e-4, every=1_500, warmup=50), directions=1, crop=LARGE, batch=2),
        Phase("last", 1_400, ROBUST, Halving(5e-5, every=500), directions=1, crop=LARGE, batch=2),
    ),
    augmentation=(Flip(horizontal=0.5, vertical=0.5), PermuteChannels(), Still(0.04, flat=0.6)),
    weights="pwcnet_mobile",
    scenes="preset=motion,photos=0.3",
    departures=(
        "the finest level is held against the truth at full resolution, where the flow is measured",
        "sized for one core of a desktop and a network of ours",
        "some pairs do not move, and some of those have no texture: no motion must give no flow",
    ),
)

supervised_mobile_v2_large = dataclasses.replace(
    supervised_mobile_v2,
    name="supervised_mobile_v2_large",
    equation="L = sum_l alpha_l sum_x |w_l - w_GT,l|_2^0.7, l = full resolution and 1/8 ... 1/64",
    phases=(
        Phase("large motion", 3_600, ROBUST, Halving(2e-4, every=1_800, warmup=50), directions=1, crop=LARGE, batch=2),
        Phase("last", 1_000, ROBUST, Halving(5e-5, every=400), directions=1, crop=LARGE, batch=2),
    ),
    weights="pwcnet_mobile_v2",
    scenes="preset=large,photos=0.3",
)

supervised_spynet_v2 = dataclasses.replace(
    supervised_mobile_v2,
    name="supervised_spynet_v2",
    model="spynet_mobile_v2",
    phases=(
        Phase("exact", 1_400, EXACT, Halving(6e-4, every=700, warmup=100), directions=1),
        Phase("robust", 2_000, ROBUST, Halving(4e-4, every=800, warmup=50), directions=1),
        Phase("last", 800, ROBUST, Halving(1e-4, every=300), directions=1),
    ),
    batch=2,
    crop=LARGE,
    weights="pwcnet_mobile_v2",
    scenes="preset=large,photos=0.3",
    departures=(*supervised_mobile_v2.departures, "the encoder goes on from that of `pwcnet_mobile_v2`"),
)
