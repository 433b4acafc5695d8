"""DSTFlow: Ren, Yan, Ni, Liu, Yang, Zha, Unsupervised Deep Learning for Optical Flow Estimation, AAAI 2017."""

from __future__ import annotations

from tfflow.augmentation import Affine, ColourJitter
from tfflow.losses import AtLevel, Charbonnier, GradientConstancy, OutOfFrame, Photometric, Smoothness
from tfflow.recipes.recipe import Adam, Phase, Recipe
from tfflow.recipes.schedules import Piecewise

GREY_LEVELS = Charbonnier(alpha=0.5, beta=255.0, epsilon=0.1)
# Shares of the layers DataLoss, GradientLoss, SmoothLoss and STLoss; theirs sums x and y, which are averaged here.
TERMS = 1.0 * Photometric(GREY_LEVELS) + 1.0 * GradientConstancy(GREY_LEVELS)
TERMS += 4.0 * Smoothness(order=1, penalty=Charbonnier(alpha=0.5, epsilon=0.1), edge=5.0) + 0.1 * OutOfFrame()
# They average over both directions, which are summed here: 0.244 / 2 and 0.0244 / 2.
EVERY_LEVEL = 0.122 * AtLevel(1, TERMS) + 0.0122 * AtLevel(4, TERMS) + 0.0122 * AtLevel(8, TERMS)
EVERY_LEVEL += 0.0122 * AtLevel(16, TERMS) + 0.0122 * AtLevel(32, TERMS) + 0.0122 * AtLevel(64, TERMS)

dstflow = Recipe(
    name="dstflow",
    paper="Ren et al., Unsupervised Deep Learning for Optical Flow Estimation, AAAI 2017 (DSTFlow)",
    equation=(
        "L = sum_l lambda_l sum_x [ |I1 - I2w|_2 + |grad I1 - (grad I2)w|_2 + 2 g(|grad I1|) |grad w| ] + 0.1 L_st, "
        "lambda = 0.244 at full resolution, 0.0244 at 1/4 ... 1/64; L_st = squared way beyond the frame / 2"
    ),
    model="flownets",
    phases=(
        Phase(
            "brightness and gradient",
            70_500,
            EVERY_LEVEL,
            Piecewise((1e-4, 2.5e-5, 6.25e-6, 1.5625e-6), until=(33_000, 45_500, 58_000)),
        ),
    ),
    batch=10,
    crop=(320, 448),
    augmentation=(
        Affine(
            scale=(0.896, 1.116),
            rotation_deg=17.0,
            squeeze=(0.875, 1.142),
            relative_scale=(0.98, 1.02),
            relative_rotation_deg=5.0,
            relative_translation=10.0,
        ),
        ColourJitter(brightness=0.05, contrast=0.1, channels=0.3, gamma=(0.55, 1.82)),
    ),
    optimizer=Adam(epsilon=1e-8, weight_decay=4e-4),
    levels_optional=True,
    departures=(
        "sums over pixels are means, and square roots add 0.01 in grey levels and px: neither is in the part of the "
        "authors' code that was read",
        "differences of RGB, of u and v and of x and y are robust each for itself; theirs are taken by their length",
        "edges weaken smoothness by the step across them, with exp(-5 |dI|), not by the gradient of luminance; "
        "gradients are differences of neighbours, theirs a filter of five",
        "every level of FlowNetS has the unit px / 20; theirs multiply by 0.5, 1, 5, 10 and 20 from 1/64 to 1/4",
        "each random change happens always within their ranges; theirs with a probability of a half, colours normal, "
        "and the second frame's motion grows over the first steps",
    ),
)
