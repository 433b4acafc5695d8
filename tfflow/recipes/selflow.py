"""SelFlow: Liu, Lyu, King, Xu, SelFlow: Self-Supervised Learning of Optical Flow, CVPR 2019."""

from __future__ import annotations

import dataclasses

from tfflow.augmentation import Superpixels
from tfflow.recipes.ddflow import CENSUS, DISTILLATION, VISIBLE, ddflow
from tfflow.recipes.recipe import Phase, Teacher

selflow = dataclasses.replace(
    ddflow,
    name="selflow",
    paper="Liu et al., SelFlow: Self-Supervised Learning of Optical Flow, CVPR 2019",
    equation=ddflow.equation + "; the student's second frame is noise in some of its superpixels",
    model="selflow",
    phases=(
        *ddflow.phases[:2],
        Phase(
            "superpixels",
            300_000,
            CENSUS + DISTILLATION,
            ddflow.phases[2].learning_rate,
            VISIBLE,
            teacher=Teacher(student=0.72, occluders=Superpixels(count=200, covered=(8, 16), compactness=50.0)),
        ),
    ),
    departures=(
        "no training code was published: all that is not said here is DDFlow's",
        *(d for d in ddflow.departures if "224x640" not in d),
        "the number of superpixels, and of those replaced, is not stated: 200 and 8 to 16, as in ARFlow's code; they "
        "are made on the crop in the step before it, theirs beforehand on the whole frame",
        "the student's crop is the nearest multiple of the network's stride to 0.72 of the crop (256x640 of 320x896)",
        "census and occlusion of the student are of the frames that it sees, noise included",
        "four frames a sample, and the flows between the middle two, each with the frame before it; theirs has five "
        "frames and six flows",
    ),
)
