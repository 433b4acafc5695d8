"""Noise of a frame is measured beside its texture, and taken away without its edges."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tfflow.data.noise import grain, without_noise


def texture(seed: int) -> np.ndarray:
    rough = np.random.default_rng(seed).random((96, 128, 3), np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), 4)
    return 0.2 + 0.6 * (smooth - smooth.min()) / np.ptp(smooth)


@pytest.mark.parametrize("deviation", (0.01, 0.03, 0.08))
def test_noise_is_measured_beside_texture(deviation):
    image = texture(1)
    noisy = image + np.random.default_rng(2).normal(0, deviation, image.shape).astype(np.float32)
    assert grain(noisy) == pytest.approx(deviation, rel=0.1)
    assert grain(image) < 0.004


def test_noise_goes_and_edges_stay():
    image = np.full((64, 96, 3), 0.2, np.float32)
    image[:, 48:] = 0.7
    noisy = image + np.random.default_rng(3).normal(0, 0.03, image.shape).astype(np.float32)
    clean = without_noise(noisy, grain(noisy))
    assert np.std((clean - image)[:, :40]) < 0.012
    assert np.mean(clean[:, 49] - clean[:, 46]) > 0.45


def test_a_frame_without_noise_is_not_touched():
    image = texture(4)
    assert without_noise(image, grain(image)) is image
