"""The flow of frames without motion and with little or no texture.

Every model gives identical frames a flow of 0 (`tfflow.data.arrays.at_rest`). A difference of one grey level in one
pixel avoids that rule and shows the flow of the network itself, which is what an exported file gives.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SIZE = (192, 256)
LIMIT = 0.1
"""Largest flow, px, that identical frames may have."""


def still_frames() -> dict[str, np.ndarray]:
    """float32 RGB [h, w, 3]: black, grey, and blocks of 16 px."""
    height, width = SIZE
    levels = np.random.default_rng(18).integers(0, 256, (height // 16, width // 16, 3)) / np.float32(255)
    blocks = np.kron(levels, np.ones((16, 16, 1))).astype(np.float32)
    return {"black": np.zeros((*SIZE, 3), np.float32), "grey": np.full((*SIZE, 3), 0.5, np.float32), "blocks": blocks}


def still(batch: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> dict[str, float]:
    """{"identical", "one grey level apart"}: the longest flow of any pixel of any of the frames, px.

    batch: images [b, h, w, 3] twice -> flow [b, h, w, 2].
    """
    first = np.stack(list(still_frames().values()))
    second = first.copy()
    second[:, SIZE[0] // 2, SIZE[1] // 2, 0] += np.where(second[:, SIZE[0] // 2, SIZE[1] // 2, 0] > 0.5, -1, 1) / 255
    pairs = {"identical": first, "one grey level apart": second}
    return {name: float(np.linalg.norm(batch(first, other), axis=-1).max()) for name, other in pairs.items()}
