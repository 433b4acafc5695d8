"""DDFlow: Liu, King, Lyu, Xu, DDFlow: Learning Optical Flow with Unlabeled Data Distillation, AAAI 2019."""

from __future__ import annotations

import dataclasses

from tfflow.augmentation import Flip, PermuteChannels
from tfflow.losses import (
    AbsRobust,
    Census,
    Distillation,
    Everywhere,
    ForwardBackward,
    MultiscaleEPE,
    Photometric,
    PyramidDistillation,
)
from tfflow.recipes.recipe import Adam, Muon, Phase, Recipe, Teacher
from tfflow.recipes.schedules import Halving, Linear

PSI = AbsRobust(epsilon=0.01, q=0.4)
RATE = Halving(1e-4, every=80_000)
# The paper divides by 2 * sum(mask): hence 0.5. It averages the distillation over directions, which are summed here.
PHOTOMETRIC = 0.5 * Photometric(PSI)
CENSUS = 0.5 * Census(radius=3, penalty=PSI)
DISTILLATION = 0.25 * Distillation(PSI)
TEACHER = Teacher(student=0.7)
VISIBLE = ForwardBackward(alpha1=0.01, alpha2=0.5)

ddflow = Recipe(
    name="ddflow",
    paper="Liu et al., DDFlow: Learning Optical Flow with Unlabeled Data Distillation, AAAI 2019",
    equation=(
        "L_p = sum psi(I1 - I2w) (1 - O) / sum (1 - O), both directions; psi(x) = (|x| + 0.01)^0.4; "
        "then on census transforms; L_o = sum psi(w_teacher - w_student) M_f / sum M_f, M_f = clip(O_s - O_t, 0, 1); "
        "L = L_p + L_o"
    ),
    model="pwcnet_ddflow",
    phases=(
        Phase("photometric", 100_000, PHOTOMETRIC, RATE, Everywhere()),
        Phase("census", 300_000, CENSUS, RATE, VISIBLE),
        Phase("distillation", 300_000, CENSUS + DISTILLATION, RATE, VISIBLE, teacher=TEACHER),
    ),
    batch=4,
    crop=(320, 896),
    augmentation=(Flip(horizontal=0.5, vertical=0.5), PermuteChannels()),
    optimizer=Adam(epsilon=1e-8),
    departures=(
        "means over used pixels are taken per pair, not over the whole batch, so that replicas agree",
        "the teacher's flow is computed in the step, not dumped as 16-bit PNG",
        "the student's crop is the nearest multiple of the network's stride to 0.7 of the crop (224x640 of 320x896)",
        "the census transform reads 0 beyond the frame, as theirs; both leave out the outer 3 px",
        "halving every 80,000 steps is the authors' configuration; the paper's text has 50,000 [from memory]",
    ),
)

ddflow_quick = dataclasses.replace(
    ddflow,
    name="ddflow_quick",
    model="pwcnet_mobile",
    phases=(
        Phase("photometric", 400, PHOTOMETRIC, Halving(1e-3, every=400, warmup=50), Everywhere()),
        Phase("census", 800, CENSUS, Halving(5e-4, every=400, warmup=50), VISIBLE),
        Phase(
            "distillation", 600, CENSUS + DISTILLATION, Halving(2.5e-4, every=300, warmup=20), VISIBLE, teacher=TEACHER
        ),
    ),
    crop=(96, 128),
    optimizer=Adam(clip=1.0),
    departures=(
        *ddflow.departures,
        "sized for two cores: few steps of small crops at a higher rate, clipped; a network of ours",
    ),
)

# What the steps of Lucas and Kanade correct, the flow at 1/4 learns.
PYRAMID = 0.5 * PyramidDistillation(4, PSI)
LEVELS = ((1, 0.0003), (8, 0.01), (16, 0.02), (32, 0.08))
FOLLOW = 1.0 * MultiscaleEPE(LEVELS, power=0.7)
# A student on a part of the frame. Its teacher's flow, refined, counts where both directions agree.
REFINED = Teacher(student=0.85, refined=True, trust=ForwardBackward())

ddflow_lk = dataclasses.replace(
    ddflow_quick,
    name="ddflow_lk",
    equation=(
        f"{ddflow.equation}; in each of these phases L_4 = sum psi(4 (sg(w) at 1/4 - w_4)) (1 - O) / sum (1 - O) is "
        "added; last, L = sum_l alpha_l sum_x M |w_l - w_T,l|_2^0.7 on a crop, w_T = variational(I1, I2, w(I1, I2)) of "
        "the whole frame, M = its forward-backward check, l = full resolution and 1/8, 1/16, 1/32"
    ),
    model="pwcnet_mobile_lk",
    phases=(
        Phase("photometric", 200, PHOTOMETRIC + PYRAMID, Halving(2e-3, every=200, warmup=30), Everywhere()),
        Phase("census", 1_100, CENSUS + PYRAMID, Linear(2e-3, 1_700, warmup=30), VISIBLE),
        Phase(
            "distillation",
            600,
            CENSUS + DISTILLATION + PYRAMID,
            Linear(8e-4, 600, warmup=30),
            VISIBLE,
            teacher=TEACHER,
        ),
        Phase("taught", 900, FOLLOW, Linear(8e-4, 900, warmup=30), teacher=REFINED),
    ),
    optimizer=Muon(clip=5.0),
    levels_optional=True,
    departures=(
        *ddflow.departures,
        "sized for two cores: few steps of small crops, at a higher rate of Muon",
        "the flow at 1/4 learns from the finest flow, as in UPFlow (Luo et al., CVPR 2021)",
        "a network of ours that ends with steps of Lucas and Kanade: its losses judge the flow after these steps",
        "a last phase: the teacher is refined as DIS is, and the student follows it wherever both directions agree",
    ),
)

ddflow_tune = dataclasses.replace(
    ddflow_quick,
    name="ddflow_tune",
    phases=(
        Phase("census", 300, CENSUS, Halving(1e-4, every=150, warmup=20), VISIBLE),
        Phase(
            "distillation", 300, CENSUS + DISTILLATION, Halving(5e-5, every=150, warmup=20), VISIBLE, teacher=TEACHER
        ),
    ),
    crop=(160, 224),
    weights="pretrained",
    departures=(
        *ddflow.departures,
        "for weights that know motion already, on frames of one's own: no photometric phase, few steps, small rates",
    ),
)
