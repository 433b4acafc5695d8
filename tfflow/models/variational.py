"""OpenCV's variational refinement: improves a flow that is nearly right, by the two frames themselves."""

from __future__ import annotations

import cv2
import numpy as np


def grey(image: np.ndarray) -> np.ndarray:
    """RGB [h, w, 3] in [0, 1] -> 8-bit grey [h, w], as OpenCV converts it."""
    levels = np.clip(np.rint(255.0 * image), 0, 255).astype(np.uint8)
    return cv2.cvtColor(np.ascontiguousarray(levels), cv2.COLOR_RGB2GRAY)


def variational(image1: np.ndarray, image2: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Brightness and gradient constancy with smoothness, minimised around `flow` [h, w, 2], px; OpenCV's constants.

    image1, image2: RGB [h, w, 3] in [0, 1]. A flow that is not finite is returned as it is, for the caller to refuse.
    Source: Brox et al. 2004, as in the last step of Kroeger et al. 2016 (DIS): alpha 20, delta 5, gamma 10, omega 1.6,
    five times five iterations.
    """
    if not np.isfinite(flow).all():
        return flow
    start = np.array(flow, np.float32, order="C")  # OpenCV writes into it
    return cv2.VariationalRefinement.create().calc(grey(image1), grey(image2), start)


def pair_by_pair(images1: np.ndarray, images2: np.ndarray, flows: np.ndarray, pair=variational) -> np.ndarray:
    """A refinement applied to each pair of a batch: [b, h, w, 3] twice and [b, h, w, 2] -> [b, h, w, 2]."""
    return np.stack([pair(*one) for one in zip(images1, images2, np.asarray(flows), strict=True)])
