"""How the third networks for phones were trained: SpyNet on exact flow; PWC-Net without labels, taught by itself."""

from __future__ import annotations

import dataclasses

from tfflow.losses import ForwardBackward
from tfflow.recipes.mobile_v2 import LARGE, ROBUST, supervised_mobile_v2_large, supervised_spynet_v2
from tfflow.recipes.recipe import Phase, Teacher
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

supervised_mobile_v3 = dataclasses.replace(
    supervised_mobile_v2_large,
    name="supervised_mobile_v3",
    model="pwcnet_mobile_v3",
    phases=(
        Phase("all", 4_200, ROBUST, Halving(2e-4, every=1_400, warmup=50), directions=1),
        Phase("last", 2_800, ROBUST, Halving(4e-5, every=600), directions=1),
    ),
    batch=2,
    crop=LARGE,
    weights="pwcnet_mobile_v2",
    scenes="preset=large,photos=0.3,pace=0.08x3",
    departures=supervised_spynet_v3.departures,
)


def _taught(name: str, steps: int, rate: float) -> Phase:
    """A student on a part of the frame. Its teacher starts at half size, so it follows motion twice as large. It counts
    where its flows of both directions agree.
    """
    teacher = Teacher(student=0.85, scales=(0.5, 1.0), refined=True, trust=ForwardBackward())
    return Phase(name, steps, ROBUST, Halving(rate, every=steps // 3, warmup=50), teacher=teacher)


self_taught_mobile_v3 = dataclasses.replace(
    supervised_mobile_v2_large,
    name="self_taught_mobile_v3",
    paper="ours: the loss of `supervised_mobile_v2`, with flow of the network's own in the place of the truth",
    equation=(
        "L = sum_l alpha_l sum_x M |w_l - w_T,l|_2^0.7 on a crop; w_T = variational(I1, I2, w(I1, I2 at 1/2, 1)) of "
        "the whole frame, M = its forward-backward check, l = full resolution and 1/8 ... 1/64"
    ),
    model="pwcnet_mobile_v3",
    phases=(_taught("taught", 1_200, 2e-4), _taught("taught again", 1_200, 1e-4)),
    batch=2,
    crop=LARGE,
    weights="pwcnet_mobile_unsupervised",
    departures=(
        "DDFlow's teacher makes one pass, as the student; ours two, the first at half the frame's size, and is refined "
        "as DIS is; the student follows it wherever both directions agree, not only where its crop occludes",
        "for weights that know small motion already; sized for one core",
    ),
)
