"""Pairs that are worth training on: they move, farther apart where motion is slow, and none lies across two clips."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.data import trees
from tfflow.data.picked import OwnPairs, pick_moving, smaller
from tfflow.data.sources import open_source


def clip(root, steps, height=64, width=96):
    """Frames of a texture that moves by so many px to the right from each to the next."""
    texture = cv2.GaussianBlur(trees.picture(3, height, width + 200), (0, 0), 1.5)
    for k, place in enumerate(np.cumsum([0, *steps])):
        moved = np.float32([[1, 0, place - 100], [0, 1, 0]])
        frame = cv2.warpAffine(texture, moved, (width, height), flags=cv2.INTER_CUBIC)
        trees.put_image(root / f"{k:03d}.png", frame)
    return open_source(f"frames:{root}")


@pytest.mark.parametrize(("step", "distance"), [(2.0, 1), (0.6, 2), (0.37, 3)])
def test_slow_frames_are_taken_farther_apart(tmp_path, step, distance):
    source = clip(tmp_path, [step] * 9)
    picked = pick_moving(source, [range(9)], 9)
    assert np.median([last - first + 1 for first, last in picked.places][:6]) == distance
    assert f" at distance {distance}" in picked.text()
    pair = OwnPairs(source, picked.places).sample(0)
    np.testing.assert_array_equal(pair["image1"], source.sample(0)["image1"])
    np.testing.assert_array_equal(pair["image2"], source.sample(distance - 1)["image2"])


def test_what_stands_still_is_left_out(tmp_path):
    source = clip(tmp_path, [0] * 4 + [3] * 6)
    picked = pick_moving(source, [range(10)], 10)
    assert {first for first, _ in picked.places} >= {4, 5, 6, 7, 8, 9} and (0, 0) not in picked.places
    assert picked.tried == 10 and "stand still, 0 have no texture" in picked.text()


def test_black_frames_have_no_texture(tmp_path):
    for k in range(5):
        trees.put_image(tmp_path / f"{k}.png", np.zeros((64, 96, 3), np.uint8))
    picked = pick_moving(open_source(f"frames:{tmp_path}"), [range(4)], 4)
    assert picked.places == [] and picked.text() == "of 4 pairs measured 0 move, 0 stand still, 4 have no texture"


def test_no_pair_lies_across_two_clips(tmp_path):
    for name in ("a", "b"):
        clip(tmp_path / name, [0.4] * 2)
    source = open_source(f"frames:{tmp_path}")
    assert len(source) == 4
    assert all(first // 2 == last // 2 for first, last in pick_moving(source, [range(4)], 4).places)


def test_no_pair_lies_across_a_stretch_s_end(tmp_path):
    source = clip(tmp_path, [0.4] * 9)
    assert all(last < 3 for _, last in pick_moving(source, [range(3)], 3).places)


def test_large_frames_become_smaller_and_small_ones_stay():
    image = np.random.default_rng(0).random((100, 400, 3), np.float32)
    assert smaller(image, 200).shape == (50, 200, 3) and smaller(image, 400) is image
