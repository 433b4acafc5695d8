"""How the fifth network for phones is trained: on exact flow, from the channels of the fourth one that it keeps."""

from __future__ import annotations

import dataclasses

from tfflow.recipes.mobile_v2 import ROBUST
from tfflow.recipes.mobile_v4 import supervised_mobile_v4_muon
from tfflow.recipes.recipe import Phase
from tfflow.recipes.schedules import Linear

supervised_mobile_v5 = dataclasses.replace(
    supervised_mobile_v4_muon,
    name="supervised_mobile_v5",
    model="pwcnet_mobile_v5",
    phases=(Phase("all", 2_600, ROBUST, Linear(6e-4, 2_600, warmup=50), directions=1),),
    weights="pwcnet_mobile_v4",
    scenes="preset=large,photos=0.5,pace=0.08x3,seed=12",
    departures=(
        *supervised_mobile_v4_muon.departures,
        "begins with the weights of a wider network, without its least channels (Li et al., ICLR 2017)",
    ),
)
