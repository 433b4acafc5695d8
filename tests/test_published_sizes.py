"""Numbers that follow from the published methods by arithmetic alone, and are held by no test nearer to the code."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tests.losses.views import picture, still, view
from tfflow import ops
from tfflow.data.formats import write_flo
from tfflow.losses import Census
from tfflow.models import variant
from tfflow.recipes import RECIPES
from tfflow.recipes.arflow import TERNARY

KITTI, SINTEL = (375, 1242), (436, 1024)


def enlarged(size, multiple):
    return ops.resize_to_multiple(tf.zeros([1, *size, 1]), multiple).shape[1:3]


def pyramid(name, size):
    """Sizes of the features of a network, fine to coarse."""
    return [tuple(f.shape[1:3]) for f in variant(name).build("float32").encode(keras.Input((*size, 3)))]


@pytest.mark.parametrize(
    ("frame", "whole", "coarsest"), [(KITTI, (384, 1248), (12, 39)), (SINTEL, (448, 1024), (14, 32))], ids=str
)
def test_spynet_s_six_levels(frame, whole, coarsest):
    assert enlarged(frame, variant("spynet").stride) == whole
    levels = pyramid("spynet", whole)
    assert len(levels) == 6 and levels[0] == whole and levels[-1] == coarsest


@pytest.mark.parametrize(("frame", "whole"), [(KITTI, (384, 1280)), (SINTEL, (448, 1024))], ids=str)
def test_frames_of_the_networks_of_stride_64(frame, whole):
    for name in ("pwcnet", "pwclite", "flownets", "flownetc", "flownet2", "unflow_css"):
        assert enlarged(frame, variant(name).stride) == whole


def test_ddflow_s_levels_at_the_size_of_kitti_round_up():
    """Flow of a level is enlarged by 1.95 to 2, by another ratio along each axis: 6 -> 12 rows, 20 -> 39 columns."""
    levels = pyramid("pwcnet_ddflow", KITTI)
    assert levels == [(188, 621), (94, 311), (47, 156), (24, 78), (12, 39), (6, 20)]
    up = ops.resize_flow(tf.ones([1, *levels[5], 2]), levels[4], align_corners=True)
    np.testing.assert_allclose(up[0, 5, 7], [1.95, 2.0], rtol=1e-6)


def test_census_of_ten_grey_levels():
    image = np.float32([[[[100], [110]]]]) / 255
    np.testing.assert_allclose(ops.census_transform(image, 1)[0, 0, 0, 5], 0.9960, atol=1e-4)


def test_what_uflow_s_census_costs_where_nothing_differs():
    """0.15849, the mean over both directions: half of each here, which are summed."""
    weight, census = RECIPES["uflow"].phases[0].objective.terms[0]
    np.testing.assert_allclose(2 * weight * census(still()), 0.15849, atol=2e-5)


def test_arflow_s_ternary_distance_has_a_ceiling_and_no_floor():
    """The mean over 3x3, of which the centre never differs: below 8 * 0.9756 / 9 = 0.867, in both directions."""
    weight, ternary = TERNARY.terms[0]
    assert isinstance(ternary, Census)
    np.testing.assert_array_equal(2 * weight * ternary(still()), [0, 0])
    chess = np.indices([20, 26]).sum(0)[None, ..., None] % 2 * np.ones([2, 1, 1, 3])
    worst = 2 * weight * ternary(still(image1=chess.astype(np.float32), image2=(1 - chess).astype(np.float32)))
    corners = 4 * 0.9756 / 9  # of eight neighbours, the four along the diagonals are as the centre
    np.testing.assert_allclose(worst, corners, rtol=1e-3)
    assert np.all(2 * weight * ternary(view(image1=picture(3), image2=picture(4))) < 0.867)


def test_bytes_of_a_flow_file(tmp_path):
    """Twelve of header, eight a pixel."""
    write_flo(tmp_path / "a.flo", np.zeros([2, 3, 2], np.float32))
    assert (tmp_path / "a.flo").stat().st_size == 60
