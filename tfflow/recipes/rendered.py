"""Labels rendered from one's own frames: Han et al., RealFlow, ECCV 2022, in its idea, for a network that knows motion.

Each phase is a round: the network as it stands is the teacher, by several passes and refinement; frame 1 of each pair
is moved by a changed copy of the teacher's flow, and gives a new frame 2 whose flow is exact (`data.rendered`).
"""

from __future__ import annotations

from tfflow.augmentation import Flip, PermuteChannels, Still
from tfflow.data.rendered import Rendering
from tfflow.losses import MultiscaleEPE
from tfflow.recipes.recipe import Adam, Phase, Recipe
from tfflow.recipes.schedules import Halving

ROBUST = 1.0 * MultiscaleEPE(((1, 0.0003), (8, 0.01), (16, 0.02), (32, 0.08), (64, 0.32)), power=0.7)

rendered_tune = Recipe(
    name="rendered_tune",
    paper="Han et al., RealFlow: EM-based Realistic Optical Flow Dataset Generation from Videos, ECCV 2022",
    equation=(
        "w' = a w_T + A x + b; I2' = splat(I1, w'), nearest surface first; "
        "L = sum_l alpha_l sum_x |w_l(I1, I2') - w'_l|_2^0.7 V; of real pairs w_T stands for w' where the "
        "forward-backward check V holds; T = the network at the start of the phase, passes at 1/2, 1, 2, refined"
    ),
    model="pwcnet_mobile_v2",
    phases=(
        Phase("round 1", 400, ROBUST, Halving(1e-4, every=200, warmup=20), directions=1),
        Phase("round 2", 400, ROBUST, Halving(5e-5, every=200, warmup=20), directions=1),
    ),
    batch=4,
    crop=(192, 256),
    augmentation=(Flip(horizontal=0.5, vertical=0.5), PermuteChannels(), Still(0.04, flat=0.6)),
    optimizer=Adam(clip=5.0),
    levels_optional=True,
    weights="pretrained",
    labels=Rendering(),
    departures=(
        "the paper tells near from far by a network for depth of single images; here by what the real second frame "
        "still shows, then by motion beside the median motion",
        "the paper draws frames by softmax splatting; here the flow is turned round, and frame 1 is sampled by it",
        "the paper fills holes by a network; here they are filled from the real second frame",
        "the paper trains on rendered pairs alone; here three of ten pairs are real, under the teacher's flow",
        "the flow is also moved by a random affine motion; noise is taken from frames that have any, and both frames "
        "of a pair get noise of their own",
        "two rounds of few steps from trained weights, for two cores; the best checkpoint on held-out frames is kept",
    ),
)
