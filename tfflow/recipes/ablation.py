"""DDFlow's ablation in miniature: what occlusion, census and distillation each add, in as many steps as `ddflow_quick`.

The paper's ablation has these rows: plain, occlusion, occlusion and census, occlusion and distillation, and all three,
which is `ddflow_quick` itself.
"""

from __future__ import annotations

import dataclasses

from tfflow.losses import Everywhere
from tfflow.recipes.ddflow import CENSUS, DISTILLATION, PHOTOMETRIC, ddflow_quick

FIRST, SECOND, THIRD = ddflow_quick.phases


def _row(name: str, second: dict, third: dict):
    """`ddflow_quick` with other second and third phases, all else and every rate the same."""
    phases = (FIRST, dataclasses.replace(SECOND, **second), dataclasses.replace(THIRD, **third))
    return dataclasses.replace(ddflow_quick, name=name, phases=phases)


ablation_plain = _row(
    "ablation_plain",
    {"name": "photometric 2", "objective": PHOTOMETRIC, "visibility": Everywhere()},
    {"name": "photometric 3", "objective": PHOTOMETRIC, "visibility": Everywhere(), "teacher": None},
)
ablation_occlusion = _row(
    "ablation_occlusion",
    {"name": "occlusion", "objective": PHOTOMETRIC},
    {"name": "occlusion 2", "objective": PHOTOMETRIC, "teacher": None},
)
ablation_census = _row(
    "ablation_census",
    {},
    {"name": "census 2", "objective": CENSUS, "teacher": None},
)
ablation_distillation = _row(
    "ablation_distillation",
    {"name": "occlusion", "objective": PHOTOMETRIC},
    {"objective": PHOTOMETRIC + DISTILLATION},
)
