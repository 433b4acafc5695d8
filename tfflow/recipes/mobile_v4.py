"""How the fourth networks for phones are trained, from the weights of the third ones, which fit: on exact flow, and
without labels, taught by themselves.
"""

from __future__ import annotations

import dataclasses

from tfflow.recipes.ddflow import REFINED
from tfflow.recipes.mobile_v2 import ROBUST
from tfflow.recipes.mobile_v3 import self_taught_mobile_v3, supervised_mobile_v3, supervised_spynet_v3
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


def _taught(name: str, rate: float) -> Phase:
    return Phase(name, 600, ROBUST, Linear(rate, 600, warmup=30), teacher=REFINED)


self_taught_mobile_v4 = dataclasses.replace(
    self_taught_mobile_v3,
    name="self_taught_mobile_v4",
    equation=(
        "L = sum_l alpha_l sum_x M |w_l - w_T,l|_2^0.7 on a crop; w_T = variational(I1, I2, w(I1, I2)) of the whole "
        "frame, M = its forward-backward check, l = full resolution and 1/8 ... 1/64"
    ),
    model="pwcnet_mobile_v4",
    phases=(_taught("taught", 4e-4), _taught("taught again", 3e-4)),
    crop=(256, 384),
    optimizer=Muon(clip=5.0),
    weights="pwcnet_mobile_v4.unsupervised",
    scenes="preset=large,size=384x512,photos=0.5,pace=0.08x3,seed=11",
    departures=(
        "DDFlow's teacher is not refined; ours is, as DIS is, and the student follows it wherever both directions "
        "agree, not only where its crop occludes",
        "for weights that know motion already; sized for one core",
    ),
)
