"""Multi-frame: Janai, Guney, Ranjan, Black, Geiger, Unsupervised Learning of Multi-Frame Flow, ECCV 2018."""

from __future__ import annotations

from tfflow.augmentation import Flip
from tfflow.losses import (
    AtLevel,
    Charbonnier,
    ConstantVelocity,
    MultiFramePhotometric,
    Objective,
    Past,
    ShareSmoothness,
    Smoothness,
    TwoShares,
)
from tfflow.recipes.recipe import Adam, Part, Phase, Recipe
from tfflow.recipes.schedules import Halving

# The authors' losses see normalised images, of deviation 0.226, and flow in units of 20 px.
COLOUR, EDGE, FLOW = 1 / 0.226, 20 / 0.226, 1 / 20
ROBUST = Charbonnier(alpha=0.5, beta=COLOUR, epsilon=0.001)
LEVELS = ((1, 0.005), (2, 0.01), (4, 0.02), (8, 0.08), (16, 0.32))
SHARES = 0.1 * ShareSmoothness(EDGE) + 0.1 * TwoShares()
# Theirs sum differences along x and y, and u and v; a Smoothness averages x and y: hence twice the weight.
FIRST = Smoothness(order=1, penalty=Charbonnier(alpha=0.5, beta=FLOW), edge=EDGE)
SECOND = Smoothness(order=2, penalty=Charbonnier(alpha=0.5, beta=FLOW), edge=EDGE)
HARD = 1.0 * MultiFramePhotometric(ROBUST) + 4.0 * FIRST + SHARES
SOFT = (
    2.0 * MultiFramePhotometric(ROBUST, brightness=0.0, gradients=1.0, hard=False)
    + 0.2 * SECOND
    + 0.2 * Past(1.0 * SECOND)
    + 1e-4 * FLOW * ConstantVelocity()
    + SHARES
)


def _pyramid(objective: Objective) -> Objective:
    """At every level, whose pixels the authors sum: a mean times how many there are to each of the coarsest level."""
    return Objective(tuple((weight * (16 / stride) ** 2, AtLevel(stride, objective)) for stride, weight in LEVELS))


PRETRAINING = Phase("constant velocity", 10_000, _pyramid(HARD), Halving(1e-4, every=200_000), directions=1)
DEPARTURES = (
    "sums over pixels are divided by the number of pixels of the coarsest level, all terms alike",
    "shares are smoothed as flow is, x and y averaged",
    "shares bear the price of a target beyond the frame in proportion, as in the gradient of their code, whose value "
    "has it whole",
    "the sixth of their level weights, 0.64, has no level here: five are trained",
    "the network's own departures; frames flip, where theirs are only cropped; one crop for all data, that of KITTI",
    "pre-training is on the frames given; theirs is on RoamingImages, rendered with constant motion",
)

multi_frame_occ_flow_hard = Recipe(
    name="multi_frame_occ_flow_hard",
    paper="Janai et al., Unsupervised Learning of Multi-Frame Optical Flow with Occlusions, ECCV 2018 (hard)",
    equation=(
        "L = sum_l lambda_l [ sum o_f rho(I1, I2w) + o_p rho(I1, I0w) + 2 sum |grad w| exp(-20 |grad I1|) "
        "+ 0.1 sum |grad o|^2 exp(-20 |grad I1|) + 0.1 sum (1 - o_f o_p) ], o_f + o_p = 1, w_p = -w_f"
    ),
    model="multiframe_hard",
    phases=(PRETRAINING,),
    batch=8,
    crop=(320, 640),
    augmentation=(Flip(horizontal=0.5, vertical=0.0),),
    optimizer=Adam(epsilon=1e-8),
    levels_optional=True,
    departures=DEPARTURES,
)

multi_frame_occ_flow = Recipe(
    name="multi_frame_occ_flow",
    paper="Janai et al., Unsupervised Learning of Multi-Frame Optical Flow with Occlusions, ECCV 2018 (soft)",
    equation=(
        "first as hard; then L = sum_l lambda_l [ 2 sum o_f rho(grad I1, grad I2w) + o_p rho(grad I1, grad I0w) "
        "+ 0.1 sum |second differences of w_f, w_p| exp(-20 |grad I1|) + 0.0001 sum |w_f + w_p| "
        "+ 0.1 sum |grad o|^2 exp(-20 |grad I1|) + 0.1 sum (1 - o_f o_p) ]"
    ),
    model="multiframe_soft",
    phases=(
        PRETRAINING,
        Phase(
            "two flows",
            200_000,
            _pyramid(SOFT),
            Halving(1e-5, every=200_000),
            directions=1,
            part=Part(start=tuple((f"past{level}", f"future{level}") for level in (6, 5, 4, 3, 2))),
        ),
    ),
    batch=8,
    crop=(320, 640),
    augmentation=(Flip(horizontal=0.5, vertical=0.0),),
    optimizer=Adam(epsilon=1e-8),
    levels_optional=True,
    departures=(
        *DEPARTURES,
        "the second phase ends after 200,000 steps, where their rate halves first; they give no number",
        "an edge counts for second differences by its first half alone; theirs adds both",
    ),
)
