"""The flow of one pair, with visibility, confidence, the warped frame, pictures and files."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfflow.data import colours
from tfflow.data.formats import write_flow
from tfflow.data.images import write_image
from tfflow.errors import InputError
from tfflow.files import write_whole
from tfflow.models.confidence import confidence, visible_by_check


@dataclass(frozen=True, eq=False, repr=False)
class Estimate:
    """The flow of a pair, [h, w, 2], px, and the pair.

    image1, image2: float32 RGB [h, w, 3] in [0, 1]. flow21: the backward flow, if it was computed; visibility and
    confidence need it. name: of the pair, such as "frame_000007".
    """

    flow: np.ndarray
    image1: np.ndarray
    image2: np.ndarray
    flow21: np.ndarray | None = None
    name: str = ""

    def __repr__(self) -> str:
        height, width, _ = self.flow.shape
        return f"<Estimate {self.name or 'of a pair'}, {height}x{width} px{', both ways' * (self.flow21 is not None)}>"

    @functools.cached_property
    def visible(self) -> np.ndarray:
        """bool [h, w]: True for pixels that pass the forward-backward check."""
        return visible_by_check(self.flow, self._backward())

    @functools.cached_property
    def confidence(self) -> np.ndarray:
        """Confidence of each pixel, float32 [h, w] in [0, 1]: see `tfflow.models.confidence`."""
        return confidence(self.flow, self._backward(), self.image1)

    def warp(self, image2: Any = None) -> np.ndarray:
        """Warps image2, or an array [h, w] or [h, w, c] of its size, to image1: float32, 0 outside the frame."""
        values = self.image2 if image2 is None else np.asarray(image2)
        if values.shape[:2] != self.flow.shape[:2] or values.ndim not in (2, 3):
            raise InputError(f"to warp, give {self.flow.shape[0]} x {self.flow.shape[1]} pixels, got {values.shape}")
        flat = values.ndim == 2
        from tfflow.ops.arrays import warp  # needs TensorFlow, which takes seconds to import

        warped = warp(values[..., None] if flat else values, self.flow)
        return warped[..., 0] if flat else warped

    def picture(self, scale: float | None = None) -> np.ndarray:
        """The flow as colours, uint8 RGB [h, w, 3]. scale: px at full saturation; None = the 99th percentile."""
        return colours.flow_to_colour(self.flow, scale or colours.robust_scale([self.flow]))

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of an .npz: flow, and if there is a backward flow, flow21, visible and confidence."""
        if self.flow21 is None:
            return {"flow": self.flow}
        return {"flow": self.flow, "flow21": self.flow21, "visible": self.visible, "confidence": self.confidence}

    def save(self, path: str | os.PathLike, scale: float | None = None) -> None:
        """Writes one file. The suffix chooses the flow (.flo, .pfm, .npy), all arrays (.npz) or a picture (.png, .jpg).

        scale: of the picture, see `picture`. For KITTI's 16-bit PNG use `tfflow.data.formats.write_kitti_png`.
        Raises InputError for another suffix.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix in (".flo", ".pfm", ".npy"):
            write_flow(path, self.flow)
        elif suffix == ".npz":
            with write_whole(path) as part, part.open("wb") as file:
                np.savez_compressed(file, **self.arrays())  # type: ignore[arg-type]
        elif suffix in (".png", ".jpg", ".jpeg", ".webp", ".bmp"):
            write_image(path, self.picture(scale))
        else:
            raise InputError(f"'{path}': expected a name that ends in .flo, .pfm, .npy, .npz, .png or .jpg")

    def _backward(self) -> np.ndarray:
        if self.flow21 is None:
            raise InputError("this needs the backward flow: compute both directions, as `model.estimate` does")
        return self.flow21


def estimate_pair(both: Callable[..., Any], first: np.ndarray, second: np.ndarray, *neighbours: Any) -> Estimate:
    """The `Estimate` of two images [h, w, 3]. both: the method of a model that gives both directions."""
    stacked = [None if image is None else image[None] for image in neighbours]
    flow12, flow21 = both(first[None], second[None], *stacked)
    return Estimate(np.asarray(flow12)[0], first, second, np.asarray(flow21)[0])
