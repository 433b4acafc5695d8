"""Supervised multi-scale endpoint error, as FlowNet introduced and PWC-Net trained it."""

from __future__ import annotations

import dataclasses

from tfflow.augmentation import Affine, ColourJitter, Flip, Noise
from tfflow.losses import MultiscaleEPE
from tfflow.recipes.recipe import Adam, Phase, Recipe
from tfflow.recipes.schedules import Piecewise

WEIGHTS = ((4, 0.005), (8, 0.01), (16, 0.02), (32, 0.08), (64, 0.32))

supervised = Recipe(
    name="supervised",
    paper="Sun et al., PWC-Net, CVPR 2018; loss of Dosovitskiy et al., FlowNet, ICCV 2015",
    equation="L = sum_l alpha_l sum_x |w_l - w_GT,l|_2 + gamma |Theta|^2, alpha = 0.005 ... 0.32 from 1/4 to 1/64",
    model="pwcnet",
    phases=(
        Phase(
            "S_long",
            1_200_000,
            1.0 * MultiscaleEPE(WEIGHTS, unit=20.0),
            Piecewise(
                (1e-4, 5e-5, 2.5e-5, 1.25e-5, 6.25e-6),
                until=(400_000, 600_000, 800_000, 1_000_000),
            ),
            directions=1,
        ),
    ),
    batch=8,
    crop=(320, 448),
    augmentation=(
        Affine(scale=(0.9, 2.0), rotation_deg=17.0, translation=0.2, relative_scale=(0.97, 1.03)),
        Flip(horizontal=0.5, vertical=0.0),
        ColourJitter(brightness=0.2, contrast=0.4, saturation=0.4, gamma=(0.7, 1.5)),
        Noise(sigma=0.04),
    ),
    optimizer=Adam(epsilon=1e-8, weight_decay=4e-4),
    levels_optional=True,
    departures=(
        "augmentation has FlowNet2's kinds, with ranges of our own [from memory]",
        "the weights hold for levels of these strides; a network without a level leaves its weight out",
    ),
)


def _scheduled(name: str, phase: str, steps: int, rate: Piecewise, *departures: str, weights="random") -> Recipe:
    """The same on FlowNetC under another of FlowNet2's schedules."""
    phases = (dataclasses.replace(supervised.phases[0], name=phase, steps=steps, learning_rate=rate),)
    return dataclasses.replace(
        supervised,
        name=name,
        paper="Ilg et al., FlowNet 2.0, CVPR 2017: schedule; loss of Dosovitskiy et al., FlowNet, ICCV 2015",
        model="flownetc",
        phases=phases,
        weights=weights,
        departures=(*supervised.departures, *departures),
    )


supervised_short = _scheduled(
    "supervised_short",
    "S_short",
    600_000,
    Piecewise((1e-4, 5e-5, 2.5e-5, 1.25e-5), until=(300_000, 400_000, 500_000)),
)

supervised_fine = _scheduled(
    "supervised_fine",
    "S_fine",
    600_000,
    Piecewise((1e-5, 5e-6, 2.5e-6, 1.25e-6, 6.25e-7), until=(200_000, 300_000, 400_000, 500_000)),
    "goes on from weights of S_long or S_short, which the user names; in FlowNet 2.0 on FlyingThings3D at larger "
    "crops, which the user names, too [from memory]",
    weights="given",
)
