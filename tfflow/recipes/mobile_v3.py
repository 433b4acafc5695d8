"""How the third SpyNet for phones was trained: from the weights of the second one, on the same scenes."""

from __future__ import annotations

import dataclasses

from tfflow.recipes.mobile_v2 import ROBUST, supervised_mobile_v2_large, supervised_spynet_v2
from tfflow.recipes.recipe import Phase
from tfflow.recipes.schedules import Halving

supervised_spynet_v3 = dataclasses.replace(
    supervised_spynet_v2,
    name="supervised_spynet_v3",
    model="spynet_mobile_v3",
    phases=(
        Phase("all", 1_400, ROBUST, Halving(2e-4, every=700, warmup=50), directions=1),
        Phase("last", 600, ROBUST, Halving(5e-5, every=250), directions=1),
    ),
    weights="spynet_mobile_v2",
    departures=(
        *supervised_mobile_v2_large.departures,
        "the error is that after the step of Lucas and Kanade",
        "its gradient enters the flow before the step unchanged",
    ),
)
