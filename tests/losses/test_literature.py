"""Terms of UnFlow, DSTFlow, Wang et al. and UFlow against loops written from their definitions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.losses.views import H, N, W, field, mask, picture, still, view
from tests.ops import oracles
from tfflow import ops
from tfflow.errors import InputError
from tfflow.losses import (
    SSIM,
    AbsRobust,
    AtLevel,
    Both,
    Census,
    Charbonnier,
    Confidence,
    Consistency,
    Distillation,
    EndpointError,
    ForwardBackward,
    GradientConstancy,
    Inside,
    LevelEPE,
    MultiscaleEPE,
    OcclusionPenalty,
    OutOfFrame,
    Photometric,
    PyramidDistillation,
    RangeMap,
    SecondPass,
    SelfSupervision,
    Smoothness,
    TargetFlow,
)

RHO = Charbonnier(alpha=0.45)  # UnFlow's


def rho(x):
    return (np.square(x) + 1e-6) ** 0.45


def warped(v, i):
    return oracles.backward_warp(v.image2.numpy(), v.flow12.numpy())[i]


# ------------------------------------------------------------------------------------------------------------- UnFlow


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_ternary_floor_of_unflow_is_that_of_the_unmasked_share_of_all_pixels(radius):
    visible = mask()
    v = still(visible1=visible)
    share = visible[:, radius:-radius, radius:-radius].sum((1, 2, 3)) / (H * W)
    assert (share < 0.55).all()
    np.testing.assert_allclose(Census(radius, RHO, over="all")(v), 0.001995 * share, rtol=1e-3)
    np.testing.assert_allclose(Census(radius, RHO)(v), 0.001995, rtol=1e-3)


def test_over_is_visible_or_all():
    with pytest.raises(ValueError, match="`over` must be one of visible, all, got 'some'"):
        Census(over="some")(view())


def test_consistency_is_its_definition_pixel_by_pixel():
    v, visible = view(flows21=(field(3),)), mask()
    gap = field() + oracles.backward_warp(field(3), field(), "border")
    for i in range(N):
        costs, seen = rho(gap[i]).sum(-1), visible[i, ..., 0]
        np.testing.assert_allclose(Consistency(RHO)(v)[i], (costs * seen).sum() / seen.sum(), rtol=1e-3)
        np.testing.assert_allclose(Consistency(RHO, over="all")(v)[i], (costs * seen).mean(), rtol=1e-3)


def test_consistency_steers_both_flows_and_needs_both():
    forward, backward = tf.constant(field()), tf.constant(field(3))
    with tf.GradientTape() as tape:
        tape.watch([forward, backward])
        total = tf.reduce_sum(Consistency(RHO)(view(flows12=(forward,), flows21=(backward,))))
    assert all(np.any(slope) for slope in tape.gradient(total, [forward, backward]))
    with pytest.raises(ValueError, match="this term compares both directions: its phase needs directions=2"):
        Consistency()(view())


def test_occluded_pixels_cost_by_their_share_and_have_no_gradient():
    """UnFlow's pitfall, said by its name: the mask is hard, so that the term is constant in the flow."""
    visible = mask()
    share = 1 - visible.mean((1, 2, 3))
    np.testing.assert_allclose(
        OcclusionPenalty(RHO)(view(visible1=visible)), share * (1 + 1e-6) ** 0.45 + (1 - share) * 0.001995, rtol=1e-4
    )
    flow, back = tf.constant(field()), tf.constant(field(1))
    with tf.GradientTape() as tape:
        tape.watch([flow, back])
        seen = ForwardBackward(outside="border")(flow, back)
        total = tf.reduce_sum(OcclusionPenalty(RHO)(view(flows12=(flow,), visible1=seen)))
    assert float(total) > 0 and tape.gradient(total, [flow, back]) == [None, None]


def test_smoothness_along_four_directions_pixel_by_pixel():
    flow = field()
    value = Smoothness(2, RHO, diagonals=True)(view(flows12=(flow,)))
    for i in range(N):
        means = []
        for dy, dx in [(0, 1), (1, 0), (1, 1), (1, -1)]:
            costs = [
                rho(flow[i, y - dy, x - dx] - 2.0 * flow[i, y, x] + flow[i, y + dy, x + dx]).sum()
                for y in range(dy, H - dy)
                for x in range(abs(dx), W - abs(dx))
            ]
            means.append(np.mean(costs))
        np.testing.assert_allclose(value[i], np.mean(means), rtol=1e-4)
    with pytest.raises(ValueError, match="smoothness along diagonals takes no edges"):
        Smoothness(2, edge=10.0, diagonals=True)


def test_a_border_that_is_clamped_hides_less():
    """10 px to the right, out of the frame: b is 0 there, or else the border's -10 px."""
    out = np.broadcast_to(np.float32([10, 0]), [1, 8, 40, 2])
    assert not ForwardBackward()(out, -out)[0, 4, -5, 0]
    assert ForwardBackward(outside="border")(out, -out)[0, 4, -5, 0] == 1


# ------------------------------------------------------------------------------------------------ a level of a pyramid


def pyramid(**changes):
    """Flows of strides 1, 2 and 4 of a frame of 16 x 24."""
    h, w = 16, 24
    flows = {k: tuple(field(s, h=h // g, w=w // g) for g in (1, 2, 4)) for k, s in (("flows12", 5), ("flows21", 6))}
    images = {"image1": picture(0, h=h, w=w), "image2": picture(1, h=h, w=w)}
    return view(**{**images, **flows, "visible1": np.ones([N, h, w, 1], np.float32), **changes})


def test_a_level_sees_images_averaged_down_its_own_flow_and_masks_from_it():
    v = pyramid()
    halved = [np.asarray(tf.image.resize(image, (4, 6), antialias=True)) for image in (v.image1, v.image2)]
    visibility = ForwardBackward()
    alone = view(
        image1=halved[0], image2=halved[1], flows12=v.flows12[2:], flows21=v.flows21[2:],
        visible1=visibility(v.flows12[2], v.flows21[2]),
    )  # fmt: skip
    objective = 1.0 * Photometric() + 0.5 * Smoothness() + 2.0 * Consistency()
    expected = sum(objective(alone).values())
    assert 0 < alone.visible1.numpy().mean() < 1
    np.testing.assert_allclose(AtLevel(4, objective, visibility)(v), expected, rtol=1e-4)
    assert np.abs(AtLevel(2, objective, visibility)(v) - expected).min() > 1e-3


def test_a_level_without_a_mask_of_its_own_takes_the_phase_s():
    visible = np.zeros([N, 16, 24, 1], np.float32)
    visible[:, :4] = 1
    half = pyramid(visible1=visible)
    spoilt = half.image1.numpy() + 0.3 * (np.arange(16) >= 12)[None, :, None, None]  # no coarse pixel is made of both
    there = pyramid(visible1=visible, image1=spoilt.astype(np.float32))
    for stride in (1, 2, 4):
        term = AtLevel(stride, 1.0 * Photometric())
        np.testing.assert_allclose(term(half), term(there), rtol=1e-5)
        assert np.all(term(pyramid(image1=spoilt.astype(np.float32))) > term(pyramid()))


@pytest.mark.parametrize(
    "term", [AtLevel(8, 1.0 * Photometric()), MultiscaleEPE(((4, 1.0), (8, 1.0))), LevelEPE(8)], ids=type
)
def test_a_level_that_a_network_lacks_is_no_silent_zero(term):
    v = pyramid(target12=field(1, h=16, w=24), target_mask=np.ones([N, 16, 24, 1], np.float32))
    with pytest.raises(InputError, match=r"^a term uses the flow at 1/8, and this network has 1/1, 1/2, 1/4$"):
        term(v)
    assert 8 in term.needs_levels


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 3)], ids=str)
def test_a_level_of_hardly_any_pixel_costs_a_finite_amount(size):
    """1/64 of a small crop: no window is whole, no pixel has two neighbours."""
    h, w = size
    objective = 1.0 * Census(2, RHO, over="all") + 3.0 * Smoothness(2, RHO, diagonals=True) + 1.0 * SSIM()
    objective += (
        1.0 * GradientConstancy() + 1.0 * Smoothness(1, edge=10.0) + 1.0 * OcclusionPenalty(RHO) + 1.0 * OutOfFrame()
    )
    flow = tf.constant(field(h=h, w=w))
    with tf.GradientTape() as tape:
        tape.watch(flow)
        images = {"image1": picture(h=4 * h, w=4 * w), "image2": picture(1, h=4 * h, w=4 * w)}
        v = view(**images, flows12=(field(h=4 * h, w=4 * w), flow), visible1=np.ones([N, 4 * h, 4 * w, 1], np.float32))
        value = AtLevel(4, objective)(v)
    assert np.isfinite(value).all() and np.isfinite(tape.gradient(value, flow)).all()


def test_a_level_follows_a_flow_in_px_of_its_grid():
    constant = np.broadcast_to(np.float32([4, -8]), [N, 16, 24, 2])
    flows = tuple(np.broadcast_to(np.float32([4, -8]) / g, [N, 16 // g, 24 // g, 2]) for g in (1, 2, 4))
    v = pyramid(flows12=flows, target12=constant, target_mask=np.ones([N, 16, 24, 1], np.float32))
    for stride in (1, 2, 4):
        term = AtLevel(stride, 1.0 * EndpointError())
        assert term.needs_truth and np.max(term(v)) < 1e-4
    assert not AtLevel(4, 1.0 * Census(1)).needs_truth


# ------------------------------------------------------------------------------------------- gradient, SSIM, the frame


def test_gradient_constancy_is_its_definition_and_sees_no_change_of_light():
    v, visible, penalty = view(), mask(), AbsRobust()
    for i in range(N):
        total = 0.0
        for dy, dx in [(0, 1), (1, 0)]:
            change = [a[dy:, dx:] - a[: H - dy, : W - dx] for a in (v.image1.numpy()[i], warped(v, i))]
            cost = ((abs(change[0] - change[1]) + 0.01) ** 0.4).sum(-1)
            seen = visible[i, : H - dy, : W - dx, 0]
            total += (cost * seen).sum() / seen.sum()
        np.testing.assert_allclose(GradientConstancy(penalty)(v)[i], total, rtol=1e-4)
    image = picture()
    brighter = still(image1=image, image2=image + np.float32(0.07))
    np.testing.assert_allclose(GradientConstancy()(brighter), GradientConstancy()(still()), atol=1e-3)


def test_ssim_is_its_definition_window_by_window():
    v, visible = view(), mask()
    for i in range(N):
        a, b = v.image1.numpy()[i].astype(float), warped(v, i).astype(float)
        total = count = 0.0
        for y in range(1, H - 1):
            for x in range(1, W - 1):
                if visible[i, y, x, 0]:
                    p, q = (image[y - 1 : y + 2, x - 1 : x + 2].reshape(9, 3) for image in (a, b))
                    cov = (p * q).mean(0) - p.mean(0) * q.mean(0)
                    ssim = (2 * p.mean(0) * q.mean(0) + 1e-4) * (2 * cov + 9e-4)
                    ssim /= (p.mean(0) ** 2 + q.mean(0) ** 2 + 1e-4) * (p.var(0) + q.var(0) + 9e-4)
                    total += np.clip((1 - ssim) / 2, 0, 1).mean()
                    count += 1
        np.testing.assert_allclose(SSIM()(v)[i], total / count, rtol=1e-3)


def test_ssim_of_equal_frames_is_nothing_and_of_opposite_ones_near_one():
    np.testing.assert_allclose(SSIM()(still()), 0, atol=1e-5)
    rows, columns = np.mgrid[:H, :W]
    chess = np.broadcast_to(((rows + columns) % 2)[None, ..., None], [N, H, W, 3]).astype(np.float32)
    value = SSIM()(still(image1=chess, image2=1 - chess)).numpy()
    assert (value > 0.9).all() and (value <= 1).all()


def test_outgoing_is_half_the_squared_way_beyond_the_frame():
    flow = np.zeros([1, 6, 9, 2], np.float32)
    flow[0, 2, 0] = [-3, 0]  # 3 px to the left of the first column
    flow[0, 5, 8] = [2, 1]  # 2 px beyond the last column, 1 px below the last row
    flow[0, 3, 3] = [5, 2]  # to the last column and row, which are inside
    v = view(flows12=(flow,), image1=picture(n=1, h=6, w=9))
    np.testing.assert_allclose(OutOfFrame()(v), [(9 / 2 + (4 + 1) / 2) / 2], rtol=1e-5)
    np.testing.assert_array_equal(OutOfFrame()(still()), np.zeros(N))


# -------------------------------------------------------------------------------------------------------------- UFlow


@pytest.mark.parametrize("sigma", [0.003, 0.03])
def test_confidence_is_a_gaussian_of_the_gap_inside_the_frame(sigma):
    flow12, flow21 = field(reach=0.5), -field(reach=0.5) + np.float32(0.02)
    gap = flow12 + oracles.backward_warp(flow21, flow12)
    expected = np.exp(-np.square(gap).sum(-1, keepdims=True) / (sigma**2 * (H**2 + W**2)))
    expected = expected * oracles.inside(flow12)
    np.testing.assert_allclose(Confidence(sigma)(flow12, flow21), expected, atol=1e-4)
    assert 0.01 < expected.mean() < 0.99


def test_both_is_where_both_masks_are():
    flow12, flow21 = field(), field(1)
    seen = Both(RangeMap(), Inside())(flow12, flow21)
    np.testing.assert_allclose(seen, RangeMap()(flow12, flow21) * Inside()(flow12, flow21))
    assert np.any(seen != RangeMap()(flow12, flow21))


def test_self_supervision_follows_where_the_teacher_is_sure_and_the_student_is_not():
    v = view(flows21=(field(4),), target12=field(1), target_mask=0.3 * mask(1))
    sure = Confidence(0.05)(v.flow12, v.flow21).numpy()[..., 0]
    weight = 0.3 * mask(1)[..., 0] * (1 - sure)
    cost = np.sqrt(np.square(field() - field(1)) + 1e-6).sum(-1)
    expected = (weight * cost).mean((1, 2))
    np.testing.assert_allclose(SelfSupervision(Confidence(0.05))(v), expected, rtol=1e-4)
    still_sure = view(flows12=(0 * field(),), flows21=(0 * field(),), target12=field(1), target_mask=mask(1))
    np.testing.assert_array_equal(SelfSupervision()(still_sure), np.zeros(N))
    assert np.all(Distillation()(v) > 0)


L1 = AbsRobust(epsilon=0.0, q=1.0)

# ------------------------------------------------------------------------------------------------------------- UPFlow


def test_a_level_follows_the_finest_flow_in_px_of_the_image_and_not_the_other_way_round():
    finest, coarse = tf.constant(field()), tf.constant(field(3, h=H // 2, w=W // 2))
    v = view(flows12=(finest, coarse), visible1=np.ones([N, H, W, 1], np.float32))
    halved = ops.resize_flow(finest, (H // 2, W // 2)).numpy()
    with tf.GradientTape() as tape:
        tape.watch([finest, coarse])
        total = tf.reduce_sum(PyramidDistillation(2, L1)(v))
    np.testing.assert_allclose(total, 2 * np.abs(halved - coarse).sum(-1).mean((1, 2)).sum(), rtol=1e-5)
    to_finest, to_coarse = tape.gradient(total, [finest, coarse])
    assert to_finest is None
    np.testing.assert_array_equal(np.sign(to_coarse), np.sign(coarse - halved))
    with pytest.raises(InputError, match="a term uses the flow at 1/4"):
        PyramidDistillation(4)(v)


def test_a_level_follows_only_where_pixels_are_visible():
    flows = (field(), field(3, h=H // 2, w=W // 2))
    left = np.ones([N, H, W, 1], np.float32)
    left[:, :, W // 2 :] = 0
    changed = flows[0].copy()
    changed[:, :, W // 2 + 4 :] += 9
    np.testing.assert_allclose(
        PyramidDistillation(2)(view(flows12=flows, visible1=left)),
        PyramidDistillation(2)(view(flows12=(changed, flows[1]), visible1=left)),
        rtol=1e-5,
    )


# ------------------------------------------------------------------------------------------------------------- ARFlow


def test_following_is_the_mean_over_what_is_to_be_followed():
    v = view(target12=field(1), target_mask=mask(1))
    cost = np.abs(field() - field(1)).sum(-1)
    seen = mask(1)[..., 0]
    np.testing.assert_allclose(TargetFlow(L1)(v), (cost * seen).sum((1, 2)) / seen.sum((1, 2)), rtol=1e-5)
    flow, target = tf.constant(field()), tf.constant(field(1))
    with tf.GradientTape() as tape:
        tape.watch([flow, target])
        total = tf.reduce_sum(TargetFlow(L1)(view(flows12=(flow,), target12=target, target_mask=mask(1))))
    slope, to_target = tape.gradient(total, [flow, target])
    assert to_target is None
    np.testing.assert_allclose(np.sign(slope), np.sign(field() - field(1)) * mask(1))


def test_a_second_pass_is_judged_by_itself():
    second = view(target12=field(1), target_mask=mask(1), flows12=(field(8),))
    objective = 2.0 * TargetFlow(L1) + 1.0 * Smoothness()
    np.testing.assert_allclose(
        SecondPass(objective)(dataclasses.replace(view(), second=second)),
        2 * TargetFlow(L1)(second) + Smoothness()(second),
        rtol=1e-6,
    )
    with pytest.raises(ValueError, match="uses a second pass: its phase needs `second`, a Transformed"):
        SecondPass(objective)(view())


def test_a_level_may_be_judged_on_a_finer_grid():
    """Of a quarter, enlarged four times: as if the network had said so at full resolution."""
    v = pyramid()
    up12, up21 = (np.asarray(4 * tf.image.resize(flows[2], (16, 24))) for flows in (v.flows12, v.flows21))
    objective, visibility = 1.0 * Photometric() + 2.0 * Consistency(), ForwardBackward()
    fields = {"flows12": (up12,), "flows21": (up21,), "visible1": visibility(up12, up21)}
    alone = view(image1=v.image1, image2=v.image2, **fields)
    expected = sum(objective(alone).values())
    np.testing.assert_allclose(AtLevel(4, objective, visibility, enlarged=4)(v), expected, rtol=1e-4)
    assert np.abs(AtLevel(4, objective, visibility, enlarged=2)(v) - expected).min() > 1e-3


def test_relative_smoothness_is_that_of_flow_in_shares_of_the_smaller_side():
    assert min(H, W) == 20
    scaled = view(flows12=(field() / 20,))
    for order in (1, 2):
        np.testing.assert_allclose(
            Smoothness(order, L1, relative=True)(view()), Smoothness(order, L1)(scaled), rtol=1e-5
        )
