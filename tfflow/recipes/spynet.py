"""SpyNet's training, one level after the other: Ranjan and Black, CVPR 2017."""

from __future__ import annotations

from tfflow.augmentation import Affine, ColourJitter, Lighting, Noise
from tfflow.losses import LevelEPE
from tfflow.recipes.recipe import Adam, Part, Phase, Recipe
from tfflow.recipes.schedules import Piecewise

EPOCH, LEVELS = 1000, 6
RATE = Piecewise((5e-3, 1e-4, 5e-5), until=(10 * EPOCH, 160 * EPOCH))


def _level(k: int) -> Phase:
    """The network's k-th level, counted from the coarsest as in the names of its weights."""
    stride = 2 ** (LEVELS - k)
    start = ((f"level{k}_", f"level{k - 1}_"),) if k > 1 else ()
    return Phase(f"1/{stride}", 200 * EPOCH, 1.0 * LevelEPE(stride), RATE, directions=1, part=Part(f"level{k}_", start))


spynet = Recipe(
    name="spynet",
    paper="Ranjan and Black, Optical Flow Estimation using a Spatial Pyramid Network, CVPR 2017",
    equation="v_k = G_k(I1_k, w(I2_k, u(V_k-1)), u(V_k-1)); L_k = |v_k - (V_GT,k - u(V_k-1))|_2, k = 1 ... 6 in turn",
    model="spynet",
    phases=tuple(_level(k) for k in range(1, LEVELS + 1)),
    batch=32,
    crop=(384, 512),
    augmentation=(
        Affine(scale=(1.03, 2.0), rotation_deg=17.2),
        ColourJitter(brightness=0.4, contrast=0.4, saturation=0.4),
        Lighting(strength=0.1),
        Noise(sigma=0.1, kind="positive"),
    ),
    optimizer=Adam(epsilon=1e-8),
    departures=(
        "200 epochs a level; the authors' limit is 1000, their stop is by validation",
        "levels 1/32 to 1/2 train on averaged-down frames of the 384x512 crop, the authors' on resized frames",
        "scale is continuous in 1.03 to 2, theirs has 15 steps; noise is added before the colours change, not after",
    ),
)
