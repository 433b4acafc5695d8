"""How the fourth networks for phones are trained: on exact flow, from the weights of the third ones, which fit."""

from __future__ import annotations

import dataclasses

from tfflow.recipes.mobile_v2 import ROBUST
from tfflow.recipes.mobile_v3 import supervised_mobile_v3, supervised_spynet_v3
from tfflow.recipes.recipe import Muon, Phase, Recipe
from tfflow.recipes.schedules import Halving, Linear

supervised_mobile_v4 = dataclasses.replace(
    supervised_mobile_v3,
    name="supervised_mobile_v4",
    model="pwcnet_mobile_v4",
    phases=(
        Phase("all", 2_400, ROBUST, Halving(1e-4, every=800, warmup=50), directions=1),
        Phase("last", 1_200, ROBUST, Halving(3e-5, every=400), directions=1),
    ),
    weights="pwcnet_mobile_v3",
    scenes="preset=large,photos=0.3,pace=0.08x3,seed=2",
    departures=(
        *supervised_mobile_v3.departures,
        "smaller frames have no loss of their own: they learn where a pixel takes their flow",
    ),
)

supervised_spynet_v4 = dataclasses.replace(
    supervised_spynet_v3,
    name="supervised_spynet_v4",
    model="spynet_mobile_v4",
    phases=(
        Phase("all", 1_400, ROBUST, Halving(2e-4, every=700, warmup=50), directions=1),
        Phase("last", 800, ROBUST, Halving(5e-5, every=250), directions=1),
    ),
    weights="spynet_mobile_v3",
    scenes="preset=large,photos=0.3,seed=3",
    departures=supervised_mobile_v4.departures,
)


def _by_muon(recipe: Recipe, steps: int, seed: int) -> Recipe:
    """Training further of what `recipe` trained."""
    return dataclasses.replace(
        recipe,
        name=f"{recipe.name}_muon",
        phases=(Phase("all", steps, ROBUST, Linear(4e-4, steps, warmup=50), directions=1),),
        optimizer=Muon(clip=5.0),
        weights=recipe.model,
        scenes=f"preset=large,photos=0.5,pace=0.08x3,seed={seed}",
    )


supervised_mobile_v4_muon = _by_muon(supervised_mobile_v4, 3_600, seed=7)
supervised_spynet_v4_muon = _by_muon(supervised_spynet_v4, 2_400, seed=8)
