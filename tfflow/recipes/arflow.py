"""ARFlow: Liu et al., Learning by Analogy: Reliable Supervision from Transformations, CVPR 2020."""

from __future__ import annotations

from tfflow.augmentation import Affine, ColourJitter, Flip, Noise, SwapFrames
from tfflow.losses import (
    SSIM,
    AbsRobust,
    AtLevel,
    Both,
    Census,
    ForwardBackward,
    Inside,
    Objective,
    Photometric,
    RangeMap,
    SecondPass,
    Smoothness,
    TargetFlow,
)
from tfflow.recipes.recipe import Adam, Phase, Recipe, Transformed
from tfflow.recipes.schedules import Piecewise

L1 = AbsRobust(epsilon=0.0, q=1.0)
RATE = Piecewise((1e-4,))
# Directions are averaged there and summed here: half of each. L1 is their mean over RGB, summed here: a third. Their
# ternary distance is the mean over a 3x3 window, ours its sum: a ninth.
SIMILARITY = 0.025 * Photometric(L1) + 0.425 * SSIM()
TERNARY = 0.0555556 * Census(radius=1, penalty=L1)
# Weight 50 on a quarter of the sum over u, v, x and y, of which `Smoothness` is a half, in both directions.
SMOOTH = 6.25 * Smoothness(order=1, penalty=L1, edge=10.0, relative=True)
# 0.01 times the mean over u and v, which are summed here.
ANALOGY = 0.0025 * SecondPass(1.0 * TargetFlow(L1))
CLAIMED = Both(RangeMap(threshold=0.2), Inside())
AGREED = Both(ForwardBackward(alpha1=0.01, alpha2=0.5), Inside())
CHANGES = (
    Flip(horizontal=0.5, vertical=0.5),
    Affine(
        scale=(1.0, 1.5),
        rotation_deg=11.5,
        squeeze=(0.86, 1.16),
        relative_scale=(0.985, 1.015),
        relative_rotation_deg=0.86,
        relative_translation=6.0,
    ),
    ColourJitter(brightness=0.5, contrast=0.5, saturation=0.5, gamma=(0.7, 1.5)),
    Noise(sigma=0.04),
)


def _pyramid(terms: Objective) -> Objective:
    """At full resolution, and of three coarser flows on grids of four times their size; the coarsest does not count."""
    return 1.0 * AtLevel(1, terms) + Objective(
        tuple((1.0, AtLevel(stride, terms, enlarged=4)) for stride in (8, 16, 32))
    )


arflow = Recipe(
    name="arflow",
    paper="Liu et al., Learning by Analogy: Reliable Supervision from Transformations, CVPR 2020 (ARFlow)",
    equation=(
        "L = sum_l [ 0.15 |I1 - I2w| + 0.85 SSIM(I1, I2w) ] (1 - O), later sum_l ternary(I1, I2w) (1 - O), "
        "+ 50 sum |grad w / s| exp(-10 |grad I1|), s = the smaller side, + 0.01 sum (1 - TO) |Tw - w'|, "
        "w' = flow of the transformed frames TI1, TI2"
    ),
    model="pwclite",
    phases=(
        Phase("similarity", 50_000, _pyramid(SIMILARITY) + SMOOTH, RATE, CLAIMED),
        Phase("ternary", 450_000, _pyramid(TERNARY) + SMOOTH, RATE, AGREED),
        Phase("analogy", 500_000, _pyramid(TERNARY) + SMOOTH + ANALOGY, RATE, AGREED, second=Transformed(CHANGES)),
    ),
    batch=4,
    crop=(384, 832),
    augmentation=(Flip(horizontal=0.5, vertical=0.0), SwapFrames(0.5)),
    optimizer=Adam(epsilon=1e-7, weight_decay=1e-6),
    levels_optional=True,
    departures=(
        "settings are those for Sintel; the second and third phase are as long as it takes in the authors' programs, "
        "which stop by validation: their lengths are ours",
        "frames are masked after SSIM and the ternary transform, not before, which makes equal black regions; the "
        "transform reads 0 beyond the frame and leaves out the outer pixel, as theirs",
        "masks of coarser grids are averaged down, theirs take the nearest pixel",
        "pixels whose target is outside the frame never count; theirs are held against the border's colour, unless "
        "they are found occluded",
        "the second pass goes both ways, each at half of the weight, theirs forward alone; it is at the crop",
        "it changes no blur; its zoom grows until no border is made up, theirs moves the frames by up to a fifth and "
        "drops what comes from outside; 6 px of relative motion are 0.015 of half their width",
        "no third pass with superpixels turned into noise, which is off in the authors' settings and on in their table",
        "gradients are not scaled by 1024, which float32 does not need",
    ),
)
