"""OpenCV's variational refinement, which improves an approximate flow by the two frames."""

from __future__ import annotations

import cv2
import numpy as np


def grey(image: np.ndarray) -> np.ndarray:
    """Converts RGB [h, w, 3] in [0, 1] to 8-bit grey [h, w] as OpenCV does."""
    levels = np.clip(np.rint(255.0 * image), 0, 255).astype(np.uint8)
    return cv2.cvtColor(np.ascontiguousarray(levels), cv2.COLOR_RGB2GRAY)


def variational(image1: np.ndarray, image2: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Refines `flow` [h, w, 2], px, by brightness constancy, gradient constancy and smoothness: [h, w, 2].

    image1, image2: RGB [h, w, 3] in [0, 1]. A flow that is not finite is returned unchanged.
    Source: Brox et al. 2004, as in the last step of DIS (Kroeger et al. 2016). OpenCV's constants: alpha 20, delta 5,
    gamma 10, omega 1.6, five times five iterations.
    """
    if not np.isfinite(flow).all():
        return flow
    start = np.array(flow, np.float32, order="C")  # OpenCV writes into it
    return cv2.VariationalRefinement.create().calc(grey(image1), grey(image2), start)


def pair_by_pair(images1: np.ndarray, images2: np.ndarray, flows: np.ndarray, pair=variational) -> np.ndarray:
    """Applies a refinement to each pair of a batch: images [b, h, w, 3] twice, flow [b, h, w, 2] -> [b, h, w, 2]."""
    return np.stack([pair(*one) for one in zip(images1, images2, np.asarray(flows), strict=True)])
