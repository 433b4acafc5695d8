"""PWC-Net for three frames, which also estimates the neighbouring frame in which each pixel is visible: hard and soft.

Janai et al., Unsupervised Learning of Multi-Frame Optical Flow with Occlusions, ECCV 2018 (back2future).
"""

from __future__ import annotations

from typing import Any

import tf_keras as keras

from tfflow.layers import Normalize, Scale, UpsampleFlow, Warp
from tfflow.models.blocks import KAIMING, Block, chain, concat, cost_volume, encoder, flow_head, stack

FLOW_UNIT = 20.0
"""Every level predicts flow in px of full resolution, divided by this."""
LEVELS = (6, 5, 4, 3, 2)


class MultiFrameHard:
    """Six feature levels. From 1/64 to 1/4, each level predicts the whole flow 1->2 and two shares for each pixel.

    The previous frame is warped by minus the flow to the next one, which assumes constant velocity. `shares` states how
    much the next frame (channel 0) and the previous frame (channel 1) contribute to a pixel; the sum is 1.
    All outputs are upsampled four times, flow bilinearly and shares by the nearest pixel, and trained at that size.
    Departures: that upsampling is one step, theirs takes two. The displacements to the previous frame have the order of
    those to the next one, theirs the opposite order. Weights have He's initialization; with theirs, Torch's, the flow
    of the untrained network hardly depends on the frames (1e-9 px).
    """

    stride = 64
    frames = 3
    outputs: tuple[str, ...] = ("flows12", "shares")
    soft = False

    def __init__(self, dtype: str = "float32"):
        self.dtype = dtype
        normalize = Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), dtype=dtype, name="normalize")
        options: dict[str, Any] = {"slope": 0.2, "init": KAIMING, "dtype": dtype}
        pyramid = encoder((16, 32, 64, 96, 128, 192), convs_per_level=2, symmetric=True, **options)
        self.encode = chain([normalize, pyramid])
        self.future = {n: _decoder(f"future{n}", **options) for n in LEVELS}
        self.past = {n: _decoder(f"past{n}", **options) for n in LEVELS} if self.soft else {}
        self.occlusion = {n: _decoder(f"occlusion{n}", **options) for n in LEVELS}

    def decode(self, pyramid1, pyramid2, pyramid0):
        """Flows 1->2, the soft network's flows 1->0, and shares: each at full resolution, then 1/2 to 1/16."""
        future, past, shares = [], [], []  # coarse to fine, upsampled; flow in px of its grid
        up = up_past = None  # the initial flow of a level, px of its grid
        for level in LEVELS:
            features1, features2, features0 = (p[level - 1] for p in (pyramid1, pyramid2, pyramid0))
            if up is not None:
                back = Scale(-1.0, dtype="float32", name=f"back{level}")(up)
                features2 = Warp("border", name=f"warp{level}")([features2, up])
                features0 = Warp("border", name=f"warp_back{level}")([features0, back])
            costs = [
                cost_volume(level, features1, features2, self.dtype),
                cost_volume(f"{level}_back", features1, features0, self.dtype),
            ]
            both = concat(f"costs{level}", costs, self.dtype)
            seen = concat(f"seen{level}", [both, features1, *self._feature(f"up{level}", level, up)], self.dtype)
            logits = self.occlusion[level](seen)
            softmax = keras.layers.Softmax(dtype="float32", name=f"shares{level}")(logits)
            shares.append(keras.layers.UpSampling2D(4, dtype="float32", name=f"shares{level}_x4")(softmax))
            flow = self._px(f"future{level}", level, self.future[level](both if up is None else seen))
            up = UpsampleFlow(align_corners=True, name=f"up_future{level}")(flow)
            future.append(UpsampleFlow(4, align_corners=True, name=f"future{level}_x4")(flow))
            if self.soft:
                if up_past is None:
                    seen_past = both
                else:
                    given = self._feature(f"up_past{level}", level, up_past)
                    seen_past = concat(f"seen_past{level}", [both, features1, *given], self.dtype)
                # in the direction of the flow to the next frame, so that a phase can copy those weights
                opposite = self._px(f"past{level}", level, self.past[level](seen_past))
                up_past = UpsampleFlow(align_corners=True, name=f"up_opposite{level}")(opposite)
                flow = Scale(-1.0, dtype="float32", name=f"past{level}_turned")(opposite)
                past.append(UpsampleFlow(4, align_corners=True, name=f"past{level}_x4")(flow))
        return [*future[::-1], *past[::-1], *shares[::-1]]

    def _px(self, name: str, level: int, flow):
        return Scale(FLOW_UNIT / 2**level, dtype="float32", name=f"{name}_px")(flow)

    def _feature(self, name: str, level: int, flow) -> list:
        """Flow as the input of a convolution, in the network's unit; nothing at the coarsest level."""
        return [] if flow is None else [Scale(2**level / FLOW_UNIT, dtype="float32", name=name)(flow)]


class MultiFrameSoft(MultiFrameHard):
    """With separate decoders for the flow to the previous frame, for which a loss may prefer constant velocity.

    Features of the previous frame are still warped by minus the flow to the next one, as in the authors' code.
    """

    outputs = ("flows12", "flows10", "shares")
    soft = True


def _decoder(name: str, init, **options) -> Block:
    """Five convolutions and a linear one: [b, h, w, c] -> [b, h, w, 2]."""
    body = stack(name, (128, 128, 96, 64, 32), init=init, **options)
    return chain([body, flow_head(f"{name}_head", init=init)])
