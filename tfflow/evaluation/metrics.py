"""Metrics of a flow field, as sums and numbers of pixels, from which averages over images and over pixels follow.

| name | mean of | over |
|---|---|---|
| `epe` | endpoint error, px | pixels with ground truth |
| `epe_noc`, `epe_occ` | the same | of them, visible pixels; occluded pixels |
| `epe_s0-10`, `epe_s10-40`, `epe_s40+` | the same | of them, by the length of the true flow, px |
| `fl`, `fl_noc` | outliers of KITTI 2015, %: error > 3 px and > 5 % of the true length | all; visible |
| `over1`, `over3`, `over5`, `over3_noc` | pixels with an error above 1, 3, 5 px, % | all; visible |
| `occ_precision`, `occ_recall`, `occ_f` | occlusion by the forward-backward check | pixels with ground truth |
| `photometric` | abs(image1 - warped image2), of 255, mean of channels | pixels that stay inside the frame |
| `census` | share of the 48 neighbours whose comparison differs, 0 to 0.98 | of them, pixels with all 48 |
| `fb_residual` | length of flow12(x) + flow21(x + flow12(x)), px | pixels that stay inside the frame |
| `inside` | pixels that stay inside the frame, % | all |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from tfflow.models.confidence import visible_by_check
from tfflow.ops import inside
from tfflow.ops.arrays import warp

Measured = dict[str, tuple[float, int]]  # metric -> sum of its values, number of pixels

_ERRORS = ("epe", "epe_noc", "epe_occ", "epe_s0-10", "epe_s10-40", "epe_s40+")
_OUTLIERS = ("fl", "fl_noc", "over1", "over3", "over5", "over3_noc")
_OCCLUSION = ("occ_precision", "occ_recall", "occ_f")
WITH_TRUTH = _ERRORS + _OUTLIERS + _OCCLUSION
WITHOUT_TRUTH = ("photometric", "census", "fb_residual", "inside")
_GREY = np.array([0.2989, 0.587, 0.114], np.float32)  # TensorFlow's


def measure_flow(flow12: np.ndarray, sample: Mapping[str, np.ndarray], flow21: np.ndarray | None = None) -> Measured:
    """Compares `flow12` with the ground truth of one sample.

    flow12, flow21: [h, w, 2], px. sample: `flow12`, `valid1`, and `visible1` if it is known (NOC, OCC). With `flow21`
    and `visible1`, the result of `check_occlusion` is scored too. The sum of an F-score is 2 TP and its count is
    2 TP + FP + FN, so its average over pixels is the F-score of the whole set.
    Raises ValueError for other shapes and for flow that is not finite. Source: Butler et al. 2012; KITTI's devkit.
    """
    truth = sample["flow12"]
    _check("flow12", flow12, truth.shape)
    valid = sample["valid1"][..., 0] > 0.5
    error = np.linalg.norm(flow12.astype(np.float64) - truth, axis=-1)
    speed = np.linalg.norm(truth.astype(np.float64), axis=-1)
    regions = {"": valid}
    if "visible1" in sample:
        visible = sample["visible1"][..., 0] > 0.5
        regions |= {"_noc": valid & visible, "_occ": valid & ~visible}
    measured: Measured = {}
    for suffix, region in regions.items():
        measured["epe" + suffix] = _over(region, error)
        if suffix != "_occ":
            measured["fl" + suffix] = _over(region, 100.0 * ((error > 3.0) & (error > 0.05 * speed)))
            measured["over3" + suffix] = _over(region, 100.0 * (error > 3.0))
    for suffix, slowest, fastest in (("s0-10", 0.0, 10.0), ("s10-40", 10.0, 40.0), ("s40+", 40.0, np.inf)):
        measured["epe_" + suffix] = _over(valid & (speed >= slowest) & (speed < fastest), error)
    for threshold in (1, 5):
        measured[f"over{threshold}"] = _over(valid, 100.0 * (error > threshold))
    if flow21 is not None and "visible1" in sample:
        occluded = ~visible
        measured |= _occlusion_scores(check_occlusion(flow12, flow21) & valid, occluded & valid)
    return {name: measured[name] for name in WITH_TRUTH if name in measured}


def measure_frames(image1: np.ndarray, image2: np.ndarray, flow12: np.ndarray, flow21: np.ndarray) -> Measured:
    """Label-free metrics: the difference of image1 and the warped image2, and the forward-backward residual.

    image1, image2: [h, w, 3] in [0, 1]; flow12, flow21: [h, w, 2], px. A low residual alone proves nothing: that of
    zero flow is 0. A low photometric error alone proves nothing either: a wrong match may have the right colour.
    Raises ValueError for other shapes and for flow that is not finite.
    """
    _check("flow12", flow12, (*image1.shape[:2], 2))
    _check("flow21", flow21, (*image1.shape[:2], 2))
    warped = warp(image2, flow12)
    seen = inside(flow12[None])[0, ..., 0].numpy() > 0.5
    off = 255.0 * np.abs(image1.astype(np.float64) - warped).mean(axis=-1)
    patch_seen = cv2.erode(np.pad(seen.astype(np.uint8), 3), np.ones((7, 7), np.uint8))[3:-3, 3:-3] > 0
    residual = np.linalg.norm(flow12.astype(np.float64) + warp(flow21, flow12), axis=-1)
    return {
        "photometric": _over(seen, off),
        "census": _over(patch_seen, census_distance(image1, warped)),
        "fb_residual": _over(seen, residual),
        "inside": _over(np.ones_like(seen), 100.0 * seen),
    }


def check_occlusion(flow12: np.ndarray, flow21: np.ndarray) -> np.ndarray:
    """bool [h, w]: True for pixels that are occluded by the forward-backward check (`visible_by_check`)."""
    return ~visible_by_check(flow12, flow21)


def census_distance(image1: np.ndarray, image2: np.ndarray, radius: int = 3) -> np.ndarray:
    """Soft Hamming distance of the census transforms of two images [h, w, 3]: [h, w] in [0, 0.98].

    It is the mean over neighbours of d / (0.1 + d), where d is the squared difference of `tfflow.ops.census_transform`.
    Neighbours outside the frame count as 0. The difference of two pixels serves both, so half of the offsets suffice.
    Source: Meister et al. 2018 (UnFlow), where it is a sum.
    """
    grey1, grey2 = (255.0 * (image.astype(np.float32) @ _GREY) for image in (image1, image2))
    h, w = grey1.shape
    total = np.zeros((h, w), np.float32)
    offsets = [(dy, dx) for dy in range(radius + 1) for dx in range(-radius, radius + 1) if (dy, dx) > (0, 0)]
    for dy, dx in offsets:
        here = np.s_[: max(h - dy, 0), max(-dx, 0) : max(w - max(dx, 0), 0)]
        there = np.s_[dy:, max(dx, 0) : max(w + min(dx, 0), 0)]
        signs = []
        for grey in (grey1, grey2):
            difference = grey[there] - grey[here]
            signs.append(difference / np.sqrt(0.81 + difference * difference))
        d = np.square(signs[0] - signs[1])
        d /= 0.1 + d
        total[here] += d
        total[there] += d
    return total / (2 * len(offsets))  # [h, w]


@dataclass
class Averages:
    """Collects the metrics of images and gives two averages of each.

    per_image: the mean of the images' means, so every image has the same weight (as ARFlow).
    per_pixel: the mean over all pixels of all images, so large and dense images have more weight (as RAFT for Chairs
    and Sintel).
    An image without pixels of a region, such as occluded or fast ones, does not count for that metric.
    """

    images: dict[str, Measured] = field(default_factory=dict)

    def add(self, image: str, measured: Measured) -> None:
        self.images[image] = measured

    def metrics(self) -> list[str]:
        """The metrics for which at least one image has pixels, in the order of the module's table."""
        present = {name for measured in self.images.values() for name, (_, count) in measured.items() if count}
        return [name for name in WITH_TRUTH + WITHOUT_TRUTH if name in present]

    def of_images(self, metric: str) -> list[float]:
        """The mean of each image that has pixels of it."""
        return [total / count for total, count in self._parts(metric)]

    def per_image(self) -> dict[str, float]:
        parts = {name: self.of_images(name) for name in self.metrics()}
        return {name: sum(means) / len(means) for name, means in parts.items()}

    def per_pixel(self) -> dict[str, float]:
        parts = {name: list(zip(*self._parts(name), strict=False)) for name in self.metrics()}
        return {name: sum(totals) / sum(counts) for name, (totals, counts) in parts.items()}

    def counts(self) -> dict[str, dict[str, int]]:
        """The numbers behind each average: {metric: {"images": n, "pixels": n}}."""
        parts = {name: self._parts(name) for name in self.metrics()}
        return {name: {"images": len(p), "pixels": sum(count for _, count in p)} for name, p in parts.items()}

    def _parts(self, metric: str) -> list[tuple[float, int]]:
        return [m[metric] for m in self.images.values() if metric in m and m[metric][1]]


def _over(region: np.ndarray, values: np.ndarray) -> tuple[float, int]:
    return float(values[region].sum(dtype=np.float64)), int(region.sum())


def _occlusion_scores(found: np.ndarray, true: np.ndarray) -> Measured:
    hits, found_count, true_count = int((found & true).sum()), int(found.sum()), int(true.sum())
    return {
        "occ_precision": (float(hits), found_count),
        "occ_recall": (float(hits), true_count),
        "occ_f": (2.0 * hits, found_count + true_count),
    }


def _check(name: str, flow: np.ndarray, shape: tuple[int, ...]) -> None:
    if flow.shape != tuple(shape):
        raise ValueError(f"`{name}` must be {list(shape)} in (u, v) order, got {flow.shape}")
    lost = int((~np.isfinite(flow)).any(axis=-1).sum())
    if lost:
        raise ValueError(
            f"`{name}` must be finite, got {lost} pixels that are not; is the training run that made it sound?"
        )
