"""A smooth scene with exact flow both ways: two frames of one wavy picture, the second seen through an affine map."""

from __future__ import annotations

import numpy as np

MOTION = np.array([[1.02, 0.015], [-0.01, 0.99]]), np.array([2.3, -1.2])  # x' = M x + t


def _picture(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    waves = [0.21 * x + 0.13 * y, 0.17 * y - 0.09 * x + 1, 0.11 * x - 0.19 * y + 2]
    return np.stack([0.5 + 0.4 * np.sin(w) for w in waves], -1)


def scene(h: int = 60, w: int = 84) -> dict[str, np.ndarray]:
    """image1, image2, flow12, flow21, valid1, valid2, visible1, visible2; float32; 60 x 84 by default."""
    matrix, shift = MOTION
    inverse = np.linalg.inv(matrix)
    x, y = np.meshgrid(np.arange(w, dtype=float), np.arange(h, dtype=float))
    here = np.stack([x, y], -1)
    there = here @ matrix.T + shift  # where frame 1's pixels are in frame 2
    back = (here - shift) @ inverse.T
    sample = {
        "image1": _picture(x, y),
        "image2": _picture(back[..., 0], back[..., 1]),
        "flow12": there - here,
        "flow21": back - here,
    }
    for frame, target in (("1", there), ("2", back)):
        inside = (target >= 0).all(-1) & (target[..., 0] <= w - 1) & (target[..., 1] <= h - 1)
        sample["valid" + frame] = np.ones([h, w, 1])
        sample["visible" + frame] = inside[..., None]
    return {key: np.asarray(value, np.float32) for key, value in sample.items()}


def tensors(sample: dict) -> dict:
    import tensorflow as tf

    return {key: tf.constant(value) for key, value in sample.items()}
