"""FlowNet2, stage by stage: Ilg et al., Evolution of Optical Flow Estimation with Deep Networks, CVPR 2017.

Each network is trained with those before it as they are: first on the long schedule, then on the fine one.
"""

from __future__ import annotations

import dataclasses

from tfflow.losses import MultiscaleEPE
from tfflow.losses.objective import Objective
from tfflow.recipes.recipe import Part, Phase
from tfflow.recipes.supervised import WEIGHTS, supervised, supervised_fine

LONG, FINE = supervised.phases[0], supervised_fine.phases[0]
EVERY_LEVEL = 1.0 * MultiscaleEPE(WEIGHTS, unit=20.0)
SMALL = 1.0 * MultiscaleEPE(WEIGHTS, unit=1 / 20)  # this network's own unit
FUSED = 1.0 * MultiscaleEPE(((1, 0.005), (2, 0.01), (4, 0.02)), unit=20.0)


def _stage(number: int, name: str, objective: Objective, *schedules: Phase) -> tuple[Phase, ...]:
    """A network's phases."""
    return tuple(
        dataclasses.replace(
            schedule, name=f"{name}: {schedule.name}", objective=objective, part=Part(f"net{number}_", net=number)
        )
        for schedule in schedules
    )


flownet2 = dataclasses.replace(
    supervised,
    name="flownet2",
    paper="Ilg et al., FlowNet 2.0: Evolution of Optical Flow Estimation with Deep Networks, CVPR 2017",
    equation=(
        "L = sum_l alpha_l sum_x |w_l - w_GT,l|_2 + gamma |Theta|^2 of one network after the other: "
        "C, S(w_C), S(w_CS), SD, fusion(w_CSS, w_SD); alpha = 0.005 ... 0.32 from 1/4 to 1/64"
    ),
    model="flownet2",
    phases=(
        *_stage(1, "C", EVERY_LEVEL, LONG, FINE),
        *_stage(2, "CS", EVERY_LEVEL, LONG, FINE),
        *_stage(3, "CSS", EVERY_LEVEL, LONG, FINE),
        *_stage(4, "SD", SMALL, LONG, FINE),
        *_stage(5, "fusion", FUSED, FINE),
    ),
    departures=(
        *supervised.departures,
        "one data set and one crop for all; the authors take Flying Chairs for the long schedule, FlyingThings3D for "
        "the fine one and a set of small displacements for SD; the order is [from memory]",
        "the fusion's levels and weights, and its schedule, are ours",
        "scores of the first phases are of the whole stack, whose last networks know nothing yet",
    ),
)
