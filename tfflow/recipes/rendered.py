"""Labels rendered from one's own frames: Han et al., RealFlow, ECCV 2022, in its idea, for a network that knows motion.

Each phase is a round: the network as it stands is the teacher, by several passes and refinement; frame 1 of each pair
is moved by a changed copy of the teacher's flow, and gives a new frame 2 whose flow is exact (`data.rendered`).
"""

from __future__ import annotations

from tfflow.augmentation import Flip, PermuteChannels
from tfflow.data.rendered import Rendering
from tfflow.losses import Census, MultiscaleEPE
from tfflow.recipes.ddflow import PSI, VISIBLE
from tfflow.recipes.recipe import Adam, Phase, Recipe
from tfflow.recipes.schedules import Halving

EXACT = 1.0 * MultiscaleEPE(((1, 0.0003), (8, 0.01), (16, 0.02), (32, 0.08), (64, 0.32)))
BOTH = EXACT + 1.0 * Census(radius=3, penalty=PSI)

rendered_tune = Recipe(
    name="rendered_tune",
    paper="Han et al., RealFlow: EM-based Realistic Optical Flow Dataset Generation from Videos, ECCV 2022",
    equation=(
        "w' = a w_T + A x + b; I2' = splat(I1, w'), nearest surface first; "
        "L = sum_l alpha_l sum_x |w_l(I1, I2') - w'_l|_2 V + L_census; of real pairs w_T stands for w' where the "
        "forward-backward check V holds; T = the network at the start of the phase, passes at 1/2, 1, 2, refined"
    ),
    model="pwcnet_mobile",
    phases=(
        Phase("round 1", 300, BOTH, Halving(1e-4, every=150, warmup=20), VISIBLE),
        Phase("round 2", 300, BOTH, Halving(5e-5, every=150, warmup=20), VISIBLE),
    ),
    batch=4,
    crop=(160, 224),
    augmentation=(Flip(horizontal=0.5, vertical=0.5), PermuteChannels()),
    optimizer=Adam(clip=5.0),
    levels_optional=True,
    weights="pretrained",
    rendering=Rendering(),
    departures=(
        "the paper tells near from far by a network for depth of single images; here by what the real second frame "
        "still shows, then by motion beside the median motion",
        "the paper draws frames by softmax splatting; here the flow is turned round, and frame 1 is sampled by it",
        "the paper fills holes by a network; here they are filled from the real second frame",
        "the paper trains on rendered pairs alone; here three of ten pairs are real, under the teacher's flow, and all "
        "are compared by census, too",
        "the flow is also moved by a random affine motion, and noise as between the real frames is added",
        "two rounds of few steps from trained weights, for two cores; the best checkpoint on held-out frames is kept",
    ),
)
