"""Inversion of a flow: the backward flow on the second frame's pixels. Nearer surfaces cover farther ones."""

from __future__ import annotations

import cv2
import numpy as np

ARRIVES = 0.2  # smallest bilinear weight with which a pixel can cover others
EDGE = 0.3  # difference of nearness; next to a surface that is so much nearer, a pixel shows a mixture of both
SAME = 0.15  # difference of nearness; within it, two pixels are one surface
NEAR_ENOUGH = 0.1  # px; largest error of the backward flow that counts as exact
FAR = 8  # px; the farthest surface within at least twice this distance fills a hole
LEAST = 0.02  # smallest share of the pixels around a hole that the farthest surface must have to fill it
STEEP = 6.0  # exponent of the weight, which decreases with nearness
STEPS = 4  # of the fixed-point iteration
SPREAD = (2, 4, 8, 16, 32, 64)  # px; radii from which holes are filled


def grid(h: int, w: int) -> np.ndarray:
    """(x, y) of every pixel, [h, w, 2]."""
    return np.stack(np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)), axis=-1)


def sampled(values: np.ndarray, flow: np.ndarray, way: int = cv2.INTER_CUBIC) -> np.ndarray:
    """Samples `values` [h, w, c] at the targets of `flow` [h, w, 2], px. Outside, the frame is mirrored."""
    x, y = np.moveaxis((grid(*flow.shape[:2]) + flow).astype(np.float32), -1, 0)
    out = cv2.remap(np.ascontiguousarray(values), x, y, way, borderMode=cv2.BORDER_REFLECT_101)
    return out.reshape(*flow.shape[:2], values.shape[-1])


class Arrivals:
    """Forward splatting under a flow [h, w, 2], px, with occlusion. A pixel splats to four pixels unless it is covered.

    near: [h, w]; greater values cover smaller ones. reached: [h, w], the sum of the weights that arrive; 0 in holes.
    Pixels next to a nearer surface are left out, because they contain part of its colour and would leave an outline.
    """

    def __init__(self, flow: np.ndarray, near: np.ndarray):
        h, w = self.shape = flow.shape[:2]
        x, y = np.moveaxis(grid(h, w) + flow, -1, 0)
        x0, y0 = np.floor(x), np.floor(y)
        pure = cv2.dilate(near, np.ones((3, 3))) - near < EDGE
        wx, wy = x - x0, y - y0
        corners = [(i, j, (wx if i else 1 - wx) * (wy if j else 1 - wy)) for j in (0, 1) for i in (0, 1)]
        places, shares, origins = [], [], []
        pixels = np.arange(h * w).reshape(h, w)
        for i, j, share in corners:
            kept = (x0 + i >= 0) & (x0 + i < w) & (y0 + j >= 0) & (y0 + j < h) & (share > 1e-3) & pure
            places.append(((y0 + j)[kept] * w + (x0 + i)[kept]).astype(np.int64))
            shares.append(share[kept])
            origins.append(pixels[kept])
        place, share, origin = map(np.concatenate, (places, shares, origins))
        depth = near.reshape(-1)[origin]
        nearest = np.full(h * w, -np.inf)
        covers = share > ARRIVES
        np.maximum.at(nearest, place[covers], depth[covers])
        seen = depth >= nearest[place] - SAME
        self._place, self._share, self._origin = place[seen], share[seen], origin[seen]
        self.reached = self._sum(np.ones(h * w))
        self.reached[self.reached < ARRIVES] = 0
        self.near = self.mean(near[..., None])[..., 0]

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The weighted mean of the `values` [h, w, c] that arrive; 0 in holes."""
        sums = np.stack([self._sum(v.reshape(-1)) for v in np.moveaxis(values, -1, 0)], axis=-1)
        known = self.reached[..., None]
        return np.where(known > 0, sums / np.maximum(known, 1e-9), 0).astype(np.float32)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        total = np.bincount(self._place, self._share * values[self._origin], minlength=self.shape[0] * self.shape[1])
        return total.reshape(self.shape)


def invert(flow12: np.ndarray, arrivals: Arrivals) -> tuple[np.ndarray, np.ndarray]:
    """The backward flow on the second frame's pixels: (flow21 [h, w, 2], px; whether it is exact, [h, w]).

    The initial value is the mean of what arrives. Then f21(y) = -f12(y + f21(y)) is repeated where it reduces the
    error. Holes get the flow of the farthest surface next to them. This also closes the narrow gaps of a surface that
    grows, which become exact.
    """
    back = spread_into(-arrivals.mean(flow12), arrivals)
    best = back
    gap = _gap(flow12, back)
    for _ in range(STEPS):
        back = -sampled(flow12, best, cv2.INTER_LINEAR)
        new = _gap(flow12, back)
        best = np.where((new < gap)[..., None], back, best)
        gap = np.minimum(gap, new)
    h, w = arrivals.shape
    target = grid(h, w) + best
    inside = ((target >= 0) & (target <= np.array([w - 1, h - 1]))).all(axis=-1)
    exact = (gap < NEAR_ENOUGH) & inside & (arrivals.reached > 0)
    return best.astype(np.float32), exact


def _gap(flow12: np.ndarray, flow21: np.ndarray) -> np.ndarray:
    return np.linalg.norm(sampled(flow12, flow21, cv2.INTER_LINEAR) + flow21, axis=-1)


def spread_into(values: np.ndarray, arrivals: Arrivals) -> np.ndarray:
    """Fills the holes of `values` [h, w, c] from the pixels around them, with more weight for farther surfaces."""
    known = arrivals.reached > 0
    if known.all() or not known.any():
        return values
    near = np.where(known, arrivals.near, np.float32(1e3)).astype(np.float32)
    weight = np.where(known, np.exp(-STEEP * near), 0).astype(np.float32)[..., None]
    both = np.concatenate([values * weight, weight], axis=-1)
    filled, open_ = values.copy(), ~known
    for radius in SPREAD:
        around = cv2.blur(both, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT_101)
        farther = cv2.erode(near, np.ones([4 * max(radius, FAR) + 1] * 2), borderType=cv2.BORDER_REPLICATE)
        some = open_ & (around[..., -1] > LEAST * np.exp(-STEEP * farther))
        filled[some] = around[some][:, :-1] / around[some][:, -1:]
        open_ &= ~some
    filled[open_] = both[..., :-1].sum((0, 1)) / both[..., -1].sum()
    return filled
