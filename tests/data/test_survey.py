"""What a few pairs say of the frames that one is about to train on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.data import trees
from tests.evaluation.fakes import Given
from tfflow.data.survey import Survey, kind, remark, survey


def texture(height=96, width=128, seed=0):
    """float RGB, as a camera without noise sees it."""
    return np.float32(cv2.GaussianBlur(trees.picture(seed, height, width), (0, 0), 1.5) / 255)


def moved(image, u, v):
    matrix = np.float32([[1, 0, u], [0, 1, v]])
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def noisy(image, sigma, seed=0):
    return np.float32(np.clip(image + np.random.default_rng(seed).normal(0, sigma / 255, image.shape), 0, 1))


@pytest.mark.parametrize("sigma", [0, 2, 4])
def test_a_camera_that_stands_still_is_still_in_spite_of_its_noise(sigma):
    assert kind(noisy(texture(), sigma, 1), noisy(texture(), sigma, 2)) == "still"


@pytest.mark.parametrize(
    ("u", "v", "size"),
    [
        (0.4, 0, (96, 128)),
        (3, 2, (96, 128)),
        (0, -9, (96, 128)),
        (0.4, 0, (270, 960)),
        (3, 2, (270, 960)),
        (3, 2, (12, 20)),
    ],
)
def test_a_pan_moves(u, v, size):
    scale = max(1, size[1] / 320)
    assert kind(texture(*size), moved(texture(*size), u * scale, v * scale)) == "moving"


def test_a_small_thing_that_moves_before_a_camera_that_stands_still_is_motion():
    first, second = texture(), texture()
    first[30:54, 40:64] = texture(24, 24, seed=5)
    second[30:54, 44:68] = texture(24, 24, seed=5)
    assert kind(first, second) == "moving"


@pytest.mark.parametrize("grey", [0.0, 0.5])
def test_frames_without_texture_are_flat(grey):
    plain = np.full((96, 128, 3), grey, np.float32)
    assert kind(plain, plain) == kind(noisy(plain, 2, 1), noisy(plain, 2, 2)) == "flat"


def dark(image):
    """A quarter of the light, in steps of a grey level."""
    return np.float32(np.rint(image * 0.25 * 255) / 255)


def test_dark_frames_show_motion():
    assert kind(dark(texture()), dark(moved(texture(), 3, 2))) == "moving"


@pytest.mark.parametrize("sigma", [6, 12, 25])
def test_strong_noise_is_no_texture(sigma):
    plain = np.full((96, 128, 3), 0.5, np.float32)
    assert kind(noisy(plain, sigma, 1), noisy(plain, sigma, 2)) == "flat"


def test_most_pairs_decide_and_damaged_ones_do_not_count():
    still = {"image1": texture(), "image2": texture()}
    moving = {"image1": texture(), "image2": moved(texture(), 3, 2)}
    flat = {key: np.zeros((96, 128, 3), np.float32) for key in still}
    assert survey(Given([still, moving, still, "damaged"])) == Survey(3, 2, 0)
    assert survey(Given([flat, moving])) == Survey(2, 0, 1)
    assert survey(Given([moving] * 99), 5) == Survey(5, 0, 0)
    assert remark(Survey(4, 2, 0), "x") == remark(Survey(0, 0, 0), "x") == ""
    assert remark(Survey(4, 2, 1), "video:a.mp4").startswith(
        "the frames do not move: of 4 pairs measured in video:a.mp4 2 do not move, 1 have no texture"
    )
    assert remark(Survey(5, 0, 3), "x").startswith("the frames have no texture: of 5 pairs")
