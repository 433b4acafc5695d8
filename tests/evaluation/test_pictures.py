"""Colours of flow and error: the published coding, and nothing that breaks on NaN."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.fakes import noise
from tfflow.evaluation import pictures


def colour_of(u, v, scale=1.0):
    return tuple(int(c) for c in pictures.flow_to_colour(np.float32([[[u, v]]]), scale)[0, 0])


def test_the_wheel_passes_the_six_corners_of_the_colour_cube_after_15_6_4_11_13_6_steps():
    wheel = pictures.colour_wheel()
    assert wheel.shape == (55, 3)
    corners = [(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1)]
    assert [tuple(wheel[i]) for i in (0, 15, 21, 25, 36, 49)] == corners
    assert np.abs(np.diff(wheel, axis=0)).sum(1) == pytest.approx(
        np.repeat(1 / np.array([15, 6, 4, 11, 13, 6]), [15, 6, 4, 11, 13, 5])
    )


@pytest.mark.parametrize(
    ("direction", "expected"),
    [  # by hand: position = 54 * turn clockwise from the right, between the corners above
        ((1, 0), (255, 0, 0)),
        ((0, 1), (255, 229, 0)),  # 13.5 of 15 steps from red to yellow
        ((-1, 0), (0, 208, 255)),  # 27: 2 of 11 steps from cyan to blue
        ((0, -1), (88, 0, 255)),  # 40.5: 4.5 of 13 steps from blue to magenta
        ((1, 1), (255, 114, 0)),  # 6.75 of 15 steps from red to yellow
        ((-1, -1), (0, 0, 255)),  # 33.75 would be 8.75 of 11 steps from cyan to blue: see below
    ],
)
def test_directions_have_the_colours_of_the_published_coding(direction, expected):
    if direction == (-1, -1):
        expected = (0, 52, 255)  # 255 * (1 - 8.75 / 11)
    length = np.hypot(*direction)
    assert np.abs(np.subtract(colour_of(*direction, scale=length), expected)).max() <= 1


def test_no_motion_is_white_half_is_half_as_saturated_and_too_much_is_dark():
    assert colour_of(0, 0) == (255, 255, 255)
    assert colour_of(2.0, 0, scale=4.0) == (255, 127, 127)
    assert colour_of(9.0, 0, scale=4.0) == (191, 0, 0)
    assert colour_of(2.0, 0, scale=4.0) == colour_of(1.0, 0, scale=2.0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2e9])
def test_what_is_not_known_is_black(value):
    assert colour_of(value, 0) == colour_of(0, value) == (0, 0, 0)


def test_colours_are_of_the_pixel_that_they_stand_on():
    flow = np.zeros((5, 9, 2), np.float32)
    flow[1, 7] = [3, 0]
    picture = pictures.flow_to_colour(flow, 3.0)
    assert picture.shape == (5, 9, 3) and picture.dtype == np.uint8
    assert tuple(picture[1, 7]) == (255, 0, 0) and (np.delete(picture.reshape(-1, 3), 9 + 7, axis=0) == 255).all()


def test_refusals():
    with pytest.raises(ValueError, match=r"`flow` must be \[h, w, 2\] in \(u, v\) order, got \(4, 5, 3\)"):
        pictures.flow_to_colour(np.zeros((4, 5, 3)), 1.0)
    with pytest.raises(ValueError, match="`scale` must be above 0 px, got 0"):
        pictures.flow_to_colour(np.zeros((4, 5, 2)), 0)


def test_robust_scale_is_the_percentile_of_the_known_lengths_of_all_flows_and_at_least_one():
    a = np.zeros((10, 10, 2), np.float32)
    a[..., 0] = np.arange(100).reshape(10, 10)
    b = np.full((10, 5, 2), np.nan, np.float32)
    assert pictures.robust_scale([a, b], 50) == pytest.approx(49.5)
    assert pictures.robust_scale([a, a + np.float32([0, 1e4])], 99) > 9999
    assert pictures.robust_scale([0.001 * a]) == pictures.robust_scale([b]) == pictures.robust_scale([]) == 1.0


def test_the_legend_shows_the_colours_that_flow_has():
    picture = pictures.legend(5.0, size=101)
    assert picture.shape == (123, 101, 3)
    flow = np.float32([[[0.5, -0.5]]])  # 25 px right of and above the centre
    assert np.abs(picture[25, 75].astype(int) - pictures.flow_to_colour(flow, 1.0)[0, 0]).max() <= 3
    assert (picture[0, 0] == 255).all() and (picture[101:] < 128).any()  # the number beneath


def test_a_legend_beside_leaves_the_picture_as_it_was():
    for h in (20, 400):
        picture = pictures.to_bytes(noise(0, h, 50))
        framed = pictures.with_legend(picture, 3.0)
        assert framed.shape[0] >= h and framed.shape[1] > 50
        np.testing.assert_array_equal(framed[:h, :50], picture)


def test_an_arrow_ends_where_its_flow_points():
    flow = np.zeros((64, 96, 2), np.float32)
    flow[8, 24] = [40, 20]
    picture = pictures.arrows(np.zeros((64, 96, 3), np.uint8), flow)
    ys, xs = np.nonzero(picture[..., 0] > 160)  # yellow, not the dots' green
    np.testing.assert_allclose([xs.min(), ys.min(), xs.max(), ys.max()], [24, 8, 64, 28], atol=2)
    stretched = pictures.arrows(np.zeros((64, 96, 3), np.uint8), flow / 4, stretch=4.0)
    np.testing.assert_array_equal(picture, stretched)


def test_arrows_survive_wild_flow_and_leave_unknown_flow_out():
    image = noise(0, 40, 56)
    flow = np.full((40, 56, 2), 1e8, np.float32)
    assert pictures.arrows(image, flow).shape == (40, 56, 3)
    np.testing.assert_array_equal(
        pictures.arrows(image, flow * np.nan), (0.6 * pictures.to_bytes(image)).astype(np.uint8)
    )


def test_error_bands_turn_red_where_an_error_becomes_an_outlier():
    truth = np.zeros((1, 7, 2), np.float32)
    truth[0, :, 0] = [1, 1, 1, 100, 100, 1, 1]
    flow = truth.copy()
    flow[0, :, 1] = [0.1, 2.9, 3.1, 4.9, 5.1, 100.0, 0.0]
    flow[0, 6] = np.nan
    ones = np.ones((1, 7, 1), np.float32)
    colours = [tuple(c) for c in pictures.error_map(flow, truth, ones)[0].tolist()]
    assert colours[0] == (49, 54, 149) and colours[5] == colours[6] == (165, 0, 38)
    assert colours[1] == colours[3] == (224, 243, 248) and colours[2] == colours[4] == (254, 224, 144)


def test_error_maps_are_black_without_truth_and_darker_where_occluded():
    flow = truth = np.zeros((1, 3, 2), np.float32)
    valid, visible = np.float32([[[0], [1], [1]]]), np.float32([[[1], [0], [1]]])
    picture = pictures.error_map(flow, truth, valid, visible)[0].tolist()
    assert picture == [[0, 0, 0], [24, 27, 74], [49, 54, 149]]


def test_occluded_pixels_are_tinted_and_visible_ones_untouched():
    image = noise(0, 3, 4)
    visible = np.ones((3, 4, 1), np.float32)
    visible[1, 2] = 0
    picture = pictures.visibility_overlay(image, visible)
    changed = (picture != pictures.to_bytes(image)).any(-1)
    assert changed[1, 2] and changed.sum() == 1 and picture[1, 2, 0] > picture[1, 2, 1]


def test_a_contact_sheet_holds_its_pictures_unscaled_in_order():
    a, b, c = (pictures.to_bytes(noise(i, h, w)) for i, (h, w) in enumerate([(20, 30), (12, 40), (9, 80)]))
    sheet = pictures.contact_sheet([[("a", a), ("b", b)], [("c", c)]], gap=4)
    assert sheet.shape == (4 + 18 + 20 + 4 + 18 + 9 + 4, 4 + 80 + 4, 3)
    np.testing.assert_array_equal(sheet[22:42, 4:34], a)
    np.testing.assert_array_equal(sheet[22:34, 38:78], b)
    np.testing.assert_array_equal(sheet[64:73, 4:84], c)


def test_bytes_of_floats_are_rounded_clipped_and_nan_is_black():
    image = np.float32([[[0.0, 1.0, 0.5]], [[-1.0, 2.0, np.nan]]])
    assert pictures.to_bytes(image).tolist() == [[[0, 255, 128]], [[0, 255, 0]]]
    assert pictures.to_bytes(np.float32([[[0.2]]])).tolist() == [[[51, 51, 51]]]
