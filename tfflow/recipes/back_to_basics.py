"""Back to Basics: Yu, Harley, Derpanis, Unsupervised Learning of Optical Flow via Brightness Constancy, 2016."""

from __future__ import annotations

from tfflow.losses import Charbonnier, Inside, Photometric, Smoothness
from tfflow.recipes.recipe import Adam, Phase, Recipe
from tfflow.recipes.schedules import Piecewise

BRIGHTNESS = Photometric(Charbonnier(alpha=0.53, beta=360.0, epsilon=0.001))
SMOOTH = Smoothness(order=1, penalty=Charbonnier(alpha=0.28, beta=3.5, epsilon=0.001), finest=True)

back_to_basics = Recipe(
    name="back_to_basics",
    paper=(
        "Yu et al., Back to Basics: Unsupervised Learning of Optical Flow via Brightness Constancy and Motion "
        "Smoothness, ECCV Workshops 2016"
    ),
    equation="L = sum rho_D(I1(x) - I2(x + u)) + 0.64 sum rho_S(grad u); rho(x) = ((beta x)^2 + eps^2)^alpha",
    model="flownets",
    phases=(
        Phase(
            "brightness and smoothness",
            500_000,
            1.0 * BRIGHTNESS + 0.64 * SMOOTH,
            Piecewise((1e-5, 5e-6, 2.5e-6), until=(300_000, 400_000)),
            Inside(border=0.1),
            directions=1,
        ),
    ),
    batch=2,
    crop=(320, 896),
    optimizer=Adam(epsilon=1e-8),
    departures=(
        "no augmentation, the crop and Adam's constants are not stated in the source that was read [from memory]",
        "brightness in [0, 1] under beta 360, means over pixels, and the edge weight off, as the code's default",
    ),
)
