"""Tuning to one's own video by scenes that are textured with its frames, for a network that knows motion."""

from __future__ import annotations

from tfflow.augmentation import Flip, PermuteChannels, Still
from tfflow.data.textured import Texturing
from tfflow.recipes.mobile_v2 import ROBUST
from tfflow.recipes.recipe import Muon, Phase, Recipe
from tfflow.recipes.schedules import Halving

textured_tune = Recipe(
    name="textured_tune",
    paper="ours: the loss of `supervised_mobile_v2`, on scenes that look like the frames",
    equation="L = sum_l alpha_l sum_x |w_l - w_GT,l|_2^0.7 on built-in scenes whose layers are cut from the frames",
    model="pwcnet_mobile_v4",
    phases=(Phase("scenes of the video", 600, ROBUST, Halving(1.5e-4, every=200, warmup=20), directions=1),),
    batch=4,
    crop=(192, 256),
    augmentation=(Flip(horizontal=0.5, vertical=0.5), PermuteChannels(), Still(0.04, flat=0.6)),
    optimizer=Muon(clip=5.0),
    levels_optional=True,
    weights="pretrained",
    labels=Texturing(),
    departures=(
        "no label is made from a network's flow of the frames, as Han et al. (RealFlow, ECCV 2022) do: the flow is "
        "that of the scenes, so the network's own errors on the frames are not learned again",
        "few steps from trained weights; the result lies halfway between them and the best checkpoint on "
        "held-out frames (WiSE-FT, Wortsman et al., CVPR 2022)",
    ),
)
