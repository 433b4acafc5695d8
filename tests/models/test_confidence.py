"""What the flow back says of a flow: who agrees is visible and sure, who does not is neither."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.fakes import noise
from tfflow.data.formats import read_flow
from tfflow.data.images import read_image
from tfflow.errors import InputError
from tfflow.evaluation.metrics import check_occlusion
from tfflow.models.confidence import confidence, residual, visible_by_check
from tfflow.models.estimate import Estimate, estimate_pair


def constant(u, v, h=40, w=60):
    return np.broadcast_to(np.float32([u, v]), (h, w, 2)).copy()


def estimate(u=3.0, v=-2.0, off=0.0):
    frame = noise(1, 60, 90)
    first, second = frame[10:50, 10:70], frame[12:52, 7:67]
    return Estimate(constant(u, v), first, second, constant(-u + off, -v), "pair")


def test_the_residual_is_where_one_ends_who_goes_and_comes_back():
    np.testing.assert_allclose(residual(constant(3, -2), constant(-3, 2))[5:35, 5:50], 0, atol=1e-6)
    np.testing.assert_allclose(residual(constant(3, -2), constant(0, -2))[5:35, 5:50], 5, atol=1e-5)  # (3, -4)
    np.testing.assert_allclose(residual(constant(3, 0), constant(-3, 0))[:, -2:], 3)  # leaves the frame


def test_the_flow_back_is_taken_at_the_target():
    back = constant(-3, 0)
    back[:, :20] = (9, 0)
    off = residual(constant(3, 0), back)
    assert (off[:, :17] == 12).all() and (off[:, 17:50] == 0).all()


def test_visible_is_not_occluded():
    rng = np.random.default_rng(2)
    flow12 = rng.normal(0, 3, (40, 60, 2)).astype(np.float32)
    flow21 = -flow12 + rng.normal(0, 1, flow12.shape).astype(np.float32)
    visible = visible_by_check(flow12, flow21)
    assert visible.dtype == bool and 0.01 < visible.mean() < 0.99
    np.testing.assert_array_equal(visible, ~check_occlusion(flow12, flow21))


def test_confidence_falls_with_the_residual_and_is_half_at_one_pixel():
    image = noise(1, 40, 60)
    values = [confidence(constant(3, 0), constant(-3 + off, 0), image)[20, 20] for off in (0.0, 1.0, 9.0)]
    np.testing.assert_allclose(values, [1.0, 0.5, 0.1], atol=1e-6)


def test_where_nothing_can_be_matched_nothing_is_sure():
    """Both flows may agree on a wall without texture, and mean nothing."""
    image = noise(1, 100, 200)
    image[:, :100] = 0.4
    sure = confidence(constant(0, 0, 100, 200), constant(0, 0, 100, 200), image)
    assert (sure[:, :80] == 0).all() and (sure[:, 100:] == 1).all()
    assert (confidence(constant(0, 0), constant(0, 0), np.zeros((40, 60, 3), np.float32)) == 0).all()


def test_an_estimate_warps_what_lies_on_the_second_frame():
    e = estimate()
    np.testing.assert_allclose(e.warp()[3:, :-4], e.image1[3:, :-4], atol=1e-6)
    ramp = np.arange(60, dtype=np.uint8)[None].repeat(40, 0)
    warped = e.warp(ramp)
    assert warped.shape == (40, 60)
    np.testing.assert_allclose(warped[5, 5:50], np.arange(8, 53))
    with pytest.raises(InputError, match=r"to warp, give 40 x 60 pixels, got \(40, 59, 3\)"):
        e.warp(e.image2[:, 1:])


@pytest.mark.parametrize("suffix", [".flo", ".pfm", ".npy"])
def test_the_flow_that_is_saved_comes_back(tmp_path, suffix):
    e = estimate(1.25, -7.5)
    e.save(tmp_path / f"new/a{suffix}")
    np.testing.assert_array_equal(read_flow(tmp_path / f"new/a{suffix}")[0], e.flow)


def test_all_that_is_known_is_in_an_npz_and_a_picture_in_a_png(tmp_path):
    e = estimate(off=5.0)
    e.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        assert set(arrays) == {"flow", "flow21", "visible", "confidence"}
        assert not arrays["visible"].any() and arrays["confidence"].max() < 0.25
    e.save(tmp_path / "a.png", scale=20.0)
    np.testing.assert_allclose(read_image(tmp_path / "a.png") * 255, e.picture(20.0), atol=0.5)
    assert not np.array_equal(e.picture(20.0), e.picture())
    with pytest.raises(InputError, match=r"a.exr': expected a name that ends in \.flo, \.pfm, \.npy, \.npz"):
        e.save(tmp_path / "a.exr")


def test_without_the_flow_back_there_is_no_confidence(tmp_path):
    one_way = Estimate(constant(1, 2), noise(1, 40, 60), noise(2, 40, 60))
    for what in ("visible", "confidence"):
        with pytest.raises(InputError, match="this needs the backward flow: compute both directions"):
            getattr(one_way, what)
    one_way.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        assert set(arrays) == {"flow"}


def test_both_directions_come_of_one_call():
    asked = []

    def both(images1, images2, images0):
        asked.append((images1.shape, images0))
        return constant(1, 2)[None], constant(-1, -2)[None]

    e = estimate_pair(both, noise(1, 40, 60), noise(2, 40, 60), None)
    assert asked == [((1, 40, 60, 3), None)]
    np.testing.assert_array_equal(e.flow, constant(1, 2))
    np.testing.assert_array_equal(e.flow21, constant(-1, -2))
    assert e.visible[5:30, 5:50].all()
