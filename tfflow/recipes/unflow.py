"""UnFlow: Meister, Hur, Roth, Unsupervised Learning of Optical Flow with a Bidirectional Census Loss, AAAI 2018."""

from __future__ import annotations

import dataclasses

from tfflow.augmentation import Affine, ColourJitter, Flip
from tfflow.losses import (
    AtLevel,
    Both,
    Census,
    Charbonnier,
    Consistency,
    ForwardBackward,
    Inside,
    Objective,
    OcclusionPenalty,
    Smoothness,
)
from tfflow.losses.visibility import Visibility
from tfflow.recipes.recipe import Adam, Part, Phase, Recipe
from tfflow.recipes.schedules import Piecewise

RHO = Charbonnier(alpha=0.45, epsilon=0.001)
LEVELS = ((4, 12.7, 3), (8, 4.35, 2), (16, 3.9, 2), (32, 3.4, 1), (64, 1.1, 1))  # stride, weight, census radius
BORDER = Inside(border=0.1)
VISIBLE = Both(ForwardBackward(alpha1=0.01, alpha2=0.5, outside="border"), BORDER)
SMOOTH = 3.0 * Smoothness(order=2, penalty=RHO, diagonals=True)
# The authors average consistency over u and v, which are summed here: 0.2 / 2.
OCCLUSION = 0.1 * Consistency(RHO, over="all") + 12.4 * OcclusionPenalty(RHO)


def _pyramid(visibility: Visibility, more: Objective = SMOOTH) -> Objective:
    terms = [
        (weight, AtLevel(stride, 1.0 * Census(radius, RHO, over="all") + more, visibility))
        for stride, weight, radius in LEVELS
    ]
    return Objective(tuple(terms))


def _phases(net: str = "", number: int = 0) -> tuple[Phase, ...]:
    """The two trainings of a network: synthetic frames without occlusion, then real ones with it."""
    name, part = (f"{net}: ", Part(f"net{number}_", net=number)) if net else ("", Part())
    more = SMOOTH + OCCLUSION
    return (
        Phase(f"{name}census", 500_000, _pyramid(BORDER), _rate(1e-4), BORDER, part=part),
        Phase(f"{name}occlusion", 500_000, _pyramid(VISIBLE, more), _rate(1e-5), VISIBLE, part=part),
    )


def _rate(first: float) -> Piecewise:
    return Piecewise((first, first / 2, first / 4, first / 8), until=(200_000, 300_000, 400_000))


unflow = Recipe(
    name="unflow",
    paper="Meister et al., UnFlow: Unsupervised Learning of Optical Flow with a Bidirectional Census Loss, AAAI 2018",
    equation=(
        "E = sum_l lambda_l [ sum (1 - o) rho(census(I1, I2w)) + 3 sum rho(second differences of w) "
        "+ 0.2 sum (1 - o) rho(w_f + w_b(x + w_f)) + 12.4 sum rho(o) ], both directions; "
        "rho(x) = (x^2 + 0.001^2)^0.45, lambda = 12.7, 4.35, 3.9, 3.4, 1.1 from 1/4 to 1/64"
    ),
    model="unflow_c",
    phases=_phases(),
    batch=4,
    crop=(320, 1152),
    augmentation=(
        Flip(horizontal=0.5, vertical=0.0),
        Affine(scale=(0.9, 1.1), relative_scale=(0.9, 1.1)),
        ColourJitter(brightness=0.02, contrast=0.3, channels=0.1, gamma=(0.67, 1.43), inputs_only=True),
    ),
    optimizer=Adam(epsilon=1e-8, weight_decay=4e-4),
    levels_optional=True,
    departures=(
        "one data set and one crop for both phases; the authors' first is SYNTHIA at 512x768, their second KITTI raw",
        "12.4 rho(o) has no gradient, here as there (their issue 8): the mask is hard, and its price a constant",
        "pixels whose target is outside the frame never count; theirs are held against the border's colour, unless "
        "they fail the forward-backward check",
        "the check compares with the backward flow at the target on both sides; theirs takes its length where it is",
        "smoothness is a mean over the pixels that have neighbours, not over all",
        "colours change without their noise of one value a frame",
    ),
)

unflow_css = dataclasses.replace(
    unflow,
    name="unflow_css",
    model="unflow_css",
    phases=_phases("C", 1) + _phases("CS", 2) + _phases("CSS", 3),
    departures=(
        *unflow.departures,
        "each network is trained in two phases before the next one begins, all in one run; scores of the first phases "
        "are of the whole stack, whose last networks know nothing yet",
    ),
)
