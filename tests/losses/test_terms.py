"""Photometric, census and distillation terms: the numbers of the papers' code, masks, and laws of all terms."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.losses.views import H, N, W, field, mask, picture, sample, still, view
from tests.ops import oracles
from tfflow.losses import (
    SSIM,
    AbsRobust,
    AtLevel,
    Census,
    Charbonnier,
    Consistency,
    Distillation,
    EndpointError,
    GradientConstancy,
    LevelEPE,
    MultiscaleEPE,
    OutOfFrame,
    Photometric,
    SelfSupervision,
    Smoothness,
    TargetFlow,
    global_mean,
)

FLOOR = 0.01**0.4  # what DDFlow's penalty costs where nothing differs: 0.15849


def taught(**changes):
    return view(**{"target12": field(1), "target_mask": mask(1), "flows21": (field(2),), **changes})


TERMS = [
    Photometric(),
    Photometric(Charbonnier(alpha=0.53, beta=360.0)),
    Census(),
    Census(radius=1),
    Distillation(),
    Smoothness(order=1, edge=10.0),
    Smoothness(order=2),
    Smoothness(order=2, diagonals=True),
    GradientConstancy(),
    SSIM(),
    Consistency(),
    OutOfFrame(),
    SelfSupervision(),
    TargetFlow(),
    Smoothness(order=1, edge=10.0, relative=True),
    AtLevel(1, 1.0 * Census(1) + 0.5 * Consistency(over="all")),
    MultiscaleEPE(weights=((1, 0.5),)),
    LevelEPE(1),
    EndpointError(),
]
each_term = pytest.mark.parametrize("term", TERMS, ids=repr)


# ------------------------------------------------------------------------------------------------- laws of all terms


@each_term
def test_a_pair_is_worth_the_same_alone_and_among_others(term):
    whole = taught()
    values = term(whole)
    assert values.shape == (N,) and values.dtype == tf.float32 and np.isfinite(values).all()
    assert abs(values[0] - values[1]) > 1e-6
    for i in range(N):
        np.testing.assert_allclose(term(sample(whole, i))[0], values[i], rtol=1e-5)


@each_term
def test_a_term_is_the_same_compiled(term):
    whole = taught()

    def run(image1, image2, flow, visible, target, used, back):
        masks = {"visible1": visible, "target_mask": used}
        return term(view(image1=image1, image2=image2, target12=target, flows12=(flow,), flows21=(back,), **masks))

    compiled = tf.function(run, jit_compile=True, autograph=False)
    inputs = (whole.image1, whole.image2, whole.flow12, whole.visible1, whole.target12, whole.target_mask, whole.flow21)
    np.testing.assert_allclose(compiled(*inputs), term(whole), rtol=2e-4)


@each_term
def test_the_flow_gets_a_finite_gradient_and_a_teacher_none(term):
    whole = taught()
    flow = whole.flow12
    with tf.GradientTape() as tape:
        tape.watch([flow, whole.visible1, whole.target_mask, whole.target12])
        total = tf.reduce_sum(term(whole))
    to_flow, to_visible, to_mask, to_target = tape.gradient(
        total, [flow, whole.visible1, whole.target_mask, whole.target12]
    )
    assert np.isfinite(to_flow).all() and np.any(to_flow)
    if isinstance(term, Distillation | SelfSupervision):  # made from the student's own flow and from the teacher's
        assert to_visible is None and to_mask is None and to_target is None


@each_term
def test_a_flow_that_leaves_the_frame_by_far_costs_a_finite_amount(term):
    far = taught(flows12=(field() * 1e4,))
    assert np.isfinite(term(far)).all()


# ------------------------------------------------------------------------------------------------------- photometric


def test_photometric_of_ddflow_with_a_perfect_reconstruction():
    """DDFlow divides by twice the pixels whatever the channels: half of ours, both directions summed."""
    per_direction = (0.5 * Photometric())(still())["photometric"]
    np.testing.assert_allclose(per_direction, 0.23774, atol=2e-5)
    np.testing.assert_allclose(2 * per_direction, 0.47547, atol=2e-5)


def test_photometric_is_the_mean_over_visible_pixels():
    v = view()
    warped, image1, visible = oracles.backward_warp(v.image2.numpy(), v.flow12.numpy()), v.image1.numpy(), mask()
    for i in range(N):
        total, count = 0.0, 0
        for y, x in np.ndindex(H, W):
            if visible[i, y, x, 0]:
                total += sum((np.abs(image1[i, y, x] - warped[i, y, x]) + 0.01) ** 0.4)
                count += 1
        np.testing.assert_allclose(Photometric()(v)[i], total / count, rtol=1e-4)


@pytest.mark.parametrize("term", [Photometric(), Census(), Distillation()], ids=repr)
def test_no_pixel_to_compare_costs_nothing(term):
    nothing = view(visible1=np.zeros([N, H, W, 1], np.float32))
    if isinstance(term, Distillation):  # nothing that the teacher sees
        nothing = view(target12=field(1), target_mask=np.zeros([N, H, W, 1], np.float32))
    np.testing.assert_array_equal(term(nothing), 0)


def test_occluded_pixels_do_not_count():
    v = view()
    spoilt = v.image1.numpy() + 5 * (1 - v.visible1.numpy())
    np.testing.assert_allclose(Photometric()(view(image1=spoilt.astype(np.float32))), Photometric()(v), rtol=1e-5)


# ------------------------------------------------------------------------------------------------------------- census


def test_census_of_ddflow_with_a_perfect_reconstruction():
    per_direction = (0.5 * Census())(still())["census"]
    np.testing.assert_allclose(per_direction, 0.07924, atol=2e-5)
    np.testing.assert_allclose(2 * per_direction, 0.15849, atol=2e-5)


@pytest.mark.parametrize("radius", [1, 3])
def test_census_is_the_mean_soft_hamming_distance_of_visible_inner_pixels(radius):
    v, visible = view(), mask()
    census1 = oracles.census_transform(v.image1.numpy(), radius)
    census2 = oracles.census_transform(oracles.backward_warp(v.image2.numpy(), v.flow12.numpy()), radius)
    for i in range(N):
        total, count = 0.0, 0
        for y in range(radius, H - radius):
            for x in range(radius, W - radius):
                if visible[i, y, x, 0]:
                    d2 = (census1[i, y, x] - census2[i, y, x]) ** 2
                    total += (sum(d2 / (0.1 + d2)) + 0.01) ** 0.4
                    count += 1
        np.testing.assert_allclose(Census(radius)(v)[i], total / count, rtol=1e-4)


def test_census_of_opposite_frames_comes_near_its_largest_value():
    """Every neighbour of a sharp pattern changes its sign: 48 * 4 / 4.1 under the penalty."""
    rows, columns = np.mgrid[:H, :W]
    # no two pixels of a 7 x 7 window are alike
    image = ((rows * 7 + columns * 3) % 49 / 48.0)[None, :, :, None] * np.ones([N, 1, 1, 3])
    image = image.astype(np.float32)
    value = Census()(still(image1=image, image2=1 - image)).numpy()
    largest = (48 * 4 / 4.1 + 0.01) ** 0.4
    assert largest == pytest.approx(4.66, abs=0.01)
    assert (value < largest).all() and (value > 0.85 * largest).all()


def test_census_sees_no_change_of_light():
    image = picture()
    brighter = still(image1=image, image2=image + np.float32(0.07))
    np.testing.assert_allclose(Census()(brighter), Census()(still()), atol=1e-3)
    assert np.all(Photometric()(brighter) > 2 * Photometric()(still()))


def test_census_ignores_the_border_that_its_window_leaves():
    image = picture()
    spoilt = image.copy()
    # one pixel at the border is in the windows of those up to 3 px inside; rows 0..2 belong to the border itself
    value = Census()(still(image1=image, image2=image, visible1=border_mask(3)))
    np.testing.assert_array_equal(value, 0)
    spoilt[:, 0] = 0.5
    assert np.all(Census()(still(image2=spoilt)) > Census()(still()))


def border_mask(width):
    visible = np.ones([N, H, W, 1], np.float32)
    visible[:, width : H - width, width : W - width] = 0
    return visible


# ------------------------------------------------------------------------------------------------------- distillation


def test_distillation_of_ddflow_with_a_perfect_student():
    """0.5 of the sum over u and v over the pixels, averaged over both directions: 2 * 0.15849 / 2."""
    flow = field()
    occluded = np.zeros([N, H, W, 1], np.float32)
    v = view(flows12=(flow,), target12=flow, target_mask=np.ones([N, H, W, 1], np.float32), visible1=occluded)
    np.testing.assert_allclose((0.5 * Distillation())(v)["distillation"], FLOOR, rtol=1e-5)
    assert pytest.approx(0.15849, abs=1e-5) == FLOOR


def test_distillation_counts_pixels_that_the_teacher_sees_and_the_student_does_not():
    for i in range(N):
        total, count = 0.0, 0
        for y, x in np.ndindex(H, W):
            if mask(1)[i, y, x, 0] == 1 and mask()[i, y, x, 0] == 0:
                total += sum((np.abs(field()[i, y, x] - field(1)[i, y, x]) + 0.01) ** 0.4)
                count += 1
        assert count > 20
        np.testing.assert_allclose(Distillation()(taught())[i], total / count, rtol=1e-5)


def test_distillation_where_the_student_sees_as_much_is_nothing():
    np.testing.assert_array_equal(Distillation()(view(target12=field(1), target_mask=mask(), visible1=mask())), 0)
    # what the student alone sees is not a negative weight
    np.testing.assert_array_equal(
        Distillation()(view(target12=field(1), target_mask=np.zeros_like(mask()), visible1=np.ones_like(mask()))), 0
    )


def test_penalties_of_zero_are_those_of_the_papers():
    assert AbsRobust()(tf.constant(0.0)).numpy() == pytest.approx(0.15849, abs=1e-5)
    assert Charbonnier(alpha=0.45)(tf.constant(0.0)).numpy() == pytest.approx(0.001995, abs=1e-6)


def test_every_direction_and_pair_counts_alike():
    v = taught()
    np.testing.assert_allclose(global_mean(Photometric()(v), N), Photometric()(v).numpy().mean(), rtol=1e-6)
