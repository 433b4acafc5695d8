"""Occlusion aware: Wang, Yang, Yang, Zhao, Wang, Xu, Occlusion Aware Unsupervised Learning of Flow, CVPR 2018."""

from __future__ import annotations

from tfflow.augmentation import Flip, PermuteChannels
from tfflow.losses import SSIM, Both, Charbonnier, GradientConstancy, Inside, Photometric, RangeMap, Smoothness
from tfflow.recipes.recipe import Adam, Phase, Recipe
from tfflow.recipes.schedules import Halving

ROBUST = Charbonnier(alpha=0.5, epsilon=0.001)
SMOOTH = Smoothness(order=1, penalty=ROBUST, edge=150.0, finest=True)
# Half of each: directions are summed here. A third: the mean over RGB, where the terms sum.
PHOTOMETRIC = 0.425 * SSIM() + 0.025 * Photometric(ROBUST) + 0.025 * GradientConstancy(ROBUST)

occ_aware = Recipe(
    name="occ_aware",
    paper="Wang et al., Occlusion Aware Unsupervised Learning of Optical Flow, CVPR 2018",
    equation=(
        "L = sum O psi(I1, I2w) / sum O + gamma sum |grad w| exp(-alpha |grad I1|); "
        "O = min(1, range map of the backward flow), psi = 0.85 SSIM + 0.15 (brightness + gradient)"
    ),
    model="flownets",
    phases=(
        Phase(
            "range map",
            500_000,
            PHOTOMETRIC + 1.0 * SMOOTH,
            Halving(1e-4, every=100_000),
            Both(RangeMap(), Inside()),
        ),
    ),
    batch=4,
    crop=(320, 896),
    augmentation=(Flip(horizontal=0.5, vertical=0.0), PermuteChannels()),
    optimizer=Adam(epsilon=1e-8),
    departures=(
        "0.85, the form of the photometric term, steps, rate, batch and crop are [from memory]",
        "smoothness is UFlow's for the same range map: weight 4, edge constant 150, at 1/4",
        "FlowNetS as it is; the paper adds warping to it and a network of its own for large motion [from memory]",
        "the loss is taken at full resolution alone",
    ),
)
