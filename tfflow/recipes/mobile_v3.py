"""How the third networks for phones were trained: from the second ones, with the step of Lucas and Kanade at the end."""

from __future__ import annotations

import dataclasses

from tfflow.recipes.mobile_v2 import ROBUST, supervised_mobile_v2_large
from tfflow.recipes.recipe import Part, Phase
from tfflow.recipes.schedules import Halving

supervised_mobile_v3 = dataclasses.replace(
    supervised_mobile_v2_large,
    name="supervised_mobile_v3",
    model="pwcnet_mobile_v3",
    phases=(
        Phase("gain of the step", 100, ROBUST, Halving(1e-2, every=40, warmup=10), directions=1, part=Part("gain")),
        Phase("all", 1_900, ROBUST, Halving(1.5e-4, every=650, warmup=50), directions=1),
        Phase("last", 700, ROBUST, Halving(4e-5, every=250), directions=1),
    ),
    batch=2,
    crop=(384, 512),
    departures=(
        *supervised_mobile_v2_large.departures,
        "the error is that after the step, and its gradient enters the flow before the step unchanged",
    ),
)
