"""SelFlow's PWC-Net for three frames: DDFlow's, with the costs to the next and the previous frame in each decoder.

Liu et al., SelFlow: Self-Supervised Learning of Optical Flow, CVPR 2019. 4,790,876 parameters.
"""

from __future__ import annotations

from tfflow.layers import Frame, Scale, StackFrames, SwapFrames, UpsampleFlow, Warp, ZeroFlow
from tfflow.models.blocks import concat, cost_volume
from tfflow.models.pwcnet_ddflow import CHANNELS, PWCNetDDFlow


class SelFlow(PWCNetDDFlow):
    """Six feature levels. Flow from 1/64 to 1/4 to the next and the previous frame, with the same weights.

    Both directions are stacked on the batch axis, the next frame first. A decoder also gets the costs of the other
    direction, and its flow with the opposite sign, which is equal under constant velocity. The context network of the
    finest level predicts the whole flow.
    Departures: that of `PWCNetDDFlow`. The flow to the previous frame is not refined, since nothing outside the network
    uses it.
    """

    frames = 3

    def decode(self, pyramid1, pyramid2, pyramid0):
        """Flow 1->2 at full resolution, then of levels 2 (1/4) to 6 (1/64), each in px of its own grid."""
        flows, flow = [], None  # `flow` and all that it is made of: [2 * b, h', w', c], 1->2 and 1->0
        for level in (6, 5, 4, 3, 2):
            here = self._stacked(f"here{level}", pyramid1[level - 1], pyramid1[level - 1])
            there = self._stacked(f"there{level}", pyramid2[level - 1], pyramid0[level - 1])
            if flow is None:
                flow = ZeroFlow(name="zero_flow")(here)
            else:
                flow = UpsampleFlow(align_corners=True, name=f"up_flow{level}")(flow)
            warped = Warp("ddflow", name=f"warp{level}")([there, flow])
            costs = cost_volume(level, self.normalize(here), self.normalize(warped), self.dtype)
            costs = Scale(CHANNELS[level - 1], dtype=self.dtype, name=f"cost{level}")(costs)  # sum, not mean
            other = SwapFrames(dtype=self.dtype, name=f"other_cost{level}")(costs)
            seen = [costs, other, here, flow, self._opposite(f"{level}", flow)]
            x = self.features[level](concat(f"decoder{level}_input", seen, self.dtype))  # [2 * b, h', w', 32]
            flow = self.heads[level](x)
            if level > 2:
                flows.append(Frame(0, 2, name=f"flow{level}")(flow))
        seen = [x, SwapFrames(dtype=self.dtype, name="other_features")(x), flow, self._opposite("", flow)]
        seen = Frame(0, 2, dtype=self.dtype, name="to_next")(concat("context_input", seen, self.dtype))
        flows.append(self.context(seen))
        return [UpsampleFlow(4, align_corners=True, name="full_resolution")(flows[-1]), *flows[::-1]]

    def _stacked(self, name: str, to_next, to_previous):
        return StackFrames(dtype=self.dtype, name=name)([to_next, to_previous])

    def _opposite(self, name: str, flow):
        """Minus the flow in the other direction."""
        return Scale(-1.0, dtype="float32", name=f"opposite{name}")(SwapFrames(name=f"other_flow{name}")(flow))
